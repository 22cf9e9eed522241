// SPDX-License-Identifier: Apache-2.0
#include "engine/answer_reader.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/random.hpp"

namespace hanse::engine {
namespace {

// All parts as one line: t(text) r(reasoning) c0(name) a0(arguments), neighbours joined.
std::string told(const std::vector<std::string>& pieces, const std::string& format, bool tools = true, bool in_reasoning = false) {
    AnswerReader reader(format, tools, in_reasoning, "seed");
    std::string out;
    std::string open;  // the kind of part written last
    const auto add = [&](const std::string& kind, const std::string& text, bool joins) {
        if (joins && open == kind) out.pop_back();
        else out += kind + "(";
        out += text + ")";
        open = kind;
    };
    const auto tell = [&](const std::vector<AnswerPart>& parts) {
        for (const auto& part : parts) {
            if (const auto* p = std::get_if<AnswerText>(&part)) add("t", p->text, true);
            if (const auto* p = std::get_if<AnswerReasoning>(&part)) add("r", p->text, true);
            if (const auto* p = std::get_if<ToolCallBegin>(&part)) add("c" + std::to_string(p->index), p->name, false);
            if (const auto* p = std::get_if<ToolCallArguments>(&part)) add("a" + std::to_string(p->index), p->text, true);
        }
    };
    for (const auto& piece : pieces) tell(reader.feed(piece));
    tell(reader.finish());
    return out;
}

struct Case { std::string where, format, answer, parts; bool tools, in_reasoning; };

std::vector<Case> table() {
    std::ifstream file("src/engine/cases/answer_reader.case");
    EXPECT_TRUE(file) << "run in the repository's root";
    std::vector<Case> out;
    std::string format;
    std::string answer;
    int number = 0;
    std::string line;
    while (std::getline(file, line)) {
        ++number;
        for (std::size_t at = 0; (at = line.find("⏎", at)) != std::string::npos;) line.replace(at, std::string_view("⏎").size(), "\n");
        if (line.starts_with("format ")) format = line.substr(7);
        if (line.starts_with("answer ")) answer = line.substr(7);
        if (!line.starts_with("parts ")) continue;
        const bool no_tools = format.ends_with(" without-tools");
        const bool in_reasoning = format.ends_with(" in-reasoning");
        out.push_back({"answer_reader.case:" + std::to_string(number), format, answer, line.substr(6), !no_tools, in_reasoning});
    }
    return out;
}

TEST(AnswerReader, reads_what_the_table_says) {
    const auto cases = table();
    EXPECT_GT(cases.size(), 40U);
    for (const auto& c : cases) EXPECT_EQ(told({c.answer}, c.format, c.tools, c.in_reasoning), c.parts) << c.where;
}

TEST(AnswerReader, reads_the_same_however_the_text_is_cut) {
    base::SeededRandom random(1);
    for (const auto& c : table()) {
        std::vector<std::string> bytes;
        for (const char byte : c.answer) bytes.emplace_back(1, byte);
        EXPECT_EQ(told(bytes, c.format, c.tools, c.in_reasoning), c.parts) << c.where << ", byte by byte";
        for (int round = 0; round < 20; ++round) {
            std::vector<std::string> pieces;
            for (std::size_t at = 0; at < c.answer.size();) {
                const auto size = 1 + random.next() % 12;
                pieces.push_back(c.answer.substr(at, size));
                at += size;
            }
            EXPECT_EQ(told(pieces, c.format, c.tools, c.in_reasoning), c.parts) << c.where;
        }
    }
}

TEST(AnswerReader, passes_arguments_on_as_they_come) {
    AnswerReader reader("hermes", true, false, "seed");
    EXPECT_TRUE(reader.feed("<tool_call>\n{\"name\": \"f\", \"argu").empty());
    const auto begun = reader.feed("ments\": {\"a\": \"b");
    ASSERT_EQ(begun.size(), 2U);
    EXPECT_EQ(std::get<ToolCallBegin>(begun[0]).name, "f");
    EXPECT_TRUE(std::get<ToolCallBegin>(begun[0]).id.starts_with("call_"));
    EXPECT_EQ(std::get<ToolCallArguments>(begun[1]).text, "{\"a\": \"b");
    const auto more = reader.feed("c");
    ASSERT_EQ(more.size(), 1U);
    EXPECT_EQ(std::get<ToolCallArguments>(more[0]).text, "c");
    EXPECT_EQ(reader.tool_calls(), 1U);
}

TEST(AnswerReader, holds_no_more_back_than_a_marker_may_need) {
    AnswerReader reader("hermes think", true, false, "seed");
    EXPECT_EQ(reader.feed("a <tool_").size(), 1U);
    const auto rest = reader.feed("x");
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(std::get<AnswerText>(rest[0]).text, "<tool_x");
}

TEST(AnswerReader, gives_calls_ids_of_their_own) {
    AnswerReader reader("mistral", true, false, "seed");
    const auto parts = reader.feed(R"([TOOL_CALLS] [{"name":"f","arguments":{}},{"name":"g","arguments":{}}])");
    ASSERT_EQ(parts.size(), 4U);
    const auto& first = std::get<ToolCallBegin>(parts[0]).id;
    const auto& second = std::get<ToolCallBegin>(parts[2]).id;
    EXPECT_EQ(first.size(), 9U);
    EXPECT_NE(first, second);
}

TEST(AnswerReader, works_in_time_linear_in_the_answer) {
    // Half a million bytes that keep looking like markers; quadratic work would take minutes.
    std::string text;
    while (text.size() < 500'000) text += "<tool_cal<think<";
    AnswerReader reader("hermes think", true, false, "seed");
    std::size_t size = 0;
    for (const auto& part : reader.feed(text)) size += std::get<AnswerText>(part).text.size();
    for (const auto& part : reader.finish()) size += std::get<AnswerText>(part).text.size();
    EXPECT_EQ(size, text.size());
}

}  // namespace
}  // namespace hanse::engine
