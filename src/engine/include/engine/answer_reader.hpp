// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hanse::engine {

// Reads a model's answer as it grows and tells text, reasoning and tool calls apart, for the formats of the
// families that Hanse lists. One reader per answer, at the `api` end; pure, no threads. Work is linear in
// the answer's length: a piece once read is never read again.
struct AnswerText { std::string text; };
struct AnswerReasoning { std::string text; };
struct ToolCallBegin { std::size_t index; std::string id; std::string name; };
struct ToolCallArguments { std::size_t index; std::string text; };  // to be appended
using AnswerPart = std::variant<AnswerText, AnswerReasoning, ToolCallBegin, ToolCallArguments>;

class AnswerReader {
public:
    // `format` from RenderedPrompt::answer_format. With no tools offered nothing is read as a tool call.
    // `id_seed` makes the call ids.
    AnswerReader(std::string_view format, bool tools_offered, bool starts_in_reasoning, std::string id_seed);
    ~AnswerReader();
    AnswerReader(AnswerReader&&) noexcept;
    AnswerReader& operator=(AnswerReader&&) noexcept;

    std::vector<AnswerPart> feed(std::string_view text);
    // What was held back; a tool call that never became valid JSON comes back as text.
    std::vector<AnswerPart> finish();
    std::size_t tool_calls() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::engine
