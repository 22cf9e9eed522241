// SPDX-License-Identifier: Apache-2.0
#include "task/otlp.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <format>
#include <iterator>
#include <mutex>

#include "base/encoding.hpp"

namespace hanse::task {
namespace {

constexpr std::chrono::seconds send_limit{10};

// Names, routes and versions are our own words: none needs more than this.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out;
}

// The id of a stop's span: that of the request's span with the stop's number mixed in.
std::string child_id(const SpanId& parent, std::size_t number) {
    SpanId id = parent;
    id[0] ^= static_cast<std::byte>(0x80U | (number + 1));
    id[7] ^= static_cast<std::byte>(number + 1);
    return base::hex(id);
}

std::int64_t nanoseconds(base::WallTime wall) { return std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()).count(); }

void append_span(std::string& out, const Trace& trace) {
    // Spans are timed by the monotonic clock and placed on the wall's by the request's beginning.
    const auto wall = [&](base::Instant instant) {
        return nanoseconds(trace.began_wall) + std::chrono::duration_cast<std::chrono::nanoseconds>(instant - trace.began).count();
    };
    const auto trace_id = base::hex(trace.self.trace);
    const auto parent = trace.parent ? std::format(R"("parentSpanId":"{}",)", base::hex(*trace.parent)) : std::string();
    std::format_to(std::back_inserter(out),
                   R"({{"traceId":"{}","spanId":"{}",{}"name":"{}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{}",)"
                   R"("attributes":[{{"key":"http.route","value":{{"stringValue":"{}"}}}},)"
                   R"({{"key":"http.response.status_code","value":{{"intValue":"{}"}}}}],"status":{{"code":{}}}}})",
                   trace_id, base::hex(trace.self.span), parent, escaped(trace.route), wall(trace.began), wall(trace.ended), escaped(trace.route),
                   trace.status, trace.status >= 500 ? 2 : 0);
    std::size_t number = 0;
    for (const auto& span : trace.spans()) {
        std::format_to(std::back_inserter(out),
                       R"(,{{"traceId":"{}","spanId":"{}","parentSpanId":"{}","name":"{}","kind":1,"startTimeUnixNano":"{}","endTimeUnixNano":"{}"}})",
                       trace_id, child_id(trace.self.span, number), base::hex(trace.self.span), name(span.stop), wall(span.begin),
                       wall(span.begin + span.duration));
        ++number;
    }
}

}  // namespace

std::string otlp_json(const OtlpOptions& options, const std::vector<Trace>& traces) {
    std::string out = std::format(R"({{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{}"}}}},)"
                                  R"({{"key":"service.version","value":{{"stringValue":"{}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"hanse"}},"spans":[)",
                                  escaped(options.service_name), escaped(options.service_version));
    bool first = true;
    for (const auto& trace : traces) {
        if (!first) out += ',';
        first = false;
        append_span(out, trace);
    }
    return out + "]}]}]}";
}

struct OtlpExporter::State {
    State(OtlpOptions given, base::Clock& given_clock, base::Log& given_log) : options(std::move(given)), clock(given_clock), log(given_log) {}

    OtlpOptions options;
    base::Clock& clock;
    base::Log& log;
    std::shared_ptr<net::Client> client;
    std::string target;
    std::mutex mutex;
    std::vector<Trace> waiting;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> sent{0};
    bool failing = false;  // said once, not with each batch

    std::vector<Trace> take() {
        const std::lock_guard lock(mutex);
        const auto count = std::min(waiting.size(), options.batch_max);
        std::vector<Trace> batch(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
        return batch;
    }
    boost::asio::awaitable<base::Result<void>> send(std::string body) {
        net::ClientRequest request{.method = net::Method::post, .target = target, .headers = {}, .body = body};
        request.headers.add("content-type", "application/json");
        auto stream = co_await client->send(std::move(request), base::Deadline::after(clock.now(), send_limit));
        if (!stream) co_return std::unexpected(stream.error());
        const unsigned status = (*stream)->status();
        auto rest = co_await (*stream)->read_all(64 * 1024);
        if (!rest) co_return std::unexpected(rest.error());
        if (status / 100 != 2) co_return base::fail(base::ErrorKind::unavailable, "the trace collector answered " + std::to_string(status));
        co_return base::Result<void>();
    }
};

base::Result<std::shared_ptr<OtlpExporter>> OtlpExporter::open(OtlpOptions options, base::Clock& clock, base::Log& log) {
    auto url = net::Url::parse(options.endpoint);
    if (!url) return std::unexpected(url.error());
    auto state = std::make_unique<State>(std::move(options), clock, log);
    // As OTEL_EXPORTER_OTLP_ENDPOINT: an address without a path is a collector's base.
    if (url->path == "/") url->path = "/v1/traces";
    state->target = url->path + (url->query.empty() ? "" : "?" + url->query);
    net::ClientOptions client_options;
    client_options.ca_file = state->options.ca_file;
    client_options.head_timeout = send_limit;
    auto client = net::Client::open(*url, client_options);
    if (!client) return std::unexpected(client.error());
    state->client = std::move(*client);
    return std::shared_ptr<OtlpExporter>(new OtlpExporter(std::move(state)));
}

OtlpExporter::OtlpExporter(std::unique_ptr<State> state) : state_(std::move(state)) {}
OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::accept(const Trace& trace) {
    if (!trace.self.sampled) return;
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= state_->options.queue_max) {
        state_->dropped.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    state_->waiting.push_back(trace);
}

boost::asio::awaitable<void> OtlpExporter::run() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (true) {
        // What waits at the end still goes out.
        const bool last = state_->stopping.load();
        for (auto batch = state_->take(); !batch.empty(); batch = state_->take()) {
            auto result = co_await state_->send(otlp_json(state_->options, batch));
            (result ? state_->sent : state_->dropped).fetch_add(batch.size(), std::memory_order_relaxed);
            if (!result && !state_->failing)
                state_->log.warning("traces_not_sent", {{"reason", std::string_view(result.error().message)}});
            state_->failing = !result;
        }
        if (last) co_return;
        // Short sleeps, so that stop() needs no thread of ours.
        for (auto slept = std::chrono::milliseconds{0}; slept < state_->options.interval && !state_->stopping.load(); slept += std::chrono::milliseconds{100}) {
            timer.expires_after(std::chrono::milliseconds{100});
            boost::system::error_code ended;
            co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
            if (ended) co_return;
        }
    }
}

void OtlpExporter::stop() { state_->stopping.store(true); }
std::uint64_t OtlpExporter::dropped() const { return state_->dropped.load(); }
std::uint64_t OtlpExporter::sent() const { return state_->sent.load(); }

}  // namespace hanse::task
