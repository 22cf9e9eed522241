// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/client.hpp"

namespace hanse::cli {

struct ChatTurn {
    std::string role;  // "system", "user", "assistant"
    std::string content;
};

struct ChatAsk {
    std::string model;
    std::vector<ChatTurn> messages;
    std::optional<std::uint32_t> max_tokens = {};
    std::optional<double> temperature = {};
    std::optional<std::int64_t> seed = {};
};

struct ChatOutcome {
    std::string text;
    std::string finish_reason;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;
    std::uint32_t completion_tokens = 0;
    std::chrono::duration<double> first_token{0};
    std::chrono::duration<double> total{0};
    bool stopped = false;  // by the user

    // Of the tokens after the first, over the time since it; the first one's wait is the prompt's.
    double tokens_per_second() const;
};

// A node as the commands see it: its OpenAI API over HTTP. Blocks the calling thread; one call at a time.
class NodeClient {
public:
    static base::Result<NodeClient> open(const std::string& url, std::string api_key, std::string ca_file);
    NodeClient(NodeClient&&) noexcept;
    ~NodeClient();

    base::Result<std::vector<std::string>> models();
    // Streams; `on_text` gets each piece as it comes. `stop`, set from a signal handler, ends it early.
    base::Result<ChatOutcome> chat(const ChatAsk& ask, const std::function<void(std::string_view)>& on_text, const std::atomic<bool>& stop);
    // What the node answers to a body that is handed to it there.
    base::Result<std::string> post(const std::string& path, const std::string& body);
    // The node's resident memory as /metrics tells it; nothing if it does not.
    std::optional<double> memory_bytes();

private:
    struct State;
    explicit NodeClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Parts of it that are pure, for the tests.
std::string chat_request_json(const ChatAsk& ask);
// One event's data into the outcome; the text that is new. `corrupt`, or the error that the node tells.
base::Result<std::string> read_chat_chunk(std::string_view json, ChatOutcome& outcome);
base::Error read_error(unsigned status, std::string_view body);

}  // namespace hanse::cli
