// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/event_stream.hpp"
#include "engine/generate.hpp"
#include "text_assembly.hpp"

namespace hanse::engine {

// How tokens look as text. The strings live as long as the model.
struct TokenTexts {
    std::span<const std::string> pieces;          // control tokens are empty
    std::span<const std::string> special_pieces;  // all of them written out
    std::vector<bool> ends;                       // tokens that end an answer
};

// The outer half of one answer: tokens in, events out. Used by the delivery thread alone, but for `stopped`,
// by which it tells the step thread that a stop string ended the answer.
struct Outlet {
    Outlet(std::shared_ptr<EventStream> stream, std::vector<std::string> stop, bool special)
        : out(std::move(stream)), assembly(std::move(stop)), keep_special(special) {}

    std::shared_ptr<EventStream> out;
    TextAssembly assembly;
    bool keep_special;
    std::uint32_t tokens = 0;
    std::uint32_t unsent = 0;  // tokens whose text is still held back
    std::vector<TokenLogprobs> unsent_logprobs = {};
    bool ended = false;
    std::atomic<bool> stopped{false};
};

// What one step has for one answer.
struct Delivery {
    std::shared_ptr<Outlet> outlet;
    std::vector<TokenId> tokens = {};
    std::vector<TokenLogprobs> logprobs = {};  // empty, or one per token; their bytes are still to be filled in
    std::optional<FinishReason> finish = {};
    std::optional<base::Error> error = {};
    Usage usage = {};                          // but for completion_tokens
    Timings timings = {};
};

// Makes text and events of a step's tokens while the next step runs. Woken once per step.
class DeliveryThread {
public:
    explicit DeliveryThread(const TokenTexts& texts);
    ~DeliveryThread();  // delivers what it has been given, then ends

    // Takes all out of `deliveries`.
    void give(std::vector<Delivery>& deliveries);
    bool is_own_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

private:
    void run();
    void deliver(Delivery& delivery);

    const TokenTexts& texts_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Delivery> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace hanse::engine
