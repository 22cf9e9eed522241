// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace hanse::engine {

using TokenId = std::int32_t;

struct SamplingOptions {
    float temperature = 1.0F;  // 0: always the likeliest
    std::int32_t top_k = 0;    // 0: off
    float top_p = 1.0F;
    float min_p = 0.0F;
    float presence_penalty = 0.0F;
    float frequency_penalty = 0.0F;
    float repeat_penalty = 1.0F;
    std::int32_t penalty_window = 64;  // tokens looked back at by the three penalties
    std::optional<std::uint64_t> seed = {};
    std::vector<std::pair<TokenId, float>> logit_bias = {};
    std::optional<std::uint32_t> top_logprobs = {};  // set: report the chosen token's and this many others
};

// What the output must obey. A JSON schema is compiled by the engine; it may fail with `invalid`.
struct GrammarText { std::string gbnf; std::string root = "root"; };
struct JsonSchemaText { std::string schema; };
struct AnyJsonObject {};
using Constraint = std::variant<std::monostate, GrammarText, JsonSchemaText, AnyJsonObject>;

enum class Priority : std::uint8_t { background, normal, urgent };

struct AdapterChoice {
    std::string name;
    float scale = 1.0F;
    bool operator==(const AdapterChoice&) const = default;
};

// One sequence to be generated. `partition` bounds what may be shared with others: a cached prefix is
// reused only by requests of the same partition, adapters and experts, since the time that an answer
// takes would tell who asked before.
struct GenerateRequest {
    std::vector<TokenId> prompt;                       // never empty
    std::optional<std::uint32_t> max_tokens = {};      // none: to the end of the context
    std::vector<std::string> stop = {};                // the text ends before the first of these
    SamplingOptions sampling = {};
    Constraint constraint = {};
    // The constraint sleeps until one of these appears in the text (tool calls among free text).
    std::vector<std::string> constraint_triggers = {};
    std::string partition = {};
    std::vector<AdapterChoice> adapters = {};
    std::vector<std::uint32_t> experts_left_out = {};  // by number (expert.hpp), rising; not all of them
    Priority priority = Priority::normal;
    base::Deadline deadline = {};                      // for the whole answer
    base::Deadline first_token_deadline = {};          // refused at once if it cannot be met
    bool speculate = true;
    bool keep_special_tokens = false;                  // special tokens as text in the output
    bool ignore_end = false;                           // benchmarks: go on past end-of-sequence
};

struct Logprob {
    TokenId token = 0;
    std::string bytes;  // not necessarily valid UTF-8 by itself
    float logprob = 0.0F;
};

struct TokenLogprobs {
    Logprob chosen;
    std::vector<Logprob> top = {};
};

// A piece of the answer. `text` is always whole UTF-8 characters and never contains any part of a stop
// string. May carry several tokens if the reader was slower than the model.
struct TextEvent {
    std::string text;
    std::uint32_t tokens = 0;
    std::vector<TokenLogprobs> logprobs = {};
};

enum class FinishReason : std::uint8_t { stop, length };

struct Usage {
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;  // of these, not computed again
    std::uint32_t completion_tokens = 0;
    std::uint32_t drafted_tokens = 0;
    std::uint32_t accepted_tokens = 0;
};

struct Timings {
    std::chrono::microseconds queued{0};
    std::chrono::microseconds prefill{0};
    std::chrono::microseconds decode{0};
};

// The last event of a stream that ended well.
struct FinishEvent {
    FinishReason reason = FinishReason::stop;
    std::string stop_sequence = {};
    Usage usage = {};
    Timings timings = {};
};

// The last event of a stream that did not.
struct ErrorEvent {
    base::Error error;
};

using Event = std::variant<TextEvent, FinishEvent, ErrorEvent>;

}  // namespace hanse::engine
