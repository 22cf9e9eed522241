// SPDX-License-Identifier: Apache-2.0
#include "openai_responses.hpp"

#include <algorithm>

#include "admission.hpp"
#include "generation.hpp"
#include "json_write.hpp"
#include "openai_chat_answer.hpp"
#include "response_writer.hpp"
#include "sse.hpp"

namespace hanse::api {
namespace {

std::string_view owner_of(const Call& call) { return call.task.key ? std::string_view(call.task.key->facts().id) : std::string_view(); }

void append_response_usage(std::string& out, const UsageSum& usage) {
    out += R"({"input_tokens":)";
    append_number(out, usage.prompt_tokens());
    out += R"(,"input_tokens_details":{"cached_tokens":)";
    append_number(out, usage.cached_tokens());
    // Whatever is computed of a prompt stays in the cache for those who share its partition.
    out += R"(,"cache_write_tokens":)";
    append_number(out, usage.prompt_tokens() - std::min(usage.prompt_tokens(), usage.cached_tokens()));
    out += R"(},"output_tokens":)";
    append_number(out, usage.completion_tokens());
    out += R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)";
    append_number(out, usage.prompt_tokens() + usage.completion_tokens());
    out += '}';
}

// The response object in its states; what never changes is put together once.
class ResponseObject {
public:
    ResponseObject(Call& call, const ResponseAsk& ask) : call_(call), ask_(ask), id_(call.around.ids.make("resp_")) {
        head_ = R"({"id":)" + api::quoted(id_) + R"(,"object":"response","created_at":)" + std::to_string(call.unix_time()) + R"(,"model":)" +
                api::quoted(ask.model) + ask.echoed;
    }
    const std::string& id() const { return id_; }
    std::string begun() const {
        return head_ + R"(,"status":"in_progress","error":null,"incomplete_details":null,"output":[],"usage":null})";
    }
    std::string ended(const ResponseWriter& writer, const UsageSum& usage, engine::FinishReason reason) const {
        const bool whole = reason == engine::FinishReason::stop;
        std::string out = head_;
        out += whole ? R"(,"status":"completed","error":null,"incomplete_details":null)"
                     : R"(,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"})";
        out += R"(,"output":)" + writer.output_json() + R"(,"usage":)";
        append_response_usage(out, usage);
        call_.append_label(out);
        return out + "}";
    }
    std::string failed(const base::Error& error) const {
        return head_ + R"(,"status":"failed","error":{"code":"server_error","message":)" + api::quoted(error.message) +
               R"(},"incomplete_details":null,"output":[],"usage":null})";
    }

private:
    const Call& call_;
    const ResponseAsk& ask_;
    std::string id_;
    std::string head_;
};

// What both forms of an answer go through: events in, output items out.
struct Progress {
    Generation& generation;
    engine::AnswerReader reader;
    ResponseWriter writer;
    ChoiceText& given;
    bool logprobs = false;
    engine::FinishReason reason = engine::FinishReason::stop;

    void add(std::string& out, const task::Answer::Item& item) {
        if (const auto* text = std::get_if<engine::TextEvent>(&item.event)) {
            std::string about;
            if (logprobs) append_chat_logprobs(about, text->logprobs);
            const auto parts = reader.feed(text->text);
            given.add(parts);
            writer.add(out, parts, about);
        } else {
            reason = std::get<engine::FinishEvent>(item.event).reason;
            const auto rest = reader.finish();
            given.add(rest);
            writer.add(out, rest, {});
            writer.finish(out);
        }
    }
};

// Words that the policy in force no longer knows make it top.
label::Label label_of(const Call& call, const StoredResponse& stored) {
    return call.task.rules->policy().label(stored.label).value_or(label::Label::top());
}

void remember(Call& call, ResponseStore& store, ResponseAsk& ask, const ResponseObject& object, const ResponseWriter& writer,
              const std::string& json) {
    // What an owner wants kept by nobody is not kept here either; and what was declassified was so for this answer, not for
    // those to come that would read it again.
    if (!ask.store || !call.task.passage->outlives_request || !call.task.declassified.empty()) return;
    auto messages = std::move(ask.messages);
    messages.push_back(writer.message());
    store.put(owner_of(call), {object.id(), json, std::move(ask.input_items), std::move(messages), call.task.passage->answer_text,
                                 call.task.evidence ? journal::text_of(call.task.evidence->id) : std::string()},
              call.now());
}

boost::asio::awaitable<void> collect(Call& call, ResponseStore& store, ResponseAsk& ask, Progress& progress) {
    const ResponseObject object(call, ask);
    std::string unused;
    while (true) {
        auto items = co_await progress.generation.next();
        if (!items) {
            co_await call.refuse(std::move(items.error()));
            co_return;
        }
        if (items->empty()) break;
        for (const auto& item : *items) progress.add(unused, item);
    }
    auto json = object.ended(progress.writer, progress.generation.usage(), progress.reason);
    auto recorded = co_await call.write_down();
    if (!recorded) {
        co_await call.refuse(std::move(recorded.error()));
        co_return;
    }
    remember(call, store, ask, object, progress.writer, json);
    co_await call.answer(200, std::move(json));
}

boost::asio::awaitable<void> stream(Call& call, ResponseStore& store, ResponseAsk& ask, Progress& progress) {
    auto items = co_await progress.generation.next();
    if (!items) {
        co_await call.refuse(std::move(items.error()));
        co_return;
    }
    const ResponseObject object(call, ask);
    const OpenStream counted(call.around.metrics);
    const bool begun = co_await call.begin_events();
    if (!begun) co_return;
    auto& writer = progress.writer;
    std::string out;
    writer.event(out, "response.created", ",\"response\":" + object.begun());
    writer.event(out, "response.in_progress", ",\"response\":" + object.begun());
    while (items && !items->empty()) {
        for (const auto& item : *items) progress.add(out, item);
        const bool over = progress.generation.answer().ended();
        if (over) {
            auto recorded = co_await call.write_down();
            if (!recorded) {
                co_await break_events(call, std::move(recorded.error()));
                co_return;
            }
            const auto json = object.ended(writer, progress.generation.usage(), progress.reason);
            // Kept before it is told, so that the client's next request finds it.
            remember(call, store, ask, object, writer, json);
            const bool whole = progress.reason == engine::FinishReason::stop;
            writer.event(out, whole ? "response.completed" : "response.incomplete", ",\"response\":" + json);
        }
        const bool written = co_await call.write(out);
        if (!written) co_return;
        if (over) break;
        out.clear();
        items = co_await progress.generation.next();
    }
    if (items) {
        co_await call.end();
        co_return;
    }
    if (items.error().kind != base::ErrorKind::cancelled) {
        out.clear();
        writer.event(out, "response.failed", ",\"response\":" + object.failed(items.error()));
        co_await call.write(out);
    }
    co_await break_events(call, std::move(items.error()));
}

// Decided anew at each reading: the policy may have changed since.
base::Result<void> may_see_again(Call& call, const StoredResponse& stored) {
    if (auto begun = call.around.desk.begin(call.task); !begun) return begun;  // a denial goes on record
    if (auto entered = read_label(call); !entered) return entered;
    auto visible = may_see(call, label_of(call, stored));
    if (visible) call.label_shown = stored.label;
    return visible;
}

}  // namespace

boost::asio::awaitable<void> serve_responses(Call& call, ResponseStore& store, std::string_view body) {
    auto ask = read_response(body);
    if (!ask) {
        co_await call.refuse(std::move(ask.error()));
        co_return;
    }
    if (!ask->previous_id.empty()) {
        const auto previous = store.get(owner_of(call), ask->previous_id, call.now());
        if (!previous) {
            co_await call.refuse({base::ErrorKind::not_found, "there is no response " + ask->previous_id + " (any more)",
                                  "previous_response_not_found", "previous_response_id"});
            co_return;
        }
        call.task.label = label::join(call.task.label, label_of(call, *previous));
        if (call.task.evidence && !previous->receipt.empty()) call.task.evidence->parents.push_back(previous->receipt);
        ask->messages.insert(ask->messages.begin(), previous->messages.begin(), previous->messages.end());
    }
    // Instructions hold for this turn alone and come first.
    if (!ask->instructions.empty()) ask->conversation.messages.push_back({.role = engine::Role::system, .text = ask->instructions});
    auto& messages = ask->conversation.messages;
    messages.insert(messages.end(), ask->messages.begin(), ask->messages.end());
    ask->generate.prompts.emplace_back(std::move(ask->conversation));
    auto answer = co_await call.around.desk.generate(call.task, {std::move(ask->generate), call.task.label});
    if (!answer) {
        co_await call.refuse(std::move(answer.error()));
        co_return;
    }
    Generation generation(call, std::move(*answer), 1);
    Progress progress{generation, std::move(answer_readers(call, ask->tools_offered, generation.answer()).front()),
                      ResponseWriter(call.around.ids, ask->stream ? ResponseWriter::Events::yes : ResponseWriter::Events::no),
                      call.texts.front(), ask->logprobs};
    if (ask->stream) co_await stream(call, store, *ask, progress);
    else co_await collect(call, store, *ask, progress);
}

boost::asio::awaitable<void> serve_stored_response(Call& call, ResponseStore& store) {
    const auto owner = owner_of(call);
    const auto found = store.get(owner, call.path_id, call.now());
    if (!found) {
        co_await call.refuse(
            {base::ErrorKind::not_found, "there is no response " + std::string(call.path_id) + " (any more)", "response_not_found", "id"});
        co_return;
    }
    if (auto seen = may_see_again(call, *found); !seen) {
        co_await call.refuse(std::move(seen.error()));
        co_return;
    }
    if (call.exchange.request().method == net::Method::delete_) {
        store.remove(owner, call.path_id);
        co_await call.answer(200, R"({"id":)" + api::quoted(found->id) + R"(,"object":"response","deleted":true})");
        co_return;
    }
    if (call.route == Route::response_items) {
        co_await call.answer(200, R"({"object":"list","data":)" + found->input_items + R"(,"has_more":false})");
        co_return;
    }
    co_await call.answer(200, found->json);
}

}  // namespace hanse::api
