// SPDX-License-Identifier: Apache-2.0
#include "openai_usage.hpp"

#include <algorithm>

#include "json_write.hpp"

namespace hanse::api {
namespace {

// A token alone need not be valid UTF-8: "token" shows it repaired, "bytes" as it is.
void append_logprob(std::string& out, const engine::Logprob& one) {
    out += R"({"token":)";
    append_quoted(out, one.bytes);
    out += R"(,"logprob":)";
    // A probability of zero has no finite logarithm; clients cannot read null here.
    append_number(out, std::max(one.logprob, -9999.0F));
    out += R"(,"bytes":[)";
    for (std::size_t i = 0; i < one.bytes.size(); ++i) {
        if (i != 0) out += ',';
        append_number(out, static_cast<std::int64_t>(static_cast<unsigned char>(one.bytes[i])));
    }
    out += ']';
}

}  // namespace

void UsageSum::add(std::uint32_t choice, const engine::Usage& usage, std::uint32_t seen_of_choice) {
    unfinished_ -= std::min(unfinished_, seen_of_choice);
    completion_ += usage.completion_tokens;
    accepted_ += usage.accepted_tokens;
    rejected_ += usage.drafted_tokens - std::min(usage.drafted_tokens, usage.accepted_tokens);
    if (choice % per_prompt_ != 0) return;
    prompt_ += usage.prompt_tokens;
    cached_ += usage.cached_tokens;
}

void append_usage(std::string& out, const UsageSum& usage) {
    out += R"({"prompt_tokens":)";
    append_number(out, usage.prompt_tokens());
    out += R"(,"completion_tokens":)";
    append_number(out, usage.completion_tokens());
    out += R"(,"total_tokens":)";
    append_number(out, usage.prompt_tokens() + usage.completion_tokens());
    out += R"(,"prompt_tokens_details":{"cached_tokens":)";
    append_number(out, usage.cached_tokens());
    out += R"(},"completion_tokens_details":{"accepted_prediction_tokens":)";
    append_number(out, usage.accepted_);
    out += R"(,"rejected_prediction_tokens":)";
    append_number(out, usage.rejected_);
    out += "}}";
}

std::string_view finish_word(engine::FinishReason reason) { return reason == engine::FinishReason::length ? "length" : "stop"; }

void append_chat_logprobs(std::string& out, const std::vector<engine::TokenLogprobs>& tokens) {
    bool first = true;
    for (const auto& token : tokens) {
        if (!first) out += ',';
        first = false;
        append_logprob(out, token.chosen);
        out += R"(,"top_logprobs":[)";
        for (std::size_t i = 0; i < token.top.size(); ++i) {
            if (i != 0) out += ',';
            append_logprob(out, token.top[i]);
            out += '}';
        }
        out += "]}";
    }
}

}  // namespace hanse::api
