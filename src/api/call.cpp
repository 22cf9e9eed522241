// SPDX-License-Identifier: Apache-2.0
#include "call.hpp"

#include <algorithm>

#include "json_write.hpp"

namespace hanse::api {

std::int64_t Call::unix_time() const {
    return std::chrono::duration_cast<std::chrono::seconds>(around.clock.wall().time_since_epoch()).count();
}

net::Headers Call::common_headers(std::string_view content_type) const {
    net::Headers headers;
    if (!content_type.empty()) headers.add("content-type", content_type);
    if (!task.id.empty()) headers.add("x-request-id", task.id);
    if (task.passage) headers.add("hanse-label", task.passage->answer_text);
    else if (!label_shown.empty()) headers.add("hanse-label", label_shown);
    // Named before it is written; who asks too early, or for a task that left nothing, does not find it.
    if (task.evidence && (task.passage || task.evidence->recorded)) headers.add("hanse-receipt", journal::text_of(task.evidence->id));
    if (!record.pseudonyms.empty()) headers.add("hanse-pseudonyms", record.pseudonyms);
    const auto& origins = around.options.cors_origins;
    if (origins.empty()) return headers;
    const auto origin = exchange.request().headers.get("origin");
    if (origin.empty()) return headers;
    const bool every = std::ranges::contains(origins, "*");
    if (every || std::ranges::contains(origins, origin)) {
        headers.add("access-control-allow-origin", every ? "*" : origin);
        headers.add("access-control-expose-headers", "x-request-id, hanse-label, hanse-pseudonyms, hanse-receipt, retry-after, retry-after-ms");
        if (!every) headers.add("vary", "origin");
    }
    return headers;
}

void Call::append_label(std::string& out) const {
    if (!task.passage) return;
    out += R"(,"hanse_label":)";
    append_quoted(out, task.passage->answer_text);
}

void Call::gather() {
    auto& evidence = *task.evidence;
    evidence.prompt_tokens = record.prompt_tokens;
    evidence.cached_tokens = record.cached_tokens;
    evidence.completion_tokens = record.completion_tokens;
    if (passing) evidence.digested.push_back(passing->finish());
    passing.reset();
    if (!texts.empty()) evidence.output_form = "text";
    for (const ChoiceText& text : texts) evidence.outputs.push_back(text.text());
    texts.clear();
}

boost::asio::awaitable<base::Result<void>> Call::write_down(std::string outcome) {
    if (unrecorded()) gather();
    auto written = co_await around.desk.record(task, outcome);
    co_return written;
}

void Call::write_down_abandoned() {
    if (!unrecorded()) return;
    gather();
    around.desk.record_abandoned(task, record.error.empty() ? "cancelled" : record.error);
}

boost::asio::awaitable<void> Call::answer(unsigned status, std::string json) {
    // What has no texts of its own is witnessed by its body, which the recorder reads where it is.
    const bool body = unrecorded() && texts.empty();
    if (body) task.evidence->outputs.push_back(std::move(json));
    auto written = co_await write_down();
    if (body) json = std::move(task.evidence->outputs.front());
    if (!written) {
        co_await refuse(std::move(written.error()));
        co_return;
    }
    record.status = status;
    record.bytes_out = json.size();
    net::Response response{status, common_headers("application/json"), std::move(json)};
    auto sent = co_await exchange.respond(std::move(response));
    if (!sent) saw_cancel();
}

boost::asio::awaitable<void> Call::refuse(base::Error error) {
    // Before a refusal by label is seen it is on record, and so is what went wrong with a task that had begun.
    const bool denied = error.code == "label_denied" || (task.evidence && task.evidence->passage && !task.passage);
    const bool known = task.evidence && task.evidence->recorded;
    base::Result<void> written;
    if (denied) written = co_await around.desk.record_denial(task, error);
    else if (!known) written = co_await write_down(error.code.empty() ? std::string(base::name(error.kind)) : error.code);
    if (!written) {
        error = std::move(written.error());
        task.evidence.reset();  // no receipt is promised
    }
    // To a stranger a refusal looks like "not found", which has no receipt.
    if (denied && error.code != "label_denied") task.evidence.reset();
    if (error.kind == base::ErrorKind::cancelled) saw_cancel();
    auto response = error_response(error);
    auto headers = common_headers({});
    for (const auto& [name, value] : headers) response.headers.add(name, value);
    if (response.status == 405) response.headers.add("allow", allowed(route));
    record.status = response.status;
    record.error = error.code.empty() ? std::string(base::name(error.kind)) : std::move(error.code);
    record.bytes_out = response.body.size();
    if (exchange.client_gone()) co_return;
    auto sent = co_await exchange.respond(std::move(response));
    if (!sent) saw_cancel();
}

boost::asio::awaitable<bool> Call::begin_events() {
    record.status = 200;
    record.stream = true;
    auto headers = common_headers("text/event-stream; charset=utf-8");
    headers.add("cache-control", "no-cache");
    headers.add("x-accel-buffering", "no");  // nginx and its kin must not hold tokens back
    auto begun = co_await exchange.begin(200, std::move(headers));
    if (!begun) saw_cancel();
    co_return begun.has_value();
}

boost::asio::awaitable<bool> Call::write(std::string_view bytes) {
    record.bytes_out += bytes.size();
    auto written = co_await exchange.write(bytes);
    if (!written) saw_cancel();
    co_return written.has_value();
}

boost::asio::awaitable<void> Call::end() {
    auto ended = co_await exchange.end();
    if (!ended) saw_cancel();
}

void Call::saw_tokens() {
    const auto instant = now();
    if (!last_tokens_) {
        record.first_token = std::chrono::duration_cast<std::chrono::microseconds>(instant - began);
        if (model_metrics) model_metrics->first_token.observe(instant - began);
    } else if (model_metrics) {
        model_metrics->gap.observe(instant - *last_tokens_);
    }
    last_tokens_ = instant;
}

void Call::saw_usage(const engine::Usage& usage) { count_tokens(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens); }

void Call::count_tokens(std::uint32_t prompt, std::uint32_t cached, std::uint32_t completion) {
    record.prompt_tokens += prompt;
    record.cached_tokens += cached;
    record.completion_tokens += completion;
    if (!model_metrics) return;
    model_metrics->prompt_tokens.fetch_add(prompt, std::memory_order_relaxed);
    model_metrics->cached_tokens.fetch_add(cached, std::memory_order_relaxed);
    model_metrics->completion_tokens.fetch_add(completion, std::memory_order_relaxed);
}

void Call::saw_cancel() {
    if (record.error == "cancelled") return;
    record.error = "cancelled";
    if (model_metrics) model_metrics->cancelled.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace hanse::api
