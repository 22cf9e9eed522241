// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/generate.hpp"

namespace hanse::api {

// What all choices of a request used. A prompt counts once, however many answers it got; a choice that was
// cut off counts what was seen of it.
class UsageSum {
public:
    explicit UsageSum(std::uint32_t choices_per_prompt) : per_prompt_(choices_per_prompt) {}
    void saw(const engine::TextEvent& event) { unfinished_ += event.tokens; }
    void add(std::uint32_t choice, const engine::Usage& usage, std::uint32_t seen_of_choice);

    std::uint32_t prompt_tokens() const { return prompt_; }
    std::uint32_t cached_tokens() const { return cached_; }
    std::uint32_t completion_tokens() const { return completion_ + unfinished_; }

private:
    std::uint32_t per_prompt_;
    std::uint32_t prompt_ = 0;
    std::uint32_t cached_ = 0;
    std::uint32_t completion_ = 0;
    std::uint32_t unfinished_ = 0;
    std::uint32_t accepted_ = 0;
    std::uint32_t rejected_ = 0;
    friend void append_usage(std::string& out, const UsageSum& usage);
};

// {"prompt_tokens":…} as chat and completions have it.
void append_usage(std::string& out, const UsageSum& usage);
std::string_view finish_word(engine::FinishReason reason);

// {"content":[…],"refusal":null}: chat. The entries alone, so that they can be joined.
void append_chat_logprobs(std::string& out, const std::vector<engine::TokenLogprobs>& tokens);

}  // namespace hanse::api
