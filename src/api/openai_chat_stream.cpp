// SPDX-License-Identifier: Apache-2.0
#include "json_write.hpp"
#include "openai_chat_answer.hpp"
#include "sse.hpp"

namespace hanse::api {
namespace {

// Writes chat.completion.chunk events. What all chunks of a request share is put together once.
class Chunks {
public:
    Chunks(Call& call, const ChatAsk& ask) {
        head_ = R"(data: {"id":")" + call.around.ids.make("chatcmpl-") + R"(","object":"chat.completion.chunk","created":)";
        append_number(head_, call.unix_time());
        head_ += R"(,"model":)";
        append_quoted(head_, ask.model);
        head_ += R"(,"system_fingerprint":)";
        append_quoted(head_, call.around.fingerprint);
        head_ += R"(,"choices":[)";
        tail_ = ask.include_usage ? "],\"usage\":null}\n\n" : "]}\n\n";
    }

    void role(std::string& out, std::uint32_t choice) const {
        open(out, choice);
        out += R"("role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null})";
        out += tail_;
    }
    void text(std::string& out, std::uint32_t choice, std::string_view field, std::string_view piece, std::string_view logprobs) const {
        open(out, choice);
        out += '"';
        out += field;
        out += R"(":")";
        append_escaped(out, piece);
        out += R"("},"logprobs":)";
        out += logprobs.empty() ? "null" : logprobs;
        out += R"(,"finish_reason":null})";
        out += tail_;
    }
    void call_begin(std::string& out, std::uint32_t choice, const engine::ToolCallBegin& begin) const {
        open(out, choice);
        out += R"("tool_calls":[{"index":)";
        append_number(out, begin.index);
        out += R"(,"id":)";
        append_quoted(out, begin.id);
        out += R"(,"type":"function","function":{"name":)";
        append_quoted(out, begin.name);
        out += R"(,"arguments":""}}]},"logprobs":null,"finish_reason":null})";
        out += tail_;
    }
    void call_arguments(std::string& out, std::uint32_t choice, const engine::ToolCallArguments& piece) const {
        open(out, choice);
        out += R"("tool_calls":[{"index":)";
        append_number(out, piece.index);
        out += R"(,"function":{"arguments":")";
        append_escaped(out, piece.text);
        out += R"("}}]},"logprobs":null,"finish_reason":null})";
        out += tail_;
    }
    void finish(std::string& out, std::uint32_t choice, std::string_view reason) const {
        open(out, choice);
        out += R"(},"logprobs":null,"finish_reason":")";
        out += reason;
        out += "\"}";
        out += tail_;
    }
    void usage(std::string& out, const Call& call, const UsageSum& sum) const {
        out += head_;
        out += R"(],"usage":)";
        append_usage(out, sum);
        call.append_label(out);
        out += "}\n\n";
    }

private:
    void open(std::string& out, std::uint32_t choice) const {
        out += head_;
        out += R"({"index":)";
        append_number(out, choice);
        out += R"(,"delta":{)";
    }
    std::string head_;
    std::string_view tail_;
};

// Turns one choice's events into chunks.
class ChoiceStream {
public:
    ChoiceStream(const Chunks& chunks, std::uint32_t choice, engine::AnswerReader reader, ChoiceText& given)
        : chunks_(chunks), choice_(choice), reader_(std::move(reader)), given_(given) {}

    void add(std::string& out, const engine::TextEvent& event, bool logprobs) {
        begin(out);
        std::string about;
        if (logprobs && !event.logprobs.empty()) {
            about = R"({"content":[)";
            append_chat_logprobs(about, event.logprobs);
            about += R"(],"refusal":null})";
        }
        write(out, reader_.feed(event.text), about);
        // The reader may hold text back; the probabilities of its tokens are not.
        if (!about.empty()) chunks_.text(out, choice_, "content", "", about);
    }
    void end(std::string& out, engine::FinishReason reason) {
        begin(out);
        std::string none;
        write(out, reader_.finish(), none);
        chunks_.finish(out, choice_, reader_.tool_calls() > 0 ? "tool_calls" : finish_word(reason));
    }

private:
    void begin(std::string& out) {
        if (!begun_) chunks_.role(out, choice_);
        begun_ = true;
    }
    // `about` goes out with the first text, once.
    void write(std::string& out, const std::vector<engine::AnswerPart>& parts, std::string& about) {
        given_.add(parts);
        for (const auto& part : parts) {
            if (const auto* text = std::get_if<engine::AnswerText>(&part)) {
                chunks_.text(out, choice_, "content", text->text, about);
                about.clear();
            } else if (const auto* thought = std::get_if<engine::AnswerReasoning>(&part)) {
                chunks_.text(out, choice_, "reasoning_content", thought->text, about);
                about.clear();
            } else if (const auto* call = std::get_if<engine::ToolCallBegin>(&part)) {
                chunks_.call_begin(out, choice_, *call);
            } else {
                chunks_.call_arguments(out, choice_, std::get<engine::ToolCallArguments>(part));
            }
        }
    }

    const Chunks& chunks_;
    std::uint32_t choice_;
    engine::AnswerReader reader_;
    ChoiceText& given_;
    bool begun_ = false;
};

}  // namespace

boost::asio::awaitable<void> stream_chat(Call& call, const ChatAsk& ask, Generation& generation) {
    // An error before the first token is still an answer of its own, with a status that says so.
    auto items = co_await generation.next();
    if (!items) {
        co_await call.refuse(items.error());
        co_return;
    }
    const Chunks chunks(call, ask);
    std::vector<ChoiceStream> choices;
    auto readers = answer_readers(call, ask.tools_offered, generation.answer());
    for (std::uint32_t choice = 0; choice < readers.size(); ++choice) choices.emplace_back(chunks, choice, std::move(readers[choice]), call.texts[choice]);
    const OpenStream counted(call.around.metrics);
    const bool begun = co_await call.begin_events();
    if (!begun) co_return;
    std::string out;
    while (items && !items->empty()) {
        out.clear();
        for (const auto& item : *items) {
            if (const auto* text = std::get_if<engine::TextEvent>(&item.event))
                choices[item.choice].add(out, *text, ask.logprobs);
            else
                choices[item.choice].end(out, std::get<engine::FinishEvent>(item.event).reason);
        }
        if (generation.answer().ended()) {
            // The end is seen when it is on record.
            auto recorded = co_await call.write_down();
            if (!recorded) {
                co_await break_events(call, std::move(recorded.error()));
                co_return;
            }
            if (ask.include_usage) chunks.usage(out, call, generation.usage());
            out += sse_done;
        }
        const bool written = co_await call.write(out);
        if (!written) co_return;
        if (generation.answer().ended()) break;
        items = co_await generation.next();
    }
    if (!items) co_await break_events(call, items.error());
    else co_await call.end();
}

}  // namespace hanse::api
