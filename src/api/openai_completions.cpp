// SPDX-License-Identifier: Apache-2.0
#include "openai_completions.hpp"

#include <format>
#include <limits>

#include "generation.hpp"
#include "json_write.hpp"
#include "openai_sampling.hpp"
#include "sse.hpp"

namespace hanse::api {
namespace {

constexpr std::size_t prompts_max = 128;
constexpr std::uint32_t max_tokens_default = 16;  // as OpenAI's API has it

struct CompletionAsk {
    std::string model;
    bool stream = false;
    bool include_usage = false;
    bool echo = false;
    bool logprobs = false;
    task::GenerateAsk generate = {};
};

std::optional<std::vector<engine::TokenId>> read_ids(const JsonValue& array) {
    std::vector<engine::TokenId> ids;
    ids.reserve(array.size());
    for (auto item = array.first(); item; item = item->next()) {
        const auto id = item->is(JsonKind::number) ? item->integer() : std::nullopt;
        if (!id || *id < 0 || *id > std::numeric_limits<engine::TokenId>::max()) return std::nullopt;
        ids.push_back(static_cast<engine::TokenId>(*id));
    }
    return ids;
}

void read_prompts(Fields& body, std::vector<task::Prompt>& prompts) {
    const auto path = body.at("prompt");
    const auto wrong = [&] {
        body.complaint().say(path, "is required and must be a string, an array of strings, of token ids, or of arrays of token ids", "invalid_type");
    };
    const auto value = body.any("prompt");
    if (!value) return wrong();
    if (value->is(JsonKind::string)) {
        prompts.emplace_back(value->string());
        return;
    }
    const auto first = value->is(JsonKind::array) ? value->first() : std::nullopt;
    if (!first) return wrong();
    if (first->is(JsonKind::number)) {
        auto ids = read_ids(*value);
        if (!ids) return wrong();
        prompts.emplace_back(std::move(*ids));
        return;
    }
    if (value->size() > prompts_max) return body.complaint().say(path, std::format("has more than {} entries", prompts_max));
    for (auto item = value->first(); item; item = item->next()) {
        if (item->kind() != first->kind()) return wrong();
        if (item->is(JsonKind::string)) {
            prompts.emplace_back(item->string());
            continue;
        }
        auto ids = item->is(JsonKind::array) ? read_ids(*item) : std::nullopt;
        if (!ids) return wrong();
        prompts.emplace_back(std::move(*ids));
    }
}

base::Result<CompletionAsk> read_completion(std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    CompletionAsk ask;
    auto& request = ask.generate.request;
    ask.model = body.required_string("model");
    read_prompts(body, ask.generate.prompts);
    ask.stream = body.boolean("stream").value_or(false);
    const auto options_path = body.at("stream_options");
    if (const auto value = body.of_kind("stream_options", JsonKind::object)) {
        Fields options(*value, options_path, complaint);
        ask.include_usage = options.boolean("include_usage").value_or(false);
    }
    read_sampling(body, request);
    read_stop(body, request);
    request.max_tokens = max_tokens_default;
    read_max_tokens(body, request, {"max_tokens"});
    ask.generate.choices = static_cast<std::uint32_t>(body.integer("n", 1, choices_max).value_or(1));
    const auto best_of = body.integer("best_of", 1, choices_max);
    if (best_of && *best_of != ask.generate.choices) complaint.say(body.at("best_of"), "must be equal to n", "unsupported_value");
    if (const auto logprobs = body.integer("logprobs", 0, 20)) {
        ask.logprobs = true;
        request.sampling.top_logprobs = static_cast<std::uint32_t>(*logprobs);
    }
    ask.echo = body.boolean("echo").value_or(false);
    if (ask.echo && ask.logprobs) complaint.say(body.at("echo"), "cannot be used together with logprobs", "unsupported_value");
    if (body.any("suffix")) complaint.say(body.at("suffix"), "is not supported", "unsupported_value");
    const auto format_path = body.at("response_format");
    if (const auto format = body.of_kind("response_format", JsonKind::object)) {
        Fields fields(*format, format_path, complaint);
        read_format(fields, request);
    }
    if (ask.generate.prompts.size() * ask.generate.choices > prompts_max)
        complaint.say(body.at("n"), std::format("times the number of prompts is more than {}", prompts_max));
    if (complaint.any()) return std::unexpected(complaint.error());
    return ask;
}

// The older form of log probabilities, four lists side by side.
struct LegacyLogprobs {
    std::string tokens = {};
    std::string values = {};
    std::string top = {};
    std::string offsets = {};
    std::size_t offset = 0;

    void add(const std::vector<engine::TokenLogprobs>& given) {
        for (const auto& token : given) {
            if (!tokens.empty()) {
                for (auto* list : {&tokens, &values, &top, &offsets}) *list += ',';
            }
            append_quoted(tokens, token.chosen.bytes);
            append_number(values, token.chosen.logprob);
            append_number(offsets, offset);
            offset += token.chosen.bytes.size();
            top += '{';
            for (std::size_t i = 0; i < token.top.size(); ++i) {
                if (i != 0) top += ',';
                append_quoted(top, token.top[i].bytes);
                top += ':';
                append_number(top, token.top[i].logprob);
            }
            top += '}';
        }
    }
    void write(std::string& out) {
        out += R"({"tokens":[)" + tokens + R"(],"token_logprobs":[)" + values + R"(],"top_logprobs":[)" + top + R"(],"text_offset":[)" + offsets + "]}";
        for (auto* list : {&tokens, &values, &top, &offsets}) list->clear();
    }
};

std::string head_of(Call& call, const CompletionAsk& ask) {
    std::string head = R"({"id":")" + call.around.ids.make("cmpl-") + R"(","object":"text_completion","created":)";
    append_number(head, call.unix_time());
    head += R"(,"model":)";
    append_quoted(head, ask.model);
    head += R"(,"system_fingerprint":)";
    append_quoted(head, call.around.fingerprint);
    head += R"(,"choices":[)";
    return head;
}

void append_choice(std::string& out, std::uint32_t index, std::string_view text, LegacyLogprobs* logprobs, std::string_view finish) {
    out += R"({"index":)";
    append_number(out, index);
    out += R"(,"text":)";
    append_quoted(out, text);
    out += R"(,"logprobs":)";
    if (logprobs != nullptr)
        logprobs->write(out);
    else
        out += "null";
    out += R"(,"finish_reason":)";
    if (finish.empty())
        out += "null";
    else
        append_quoted(out, finish);
    out += '}';
}

boost::asio::awaitable<void> collect(Call& call, const CompletionAsk& ask, Generation& generation) {
    struct Collected {
        std::string text = {};
        LegacyLogprobs logprobs = {};
        std::string_view finish = {};
    };
    std::vector<Collected> choices(generation.answer().choices());
    if (ask.echo)
        for (std::uint32_t i = 0; i < choices.size(); ++i) {
            choices[i].text = generation.echo(i / ask.generate.choices);
            call.texts[i].add(choices[i].text);
        }
    while (true) {
        auto items = co_await generation.next();
        if (!items) {
            co_await call.refuse(std::move(items.error()));
            co_return;
        }
        if (items->empty()) break;
        for (const auto& item : *items) {
            auto& choice = choices[item.choice];
            if (const auto* text = std::get_if<engine::TextEvent>(&item.event)) {
                choice.text += text->text;
                call.texts[item.choice].add(text->text);
                choice.logprobs.add(text->logprobs);
            } else {
                choice.finish = finish_word(std::get<engine::FinishEvent>(item.event).reason);
            }
        }
    }
    std::string out = head_of(call, ask);
    for (std::uint32_t i = 0; i < choices.size(); ++i) {
        if (i != 0) out += ',';
        append_choice(out, i, choices[i].text, ask.logprobs ? &choices[i].logprobs : nullptr, choices[i].finish);
    }
    out += R"(],"usage":)";
    append_usage(out, generation.usage());
    out += '}';
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> stream(Call& call, const CompletionAsk& ask, Generation& generation) {
    auto items = co_await generation.next();
    if (!items) {
        co_await call.refuse(std::move(items.error()));
        co_return;
    }
    const std::string head = "data: " + head_of(call, ask);
    const std::string_view tail = ask.include_usage ? "],\"usage\":null}\n\n" : "]}\n\n";
    std::vector<LegacyLogprobs> logprobs(generation.answer().choices());
    const OpenStream counted(call.around.metrics);
    const bool begun = co_await call.begin_events();
    if (!begun) co_return;
    std::string out;
    const auto chunk = [&](std::uint32_t choice, std::string_view text, bool with_logprobs, std::string_view finish) {
        out += head;
        call.texts[choice].add(text);
        append_choice(out, choice, text, with_logprobs ? &logprobs[choice] : nullptr, finish);
        out += tail;
    };
    if (ask.echo)
        for (std::uint32_t i = 0; i < generation.answer().choices(); ++i)
            chunk(i, generation.echo(i / ask.generate.choices), false, {});
    while (items && !items->empty()) {
        for (const auto& item : *items) {
            if (const auto* text = std::get_if<engine::TextEvent>(&item.event)) {
                logprobs[item.choice].add(text->logprobs);
                chunk(item.choice, text->text, ask.logprobs, {});
            } else {
                chunk(item.choice, "", false, finish_word(std::get<engine::FinishEvent>(item.event).reason));
            }
        }
        const bool over = generation.answer().ended();
        base::Result<void> recorded;
        if (over) recorded = co_await call.write_down();
        if (!recorded) {
            co_await break_events(call, std::move(recorded.error()));
            co_return;
        }
        if (over && ask.include_usage) {
            out += head;
            out += R"(],"usage":)";
            append_usage(out, generation.usage());
            call.append_label(out);
            out += "}\n\n";
        }
        if (over) out += sse_done;
        const bool written = co_await call.write(out);
        if (!written) co_return;
        if (over) break;
        out.clear();
        items = co_await generation.next();
    }
    if (!items)
        co_await break_events(call, std::move(items.error()));
    else
        co_await call.end();
}

}  // namespace

boost::asio::awaitable<void> serve_completions(Call& call, std::string_view body) {
    auto ask = read_completion(body);
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
    ask->generate.choices = choices;
    Generation generation(call, std::move(*answer), choices);
    if (ask->stream)
        co_await stream(call, *ask, generation);
    else
        co_await collect(call, *ask, generation);
}

}  // namespace hanse::api
