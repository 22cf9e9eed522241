// SPDX-License-Identifier: Apache-2.0
#include "engine/upstream.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <format>
#include <mutex>
#include <optional>

#include "circuit.hpp"

namespace hanse::engine {
namespace {

namespace asio = boost::asio;
using Stream = std::unique_ptr<net::ClientStream>;

// What belongs to the caller's connection (RFC 9110 section 7.6.1), to our client, or is the caller's secret:
// its key for us is nothing that the upstream may see.
constexpr std::string_view kept_back[] = {"connection", "keep-alive",     "proxy-connection", "transfer-encoding", "te",     "trailer", "upgrade",
                                          "expect",     "content-length", "host",             "authorization",     "cookie", "x-api-key"};

// A server that asks for more patience than this is left to the caller, with its answer.
constexpr std::chrono::milliseconds patience{5'000};

std::optional<std::chrono::milliseconds> retry_after(const net::Headers& headers) {
    const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > 86'400'000) return std::nullopt;
        return value;
    };
    if (const auto exact = number(headers.get("retry-after-ms"))) return std::chrono::milliseconds(*exact);
    if (const auto seconds = number(headers.get("retry-after"))) return std::chrono::seconds(*seconds);
    return std::nullopt;
}

class HttpUpstream final : public Upstream {
public:
    HttpUpstream(Parts parts, std::string base_path, std::shared_ptr<net::Client> client)
        : spec_(std::move(parts.spec)), clock_(parts.clock), random_(parts.random), log_(parts.log), base_path_(std::move(base_path)),
          client_(std::move(client)), circuit_(spec_.failures_to_open, spec_.open_for) {}

    const UpstreamSpec& spec() const override { return spec_; }
    // A server whose trial is due counts as well: somebody must be sent there.
    bool healthy() const override {
        if (!probed_well_) return false;
        const std::lock_guard lock(mutex_);
        return circuit_.would_try(clock_.now());
    }

    asio::awaitable<base::Result<Stream>> post(std::string path, net::Headers headers, std::string_view body, base::Deadline deadline) override {
        const auto executor = co_await asio::this_coro::executor;
        const std::string target = base_path_ + path;
        const net::Headers outward = with_key(headers);
        for (unsigned attempt = 0;; ++attempt) {
            if (const auto wait = leave_to_try()) co_return std::unexpected(closed_for(*wait));
            Leave leave(*this);
            auto answer = co_await client_->send({net::Method::post, target, outward, body}, deadline);
            const unsigned status = answer ? (*answer)->status() : 0;
            const bool too_late = !answer && answer.error().kind == base::ErrorKind::deadline;
            // A deadline of the caller's own says nothing about the server.
            if (!(too_late && deadline.passed(clock_.now()))) {
                leave.over();
                note(outcome_of(status) == AttemptOutcome::answer || status == 429);
            }
            if (outcome_of(status) == AttemptOutcome::answer || too_late || attempt >= spec_.retries) {
                if (!answer) co_return base::fail(answer.error().kind, std::format("the model server {}: {}", spec_.name, answer.error().message), answer.error().code);
                co_return answer;
            }
            auto pause = pause_before(attempt, random_.next());
            if (answer) pause = std::max(pause, retry_after((*answer)->headers()).value_or(pause));
            if (pause > patience || deadline.left(clock_.now()) < pause) {
                if (answer) co_return answer;
                co_return std::unexpected(answer.error());
            }
            answer = {};  // closes that connection
            asio::steady_timer timer(executor, pause);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    asio::awaitable<void> probe() override {
        const auto limit = base::Deadline::after(clock_.now(), spec_.connect_timeout);
        auto answer = co_await client_->send({net::Method::get, base_path_ + "/models", with_key({}), {}}, limit);
        bool sound = answer && (*answer)->status() < 500;
        if (sound) {
            const auto rest = co_await (*answer)->read_all(4U << 20);
            sound = rest.has_value();
        }
        if (sound != probed_well_.exchange(sound))
            log_.info(sound ? "upstream_healthy" : "upstream_unhealthy", {{"upstream", std::string_view(spec_.name)}});
        if (!sound) co_return;
        const std::lock_guard lock(mutex_);
        circuit_.seen_well();
    }

private:
    // A trial that nobody finished (the caller's coroutine was destroyed) must not block the next.
    class Leave {
    public:
        explicit Leave(HttpUpstream& upstream) : upstream_(&upstream) {}
        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        ~Leave() {
            if (upstream_ == nullptr) return;
            const std::lock_guard lock(upstream_->mutex_);
            upstream_->circuit_.abandoned();
        }
        void over() { upstream_ = nullptr; }

    private:
        HttpUpstream* upstream_;
    };

    std::optional<std::chrono::milliseconds> leave_to_try() {
        const std::lock_guard lock(mutex_);
        const base::Instant now = clock_.now();
        if (circuit_.may_try(now)) return std::nullopt;
        return circuit_.wait_left(now);
    }

    void note(bool worked) {
        bool opened = false;
        {
            const std::lock_guard lock(mutex_);
            const bool before = circuit_.closed();
            if (worked) circuit_.succeeded();
            else circuit_.failed(clock_.now());
            opened = before && !circuit_.closed();
        }
        if (worked) probed_well_ = true;
        if (opened) log_.warning("upstream_circuit_opened", {{"upstream", std::string_view(spec_.name)}});
    }

    base::Error closed_for(std::chrono::milliseconds wait) const {
        return {base::ErrorKind::unavailable, std::format("the model server {} has failed repeatedly and is left alone for a while", spec_.name),
                "upstream_unavailable", {}, std::max(wait, std::chrono::milliseconds(1000))};
    }

    net::Headers with_key(const net::Headers& headers) const {
        net::Headers out;
        for (const auto& [name, value] : headers)
            if (std::ranges::none_of(kept_back, [&](std::string_view word) { return net::same_name(name, word); })) out.add(name, value);
        if (!spec_.api_key.empty()) out.add("Authorization", "Bearer " + spec_.api_key);
        return out;
    }

    UpstreamSpec spec_;
    base::Clock& clock_;
    base::Random& random_;
    base::Log& log_;
    std::string base_path_;
    std::shared_ptr<net::Client> client_;
    mutable std::mutex mutex_;  // circuit_
    Circuit circuit_;
    std::atomic<bool> probed_well_{true};
};

}  // namespace

base::Result<std::shared_ptr<Upstream>> Upstream::open(Parts parts) {
    auto url = net::Url::parse(parts.spec.url);
    if (!url) return base::fail(base::ErrorKind::invalid, std::format("the model server {}: {}", parts.spec.name, url.error().message));
    std::string path = url->path;
    while (path.ends_with('/')) path.pop_back();
    net::ClientOptions options;
    options.connect_timeout = parts.spec.connect_timeout;
    options.head_timeout = parts.spec.head_timeout;
    options.idle_timeout = parts.spec.idle_timeout;
    options.ca_file = parts.spec.ca_file;
    auto client = net::Client::open(*url, options);
    if (!client) return std::unexpected(client.error());
    return std::make_shared<HttpUpstream>(std::move(parts), std::move(path), std::move(*client));
}

}  // namespace hanse::engine
