// SPDX-License-Identifier: Apache-2.0
// The upstream against a real server on loopback that misbehaves on purpose.
#include "engine/upstream.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <format>
#include <gtest/gtest.h>

#include "net/server.hpp"

namespace hanse::engine {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Script = std::function<asio::awaitable<void>(net::Exchange&, int call)>;  // call counts from 1

class UpstreamTest : public testing::Test {
protected:
    void serve(Script script) {
        auto started = net::Server::start({{}, [this, script = std::move(script)](net::Exchange& exchange) -> asio::awaitable<void> {
                                               return script(exchange, ++calls);
                                           },
                                           [](const base::Error&) { return net::Response{400, {}, {}}; }, base::silent_log()});
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
    }
    std::shared_ptr<Upstream> open(UpstreamSpec spec = {}) {
        spec.name = "elsewhere";
        spec.url = std::format("http://127.0.0.1:{}/v1/", server->port());
        auto opened = Upstream::open({spec, clock, random, base::silent_log()});
        EXPECT_TRUE(opened);
        return *opened;
    }
    // Runs a coroutine on a context of its own. Idle connections may keep a context busy, so not run().
    template <typename T>
    static T run(asio::awaitable<T> work) {
        asio::io_context context;
        auto done = asio::co_spawn(context, std::move(work), asio::use_future);
        while (done.wait_for(0s) != std::future_status::ready) context.run_one();
        return done.get();
    }
    struct Got {
        unsigned status = 0;
        std::string body;
        bool broken = false;
    };
    static asio::awaitable<base::Result<Got>> ask(Upstream& upstream, net::Headers headers, base::Deadline deadline) {
        auto stream = co_await upstream.post("/chat/completions", std::move(headers), "{}", deadline);
        if (!stream) co_return std::unexpected(stream.error());
        Got got{(*stream)->status(), {}, false};
        while (true) {
            auto piece = co_await (*stream)->read();
            if (!piece) {
                got.broken = true;
                co_return got;
            }
            if (piece->empty()) co_return got;
            got.body += *piece;
        }
    }
    static base::Result<Got> post(Upstream& upstream, net::Headers headers = {}, base::Deadline deadline = {}) {
        return run(ask(upstream, std::move(headers), deadline));
    }

    base::ManualClock clock;
    base::SeededRandom random{1};
    std::atomic<int> calls{0};
    std::unique_ptr<net::Server> server;
};

asio::awaitable<void> answer(net::Exchange& exchange, unsigned status, std::string body = {}) {
    co_await exchange.respond({status, {}, std::move(body)});
}

TEST_F(UpstreamTest, passes_path_body_and_own_key_but_never_the_callers) {
    serve([](net::Exchange& exchange, int) -> asio::awaitable<void> {
        const auto& request = exchange.request();
        std::string seen = request.path + "|" + request.body + "|" + std::string(request.headers.get("authorization")) + "|" +
                           std::string(request.headers.get("x-api-key")) + "|" + std::string(request.headers.get("traceparent"));
        co_await answer(exchange, 200, std::move(seen));
    });
    const auto upstream = open({.api_key = "theirs"});
    net::Headers headers;
    headers.add("Authorization", "Bearer ours");
    headers.add("X-Api-Key", "ours");
    headers.add("Transfer-Encoding", "chunked");
    headers.add("traceparent", "t");
    const auto got = post(*upstream, std::move(headers));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "/v1/chat/completions|{}|Bearer theirs||t");
}

TEST_F(UpstreamTest, failures_of_the_server_are_retried_until_it_answers) {
    serve([](net::Exchange& exchange, int call) { return answer(exchange, call == 1 ? 500 : call == 2 ? 429 : 200, "well"); });
    const auto upstream = open();
    const auto got = post(*upstream);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(calls, 3);
    EXPECT_TRUE(upstream->healthy());
}

TEST_F(UpstreamTest, the_last_failure_comes_back_as_the_answer_it_is) {
    serve([](net::Exchange& exchange, int) { return answer(exchange, 503, "busy"); });
    const auto got = post(*open({.retries = 1}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 503);
    EXPECT_EQ(got->body, "busy");
    EXPECT_EQ(calls, 2);
}

TEST_F(UpstreamTest, a_mistake_of_the_caller_is_an_answer_and_not_retried) {
    serve([](net::Exchange& exchange, int) { return answer(exchange, 422, "no"); });
    const auto upstream = open({.failures_to_open = 1});
    const auto got = post(*upstream);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 422);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(upstream->healthy());
}

TEST_F(UpstreamTest, a_long_wait_that_the_server_asks_for_is_left_to_the_caller) {
    serve([](net::Exchange& exchange, int) -> asio::awaitable<void> {
        net::Response response{429, {}, {}};
        response.headers.add("Retry-After", "3600");
        co_await exchange.respond(std::move(response));
    });
    const auto got = post(*open());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 429);
    EXPECT_EQ(calls, 1);
}

TEST_F(UpstreamTest, repeated_failures_open_the_circuit_and_a_trial_closes_it) {
    std::atomic<bool> well{false};
    serve([&well](net::Exchange& exchange, int) { return answer(exchange, well ? 200 : 500); });
    const auto upstream = open({.retries = 0, .failures_to_open = 3, .open_for = 10s});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(post(*upstream)->status, 500);
    EXPECT_FALSE(upstream->healthy());
    const auto refused = post(*upstream);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::unavailable);
    EXPECT_EQ(refused.error().retry_after, 10s);
    EXPECT_EQ(calls, 3);

    clock.advance(10s);
    EXPECT_TRUE(upstream->healthy());
    EXPECT_EQ(post(*upstream)->status, 500);
    EXPECT_FALSE(post(*upstream));
    clock.advance(10s);
    well = true;
    EXPECT_EQ(post(*upstream)->status, 200);
    EXPECT_EQ(post(*upstream)->status, 200);
    EXPECT_EQ(calls, 6);
}

TEST_F(UpstreamTest, a_refused_connection_is_unavailable_and_counts_as_failure) {
    serve([](net::Exchange& exchange, int) { return answer(exchange, 200); });
    const auto upstream = open({.retries = 1, .failures_to_open = 2});
    server.reset();
    const auto got = post(*upstream);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, base::ErrorKind::unavailable);
    EXPECT_FALSE(upstream->healthy());
}

TEST_F(UpstreamTest, a_connection_that_breaks_before_the_answer_is_retried) {
    serve([](net::Exchange& exchange, int call) -> asio::awaitable<void> {
        if (call == 1) {
            exchange.abort();
            co_return;
        }
        co_await answer(exchange, 200, "second");
    });
    const auto got = post(*open());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "second");
}

TEST_F(UpstreamTest, a_stream_that_breaks_in_the_middle_is_never_begun_anew) {
    serve([](net::Exchange& exchange, int) -> asio::awaitable<void> {
        co_await exchange.begin(200, {});
        co_await exchange.write("half");
        exchange.abort();
    });
    const auto got = post(*open());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "half");
    EXPECT_TRUE(got->broken);
    EXPECT_EQ(calls, 1);
}

// Ends when the client has gone away, so that the server can be taken down.
asio::awaitable<void> hang(net::Exchange& exchange) {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    exchange.on_gone([&timer] { timer.cancel(); });
    boost::system::error_code ignored;
    try {
        co_await timer.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
    }
}

TEST_F(UpstreamTest, a_server_that_hangs_is_given_up_and_not_asked_twice) {
    serve([](net::Exchange& exchange, int) { return hang(exchange); });
    const auto upstream = open({.head_timeout = 1ms, .failures_to_open = 1});
    const auto got = post(*upstream);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, base::ErrorKind::deadline);
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(upstream->healthy());
}

TEST_F(UpstreamTest, a_probe_sees_failure_and_recovery) {
    std::atomic<bool> well{false};
    std::string path;
    serve([&](net::Exchange& exchange, int) {
        path = exchange.request().path;
        return answer(exchange, well ? 404 : 500);
    });
    const auto upstream = open();
    const auto probe = [](Upstream& probed) -> asio::awaitable<bool> {
        co_await probed.probe();
        co_return probed.healthy();
    };
    EXPECT_FALSE(run(probe(*upstream)));
    EXPECT_EQ(path, "/v1/models");
    well = true;
    EXPECT_TRUE(run(probe(*upstream)));
}

TEST_F(UpstreamTest, an_address_that_is_none_is_refused_with_the_name) {
    const auto opened = Upstream::open({{.name = "far", .url = "ftp://x"}, clock, random, base::silent_log()});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, base::ErrorKind::invalid);
    EXPECT_TRUE(opened.error().message.contains("far"));
}

}  // namespace
}  // namespace hanse::engine
