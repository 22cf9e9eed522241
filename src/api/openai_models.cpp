// SPDX-License-Identifier: Apache-2.0
#include "openai_models.hpp"

#include <algorithm>

#include "json_write.hpp"

namespace hanse::api {
namespace {

void append_model(std::string& out, const task::ModelStatus& model, std::int64_t created) {
    out += R"({"id":)";
    append_quoted(out, model.name);
    out += R"(,"object":"model","created":)";
    append_number(out, created);
    out += R"(,"owned_by":)";
    append_quoted(out, model.upstream.empty() ? "hanse" : std::string_view(model.upstream));
    out += R"(,"loaded":)";
    append_bool(out, model.loaded);
    if (model.facts) {
        out += R"(,"context_length":)";
        append_number(out, model.facts->context);
        out += R"(,"parameters":)";
        append_number(out, model.facts->parameters);
    }
    out += '}';
}

bool may_see(const Call& call, const task::ModelStatus& model) { return !call.task.key || call.task.key->may_use(model.name); }

}  // namespace

boost::asio::awaitable<void> serve_models(Call& call) {
    std::string out = R"({"object":"list","data":[)";
    bool first = true;
    for (const auto& model : call.around.desk.models()) {
        if (!may_see(call, model)) continue;
        if (!first) out += ',';
        first = false;
        append_model(out, model, call.around.started);
    }
    out += "]}";
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> serve_model(Call& call) {
    const auto models = call.around.desk.models();
    const auto found = std::ranges::find(models, call.path_id, &task::ModelStatus::name);
    if (found == models.end() || !may_see(call, *found)) {
        co_await call.refuse(task::no_such_model(call.path_id));
        co_return;
    }
    std::string out;
    append_model(out, *found, call.around.started);
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> serve_health(Call& call) {
    std::string out = R"({"status":"ok","version":)";
    append_quoted(out, call.around.options.version);
    out += '}';
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> serve_ready(Call& call) {
    if (call.around.desk.draining()) {
        co_await call.refuse({base::ErrorKind::unavailable, "this node is shutting down", "shutting_down"});
        co_return;
    }
    const auto models = call.around.desk.models();
    // Models of this node are loaded on demand; a node that only passes on needs one upstream that answers.
    const bool ready = std::ranges::any_of(models, &task::ModelStatus::healthy);
    if (!ready) {
        co_await call.refuse(
            {base::ErrorKind::unavailable, models.empty() ? "no model is configured" : "no upstream answers", "not_ready"});
        co_return;
    }
    co_await call.answer(200, R"({"status":"ready"})");
}

boost::asio::awaitable<void> serve_metrics(Call& call, const Service::Parts::JournalFolder& journal) {
    net::Response response{200, call.common_headers("text/plain; version=0.0.4; charset=utf-8"), {}};
    // On a node that asks for keys, whoever comes without one is a stranger, and a key with a place of its own a guest.
    const bool house = call.task.key ? call.task.key->facts().place.empty() : !call.around.options.require_keys;
    call.around.metrics.write(response.body, call.around.desk, call.around.options.version,
                              house ? Metrics::For::house : Metrics::For::everyone);
    if (house && journal.figures) write_figures(response.body, journal.figures());
    call.record.status = 200;
    call.record.bytes_out = response.body.size();
    auto sent = co_await call.exchange.respond(std::move(response));
    if (!sent) call.saw_cancel();
}

}  // namespace hanse::api
