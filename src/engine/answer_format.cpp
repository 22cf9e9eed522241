// SPDX-License-Identifier: Apache-2.0
#include "answer_format.hpp"

#include <array>

namespace hanse::engine {
namespace {

struct Calls { std::string_view word, open, close; };
constexpr std::array<Calls, 5> calls_table{{{"plain", "", ""},
                                            {"hermes", "<tool_call>", "</tool_call>"},
                                            {"llama", "<|python_tag|>", ""},
                                            {"mistral", "[TOOL_CALLS]", ""},
                                            {"apertus", "<|tools_prefix|>", "<|tools_suffix|>"}}};
constexpr std::array<Calls, 4> reasoning_table{{{"", "", ""},
                                                {"think", "<think>", "</think>"},
                                                {"inner", "<|inner_prefix|>", "<|inner_suffix|>"},
                                                {"mistral-think", "[THINK]", "[/THINK]"}}};

const Calls& row(CallSyntax syntax) { return calls_table[static_cast<std::size_t>(syntax)]; }
const Calls& row(ReasoningSyntax syntax) { return reasoning_table[static_cast<std::size_t>(syntax)]; }

}  // namespace

AnswerFormat AnswerFormat::parse(std::string_view words) {
    AnswerFormat format;
    while (!words.empty()) {
        const auto space = words.find(' ');
        const auto word = words.substr(0, space);
        for (std::size_t i = 1; i < calls_table.size(); ++i)
            if (word == calls_table[i].word) format.calls = static_cast<CallSyntax>(i);
        for (std::size_t i = 1; i < reasoning_table.size(); ++i)
            if (word == reasoning_table[i].word) format.reasoning = static_cast<ReasoningSyntax>(i);
        words = space == std::string_view::npos ? std::string_view{} : words.substr(space + 1);
    }
    return format;
}

std::string AnswerFormat::words() const {
    std::string out(row(calls).word);
    if (reasoning != ReasoningSyntax::none) (out += ' ') += row(reasoning).word;
    return out;
}

std::string_view AnswerFormat::call_open() const { return row(calls).open; }
std::string_view AnswerFormat::call_close() const { return row(calls).close; }
std::string_view AnswerFormat::reasoning_open() const { return row(reasoning).open; }
std::string_view AnswerFormat::reasoning_close() const { return row(reasoning).close; }

}  // namespace hanse::engine
