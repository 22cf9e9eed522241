// SPDX-License-Identifier: Apache-2.0
#include "api/service.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "admission.hpp"
#include "call.hpp"
#include "content.hpp"
#include "declassify.hpp"
#include "glance.hpp"
#include "hanse_decide.hpp"
#include "hanse_receipts.hpp"
#include "hanse_route.hpp"
#include "net/member_exchange.hpp"
#include "openai_chat_answer.hpp"
#include "openai_completions.hpp"
#include "openai_embeddings.hpp"
#include "openai_models.hpp"
#include "openai_responses.hpp"
#include "proxy.hpp"
#include "response_store.hpp"
#include "route/attempts.hpp"
#include "task/planner.hpp"

namespace hanse::api {

struct Service::State {
    explicit State(Parts given)
        : parts(std::move(given)),
          metrics(parts.clock.wall()),
          ids(parts.random),
          fingerprint("hanse-" + parts.options.version),
          access(parts.options.access_log, metrics.access_lines_dropped),
          responses({parts.options.responses_max, parts.options.responses_bytes_max, parts.options.responses_age_max}),
          around{parts.desk,   parts.clock,
                 parts.random, metrics,
                 ids,          parts.options,
                 fingerprint,  std::chrono::duration_cast<std::chrono::seconds>(parts.clock.wall().time_since_epoch()).count()} {
        if (parts.options.background) background = std::jthread([this](std::stop_token stop) { keep(stop); });
    }

    Parts parts;
    Metrics metrics;
    Ids ids;
    std::string fingerprint;
    AccessLog access;
    ResponseStore responses;
    Call::Around around;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::jthread background;

    boost::asio::awaitable<void> handle(net::Exchange& exchange);
    boost::asio::awaitable<void> dispatch(Call& call);
    boost::asio::awaitable<void> generate(Call& call);
    boost::asio::awaitable<std::optional<base::Error>> ask_one(Call& call, const Glance& seen, const std::string& name,
                                                               std::string_view body);
    boost::asio::awaitable<void> preflight(Call& call);
    void settle(Call& call);
    void keep(std::stop_token stop);
    void flush();
};

namespace {

// What must happen to every request, however it ended.
class Settling {
public:
    Settling(std::function<void(Call&)> settle, Call& call) : settle_(std::move(settle)), call_(call) {}
    ~Settling() { settle_(call_); }
    Settling(const Settling&) = delete;
    Settling& operator=(const Settling&) = delete;

private:
    std::function<void(Call&)> settle_;
    Call& call_;
};

// Whether the next candidate may be asked after this.
route::TryEnd end_of(const base::Error& error) {
    switch (error.kind) {
        case base::ErrorKind::cancelled:
        case base::ErrorKind::invalid:
        case base::ErrorKind::bug: return route::TryEnd::stopped;
        case base::ErrorKind::deadline: return route::TryEnd::out_of_time;
        default:
            return error.code == "journal_stopped" || error.code == "shutting_down" ? route::TryEnd::stopped : route::TryEnd::not_taken;
    }
}

bool is_open(Route route, const ServiceOptions& options) {
    return route == Route::health || route == Route::ready || (route == Route::metrics && options.open_metrics) ||
           (route == Route::journal && options.open_journal);
}

}  // namespace

boost::asio::awaitable<void> Service::State::handle(net::Exchange& exchange) {
    Call call(exchange, around);
    const auto& request = exchange.request();
    const auto reached = call.now();
    // What counts for a client began with its first byte.
    call.began = request.arrived == base::Instant{} ? reached : request.arrived;
    call.record.when = parts.clock.wall() - std::chrono::duration_cast<base::WallTime::duration>(reached - call.began);
    const auto found = find_route(request.method, request.path);
    call.route = found.route;
    call.path_id = found.id;
    call.task.id = ids.make("req_");
    if (parts.desk.tracing()) read_trace(call);
    if (reached != call.began) call.task.trace.open(task::Stop::net, call.began);
    call.task.trace.open(task::Stop::api_in, reached);
    const Settling settling([this](Call& ended) { settle(ended); }, call);

    if (request.method == net::Method::options && !parts.options.cors_origins.empty()) {
        co_await preflight(call);
        co_return;
    }
    if (found.route == Route::unknown) {
        co_await call.refuse({base::ErrorKind::not_found, "there is nothing at this address", "unknown_url"});
        co_return;
    }
    if (!found.method_allowed) {
        co_await call.refuse(
            {base::ErrorKind::invalid, std::string(name(found.route)) + " does not take this method", "method_not_allowed"});
        co_return;
    }
    if (!is_open(found.route, parts.options)) {
        auto known = read_caller(call, parts.keys);
        if (known) known = check_origin(call);
        if (!known) {
            co_await call.refuse(std::move(known.error()));
            co_return;
        }
    }
    // Open to everyone, and yet a key shows who asks.
    if (found.route == Route::metrics && !call.task.key) (void)read_caller(call, parts.keys);
    co_await dispatch(call);
}

boost::asio::awaitable<void> Service::State::dispatch(Call& call) {
    switch (call.route) {
        case Route::health: return serve_health(call);
        case Route::ready: return serve_ready(call);
        case Route::metrics: return serve_metrics(call, parts.journal);
        case Route::decide: return serve_decide(call);
        case Route::plan: return serve_route(call);
        case Route::declassifications: return serve_declassifications(call);
        case Route::receipt: return serve_receipt(call, parts.journal.log);
        case Route::journal: return serve_journal(call, parts.journal);
        case Route::models: return serve_models(call);
        case Route::model: return serve_model(call);
        case Route::response:
        case Route::response_items: return serve_stored_response(call, responses);
        default: return generate(call);
    }
}

// The endpoints that take a model to work.
boost::asio::awaitable<void> Service::State::generate(Call& call) {
    auto terms = parts.desk.begin(call.task);
    if (terms && call.task.evidence) {
        call.task.evidence->route = name(call.route);
        call.task.evidence->idempotency = idempotency_key(call);
        if (const auto* partner = dynamic_cast<const net::MemberExchange*>(&call.exchange)) {
            call.task.evidence->asked_by = partner->member();
            call.task.evidence->asked_as = partner->task_key();
        }
    }
    if (terms) terms = read_terms(call);
    if (terms) terms = read_label(call);
    if (terms && call.task.key) terms = call.task.key->take(call.began, call.record.when);
    if (!terms) {
        co_await call.refuse(std::move(terms.error()));
        co_return;
    }
    const auto whole = std::make_shared<const std::string>(std::move(call.exchange.request().body));
    const std::string& body = *whole;
    if (call.task.evidence) call.task.evidence->input = body;
    auto seen = glance(body);
    if (!seen) {
        co_await call.refuse(std::move(seen.error()));
        co_return;
    }
    call.task.stop = std::stop_source{};
    call.exchange.on_gone([stop = call.task.stop]() mutable { stop.request_stop(); });
    auto read = co_await read_content(call, whole);
    if (read) read = loosen_by_header(call, body);
    if (read) read = co_await parts.desk.record_declassified(call.task);
    if (!read) {
        call.exchange.on_gone({});
        co_await call.refuse(std::move(read.error()));
        co_return;
    }
    call.record.bytes_in = body.size();
    // One place by name, or several by plan: for a skill, and for a name that only partners have. Each but the last may
    // fail as long as nothing of an answer has left.
    std::vector<std::string> places{seen->model};
    if (task::is_planned(seen->model) || !parts.desk.find(seen->model)) {
        const auto said = co_await read_said(call, whole);
        if (!said) {
            call.exchange.on_gone({});
            co_await call.refuse(said.error());
            co_return;
        }
        const auto planned =
            task::plan_for(parts.desk, call.task, {.model = seen->model, .prompt_tokens = static_cast<std::uint32_t>(body.size() / 4)},
                           parts.clock.wall(), *said);
        if (planned.plan.empty()) {
            call.exchange.on_gone({});
            co_await call.refuse(planned.refusal(seen->model, call.task));
            co_return;
        }
        places.clear();
        for (const auto& each : planned.plan.order) places.push_back(planned.names[each.candidate]);
    }
    const label::Label entered = call.task.label;
    const std::string partition = call.task.partition;
    route::Attempts attempts(places.size());
    attempts.begin();
    while (attempts.next() == route::Attempts::Next::go) {
        const std::string& name = places[attempts.candidate()];
        call.task.label = entered;
        call.task.partition = partition;
        call.task.returns_as.reset();
        call.task.passage.reset();
        call.record.pseudonyms.clear();
        auto failed = co_await ask_one(call, *seen, name, body);
        if (!failed) co_return;
        attempts.ended(end_of(*failed), false);
        if (attempts.next() == route::Attempts::Next::go) continue;
        call.exchange.on_gone({});
        co_await call.refuse(std::move(*failed));
    }
}

// What the model of that name says; an error if nothing of an answer has left yet.
boost::asio::awaitable<std::optional<base::Error>> Service::State::ask_one(Call& call, const Glance& seen, const std::string& name,
                                                                           std::string_view body) {
    auto place = parts.desk.find(name);
    // A model that a key may not use looks as if it were not there.
    if (!place || (call.task.key && !call.task.key->may_use(name))) co_return task::no_such_model(name);
    call.task.model = name;
    call.record.model = name;
    call.model_metrics = &metrics.model(name);
    if (place->upstream) co_return co_await serve_forward(call, seen, std::move(*place), body);
    call.exchange.on_gone([stop = call.task.stop]() mutable { stop.request_stop(); });
    switch (call.route) {
        case Route::chat: co_await serve_chat(call, body); break;
        case Route::completions: co_await serve_completions(call, body); break;
        case Route::embeddings: co_await serve_embeddings(call, body); break;
        case Route::rerank: co_await serve_rerank(call, body); break;
        default: co_await serve_responses(call, responses, body); break;
    }
    call.exchange.on_gone({});
    co_return std::nullopt;
}

boost::asio::awaitable<void> Service::State::preflight(Call& call) {
    auto headers = call.common_headers({});
    if (headers.has("access-control-allow-origin")) {
        headers.add("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
        headers.add("access-control-allow-headers",
                    "authorization, content-type, hanse-declassification, hanse-deadline-ms, hanse-first-token-ms, hanse-label, "
                    "hanse-priority, idempotency-key, traceparent, "
                    "x-stainless-arch, x-stainless-lang, x-stainless-os, x-stainless-package-version, x-stainless-retry-count, "
                    "x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout");
        headers.add("access-control-max-age", "600");
    }
    call.record.status = 204;
    net::Response response{204, std::move(headers), {}};
    auto sent = co_await call.exchange.respond(std::move(response));
    if (!sent) call.saw_cancel();
}

void Service::State::settle(Call& call) {
    const auto ended = call.now();
    auto& record = call.record;
    record.method = call.exchange.request().method;
    record.route = call.route;
    record.took = std::chrono::duration_cast<std::chrono::microseconds>(ended - call.began);
    if (record.error == "cancelled" && (record.status == 0 || record.status == 200)) record.status = 499;
    if (record.status == 0) record.status = 500;  // something threw, and net says so
    if (call.task.key && record.prompt_tokens + record.completion_tokens > 0)
        call.task.key->charge(std::uint64_t{record.prompt_tokens} + record.completion_tokens, ended, parts.clock.wall());
    metrics.request(call.route, record.status, ended - call.began);
    call.write_down_abandoned();
    parts.desk.finish(call.task, record.status);
    if (!access.on()) return;
    record.peer = call.exchange.request().peer;
    record.request_id = std::move(call.task.id);
    access.add(std::move(record));
}

void Service::State::flush() {
    access.flush();
    if (auto saved = parts.keys.save_usage(); !saved)
        parts.log.warning("key_usage_not_saved", {{"reason", std::string_view(saved.error().message)}});
}

void Service::State::keep(std::stop_token stop) {
    using namespace std::chrono_literals;
    for (unsigned round = 1; !stop.stop_requested(); ++round) {
        {
            std::unique_lock lock(mutex);
            wake.wait_for(lock, stop, 250ms, [] { return false; });
        }
        access.flush();
        if (round % 8 != 0) continue;
        auto reloaded = parts.keys.reload_if_changed();
        if (!reloaded) parts.log.warning("keys_not_reloaded", {{"reason", std::string_view(reloaded.error().message)}});
        if (round % 40 == 0) flush();
    }
}

Service::Service(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}

Service::~Service() {
    if (state_->background.joinable()) {
        state_->background.request_stop();
        state_->background.join();
    }
    state_->flush();
}

net::Handler Service::handler() {
    return [state = state_.get()](net::Exchange& exchange) { return state->handle(exchange); };
}

std::function<net::Response(const base::Error&)> Service::on_error() {
    return [state = state_.get()](const base::Error& error) {
        auto response = error_response(error);
        state->metrics.request(Route::unknown, response.status, {});
        return response;
    };
}

void Service::flush() { state_->flush(); }
void Service::access_log(int descriptor) {
    state_->access.flush();
    state_->access.redirect(descriptor);
}

}  // namespace hanse::api
