// SPDX-License-Identifier: Apache-2.0
#include "openai_chat_answer.hpp"

#include "json_write.hpp"

namespace hanse::api {
namespace {

// One choice of a whole answer, collected.
struct Collected {
    std::string text = {};
    std::string reasoning = {};
    std::vector<engine::ToolCall> calls = {};
    std::string logprobs = {};
    engine::FinishReason finish = engine::FinishReason::stop;

    void add(std::vector<engine::AnswerPart> parts) {
        for (auto& part : parts) {
            if (auto* piece = std::get_if<engine::AnswerText>(&part))
                text += piece->text;
            else if (auto* thought = std::get_if<engine::AnswerReasoning>(&part))
                reasoning += thought->text;
            else if (auto* begin = std::get_if<engine::ToolCallBegin>(&part))
                calls.push_back({std::move(begin->id), std::move(begin->name), {}});
            else if (auto* arguments = std::get_if<engine::ToolCallArguments>(&part); arguments && arguments->index < calls.size())
                calls[arguments->index].arguments += arguments->text;
        }
    }
};

void append_choice(std::string& out, std::size_t index, const Collected& choice, bool logprobs) {
    out += R"({"index":)";
    append_number(out, index);
    out += R"(,"message":{"role":"assistant","content":)";
    if (choice.text.empty() && !choice.calls.empty())
        out += "null";
    else
        append_quoted(out, choice.text);
    if (!choice.reasoning.empty()) {
        out += R"(,"reasoning_content":)";
        append_quoted(out, choice.reasoning);
    }
    out += R"(,"refusal":null)";
    if (!choice.calls.empty()) {
        out += R"(,"tool_calls":[)";
        for (std::size_t i = 0; i < choice.calls.size(); ++i) {
            out += i == 0 ? R"({"id":)" : R"(,{"id":)";
            append_quoted(out, choice.calls[i].id);
            out += R"(,"type":"function","function":{"name":)";
            append_quoted(out, choice.calls[i].name);
            out += R"(,"arguments":)";
            append_quoted(out, choice.calls[i].arguments);
            out += "}}";
        }
        out += ']';
    }
    out += R"(},"logprobs":)";
    if (logprobs)
        out += R"({"content":[)" + choice.logprobs + R"(],"refusal":null})";
    else
        out += "null";
    out += R"(,"finish_reason":")";
    out += choice.calls.empty() ? finish_word(choice.finish) : "tool_calls";
    out += "\"}";
}

}  // namespace

std::vector<engine::AnswerReader> answer_readers(Call& call, bool tools_offered, const task::Answer& answer) {
    std::vector<engine::AnswerReader> readers;
    readers.reserve(answer.choices());
    for (std::uint32_t choice = 0; choice < answer.choices(); ++choice)
        readers.emplace_back(answer.answer_format(), tools_offered, answer.starts_in_reasoning(), call.around.ids.make(""));
    return readers;
}

boost::asio::awaitable<void> collect_chat(Call& call, const ChatAsk& ask, Generation& generation) {
    auto readers = answer_readers(call, ask.tools_offered, generation.answer());
    std::vector<Collected> choices(readers.size());
    while (true) {
        auto items = co_await generation.next();
        if (!items) {
            co_await call.refuse(items.error());
            co_return;
        }
        if (items->empty()) break;
        for (auto& item : *items) {
            auto& choice = choices[item.choice];
            if (auto* text = std::get_if<engine::TextEvent>(&item.event)) {
                auto parts = readers[item.choice].feed(text->text);
                call.texts[item.choice].add(parts);
                choice.add(std::move(parts));
                if (ask.logprobs && !text->logprobs.empty()) {
                    if (!choice.logprobs.empty()) choice.logprobs += ',';
                    append_chat_logprobs(choice.logprobs, text->logprobs);
                }
            } else {
                auto rest = readers[item.choice].finish();
                call.texts[item.choice].add(rest);
                choice.add(std::move(rest));
                choice.finish = std::get<engine::FinishEvent>(item.event).reason;
            }
        }
    }
    std::string out = R"({"id":")" + call.around.ids.make("chatcmpl-") + R"(","object":"chat.completion","created":)";
    append_number(out, call.unix_time());
    out += R"(,"model":)";
    append_quoted(out, ask.model);
    out += R"(,"choices":[)";
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i != 0) out += ',';
        append_choice(out, i, choices[i], ask.logprobs);
    }
    out += R"(],"usage":)";
    append_usage(out, generation.usage());
    out += R"(,"system_fingerprint":)";
    append_quoted(out, call.around.fingerprint);
    out += '}';
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> serve_chat(Call& call, std::string_view body) {
    auto ask = read_chat(body);
    if (!ask) {
        co_await call.refuse(std::move(ask.error()));
        co_return;
    }
    const auto choices = ask->generate.choices;
    auto answer = co_await call.around.desk.generate(call.task, {std::move(ask->generate), call.task.label});
    if (!answer) {
        co_await call.refuse(std::move(answer.error()));
        co_return;
    }
    Generation generation(call, std::move(*answer), choices);
    if (ask->stream)
        co_await stream_chat(call, *ask, generation);
    else
        co_await collect_chat(call, *ask, generation);
}

}  // namespace hanse::api
