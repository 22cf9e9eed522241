// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hanse::engine {

// How a family of models writes what is not plain text. Its word form travels as RenderedPrompt::answer_format,
// "hermes think" for example; an unknown word is plain text.
enum class CallSyntax : std::uint8_t {
    none,
    hermes,   // <tool_call>{"name": …, "arguments": {…}}</tool_call>, also a list within
    llama,    // {"name": …, "parameters": {…}} as the whole answer, or behind <|python_tag|>
    mistral,  // [TOOL_CALLS] [{"name": …, "arguments": {…}}], newer: [TOOL_CALLS]name[ARGS]{…}
    apertus,  // <|tools_prefix|>[{"name": {…}}]<|tools_suffix|>
};
enum class ReasoningSyntax : std::uint8_t {
    none,
    think,          // <think>…</think>
    inner,          // <|inner_prefix|>…<|inner_suffix|>
    mistral_think,  // [THINK]…[/THINK]
};

struct AnswerFormat {
    CallSyntax calls = CallSyntax::none;
    ReasoningSyntax reasoning = ReasoningSyntax::none;

    static AnswerFormat parse(std::string_view words);
    std::string words() const;

    std::string_view call_open() const;
    std::string_view call_close() const;
    std::string_view reasoning_open() const;
    std::string_view reasoning_close() const;
};

}  // namespace hanse::engine
