// SPDX-License-Identifier: Apache-2.0
// Server and client against each other and against raw sockets, on ports of the system's choice.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <filesystem>
#include <format>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

#include "base/encoding.hpp"
#include "crypto/certificate.hpp"
#include "net/client.hpp"
#include "net/server.hpp"

namespace hanse::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Answer = asio::awaitable<void>;

// A flag that another thread waits for, with a limit so that a failure ends the test.
class Event {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

std::unique_ptr<Server> serve(Handler handler, ListenOptions options = {}) {
    auto server = Server::start({std::move(options), std::move(handler),
                                 [](const base::Error& error) { return Response{error.kind == base::ErrorKind::too_large ? 413U : 400U, {}, error.message}; },
                                 base::silent_log()});
    EXPECT_TRUE(server) << (server ? "" : server.error().message);
    return server ? std::move(*server) : nullptr;
}

Answer echo(Exchange& exchange) {
    Response response;
    response.headers.add("Content-Type", "text/plain");
    response.body = std::format("{} {} {} {}", name(exchange.request().method), exchange.request().path, exchange.request().query, exchange.request().body);
    co_await exchange.respond(std::move(response));
}

Answer stream_numbers(Exchange& exchange) {
    co_await exchange.begin(200, {});
    for (int i = 0; i < 100; ++i) co_await exchange.write(std::format("{};", i));
    co_await exchange.end();
}

// Sends bytes as they are and returns all that comes until the server closes.
std::string raw(std::uint16_t port, std::string_view bytes) {
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), port});
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string all;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
}

struct Got {
    unsigned status = 0;
    std::string body;
    std::size_t pieces = 0;
};

base::Result<Got> ask(Client& client, Method method, std::string target, std::string body = {}) {
    asio::io_context context;
    auto done = asio::co_spawn(context, [](Client& c, Method m, std::string t, std::string b) -> asio::awaitable<base::Result<Got>> {
        auto stream = co_await c.send({m, std::move(t), {}, b}, {});
        if (!stream) co_return std::unexpected(stream.error());
        Got got{(*stream)->status(), {}, 0};
        while (true) {
            auto piece = co_await (*stream)->read();
            if (!piece) co_return std::unexpected(piece.error());
            if (piece->empty()) co_return got;
            got.body += *piece;
            ++got.pieces;
        }
    }(client, method, std::move(target), std::move(body)), asio::use_future);
    // Not run(): the watchdog keeps a context with idle connections busy.
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.run_one();
    return done.get();
}

std::shared_ptr<Client> client_for(const Server& server) {
    auto url = Url::parse(std::format("http://127.0.0.1:{}", server.port()));
    return *Client::open(*url, {});
}

TEST(Loopback, carries_method_path_query_and_body) {
    const auto server = serve(echo);
    const auto client = client_for(*server);
    const auto got = ask(*client, Method::post, "/a%20b?x=1", std::string(100'000, 'z'));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200u);
    EXPECT_EQ(got->body, "POST /a b x=1 " + std::string(100'000, 'z'));
}

TEST(Loopback, streams_whole_and_in_order) {
    const auto server = serve(stream_numbers);
    const auto got = ask(*client_for(*server), Method::get, "/");
    ASSERT_TRUE(got) << got.error().message;
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += std::format("{};", i);
    EXPECT_EQ(got->body, expected);
}

TEST(Loopback, a_broken_answer_is_an_error_at_the_client_never_a_short_answer) {
    const auto server = serve([](Exchange& exchange) -> Answer {
        co_await exchange.begin(200, {});
        co_await exchange.write("half");
        exchange.abort();
    });
    const auto got = ask(*client_for(*server), Method::get, "/");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, base::ErrorKind::unavailable);
}

TEST(Loopback, answers_pipelined_requests_in_order) {
    const auto server = serve(echo);
    const std::string all = raw(server->port(), "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::size_t first = all.find("GET /1");
    const std::size_t second = all.find("GET /2");
    ASSERT_NE(first, all.npos);
    ASSERT_NE(second, all.npos);
    EXPECT_LT(first, second);
}

TEST(Loopback, refuses_what_is_not_well_formed_and_closes) {
    const auto server = serve(echo);
    for (const std::string_view bad : {"GARBAGE\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nbroken header\r\n\r\n",
                                       "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
                                       "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                                       "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
        const std::string all = raw(server->port(), bad);
        EXPECT_TRUE(all.starts_with("HTTP/1.1 400")) << bad << " → " << all;
    }
}

TEST(Loopback, refuses_what_is_too_large) {
    ListenOptions options;
    options.body_max = 1000;
    options.header_max = 2000;
    const auto server = serve(echo, options);
    EXPECT_TRUE(raw(server->port(), "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n").starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(raw(server->port(), "GET / HTTP/1.1\r\nX: " + std::string(4000, 'x')).starts_with("HTTP/1.1 413"));
}

TEST(Loopback, says_continue_to_those_who_wait_for_it) {
    const auto server = serve(echo);
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    asio::write(socket, asio::buffer(std::string_view("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")));
    std::string answer(25, ' ');
    asio::read(socket, asio::buffer(answer));
    EXPECT_EQ(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    asio::write(socket, asio::buffer(std::string_view("ok")));
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    EXPECT_TRUE(answer.ends_with("POST /  ok")) << answer;
}

TEST(Loopback, ends_a_request_that_does_not_arrive) {
    ListenOptions options;
    options.header_timeout = std::chrono::milliseconds(50);
    const auto server = serve(echo, options);
    EXPECT_TRUE(raw(server->port(), "GET / HT").starts_with("HTTP/1.1 400"));
}

TEST(Loopback, tells_the_handler_that_the_client_went) {
    Event gone;
    Event started;
    const auto server = serve([&](Exchange& exchange) -> Answer {
        co_await exchange.begin(200, {});
        co_await exchange.write("first");
        exchange.on_gone([&] { gone.set(); });
        started.set();
        while (!exchange.client_gone()) {
            asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
            co_await pause.async_wait(asio::use_awaitable);
        }
        const auto refused = co_await exchange.write("more");
        EXPECT_FALSE(refused);
    });
    {
        asio::io_context context;
        tcp::socket socket(context);
        socket.connect({asio::ip::address_v4::loopback(), server->port()});
        asio::write(socket, asio::buffer(std::string_view("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
        ASSERT_TRUE(started.wait());
    }
    EXPECT_TRUE(gone.wait());
}

TEST(Loopback, drains_what_runs_and_accepts_no_more) {
    Event started;
    Event go_on;
    const auto server = serve([&](Exchange& exchange) -> Answer {
        started.set();
        while (!exchange.client_gone() && !exchange.request().headers.has("X-Never")) {
            if (go_on.wait()) break;
        }
        co_await exchange.respond({200, {}, "done"});
    });
    std::string answer;
    std::thread client([&] { answer = raw(server->port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); });
    ASSERT_TRUE(started.wait());
    std::thread release([&] { go_on.set(); });
    EXPECT_TRUE(server->drain(std::chrono::seconds(10)));
    release.join();
    client.join();
    EXPECT_TRUE(answer.ends_with("done")) << answer;
    EXPECT_EQ(server->connections(), 0u);
    asio::io_context context;
    tcp::socket late(context);
    boost::system::error_code error;
    late.connect({asio::ip::address_v4::loopback(), server->port()}, error);
    EXPECT_TRUE(error);
}

TEST(Loopback, an_exception_of_the_handler_is_answered_and_the_connection_lives) {
    std::atomic<int> calls{0};
    const auto server = serve([&](Exchange& exchange) -> Answer {
        if (calls++ == 0) throw std::runtime_error("oops");
        co_await exchange.respond({200, {}, "fine"});
    });
    const std::string all = raw(server->port(), "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400")) << all;
    EXPECT_TRUE(all.ends_with("fine"));
}

TEST(Client, says_that_nobody_listens) {
    std::uint16_t port = 0;
    {
        const auto server = serve(echo);
        port = server->port();
    }
    const auto client = *Client::open(*Url::parse(std::format("http://127.0.0.1:{}", port)), {});
    const auto got = ask(*client, Method::get, "/");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, base::ErrorKind::unavailable);
}

TEST(Client, gives_up_on_a_peer_that_does_not_answer) {
    Event end;
    const auto server = serve([&](Exchange& exchange) -> Answer {
        while (!exchange.client_gone()) {
            asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
            co_await pause.async_wait(asio::use_awaitable);
        }
    });
    ClientOptions options;
    options.head_timeout = std::chrono::milliseconds(30);
    const auto client = *Client::open(*Url::parse(std::format("http://127.0.0.1:{}", server->port())), options);
    const auto got = ask(*client, Method::get, "/");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, base::ErrorKind::deadline);
}

TEST(Tls, speaks_1_3_with_the_hybrid_group_and_checks_the_name) {
    const auto folder = std::filesystem::temp_directory_path() / std::format("hanse-tls-{}", ::getpid());
    std::filesystem::create_directories(folder);
    const auto pair = crypto::make_self_signed({"localhost", "127.0.0.1"}, std::chrono::days(1));
    ASSERT_TRUE(pair);
    std::ofstream(folder / "certificate.pem") << pair->certificate;
    std::ofstream(folder / "key.pem") << pair->key;
    ListenOptions options;
    options.tls = TlsFiles{folder / "certificate.pem", folder / "key.pem"};
    const auto server = serve(echo, options);

    ClientOptions trusting;
    trusting.ca_file = folder / "certificate.pem";
    const auto client = *Client::open(*Url::parse(std::format("https://127.0.0.1:{}", server->port())), trusting);
    const auto got = ask(*client, Method::post, "/x", "secret");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "POST /x  secret");

    const auto stranger = *Client::open(*Url::parse(std::format("https://127.0.0.1:{}", server->port())), {});
    EXPECT_FALSE(ask(*stranger, Method::get, "/")) << "a certificate that nobody vouches for was accepted";

    asio::io_context context;
    asio::ssl::context tls(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket> stream(context, tls);
    stream.next_layer().connect({asio::ip::address_v4::loopback(), server->port()});
    stream.handshake(asio::ssl::stream_base::client);
    EXPECT_STREQ(SSL_get_version(stream.native_handle()), "TLSv1.3");
    EXPECT_STREQ(SSL_get0_group_name(stream.native_handle()), "X25519MLKEM768");
    std::filesystem::remove_all(folder);
}

TEST(Url, reads_what_is_sound_and_names_what_is_not) {
    const auto url = Url::parse("https://example.org:8443/v1/?a=b#c");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->secure);
    EXPECT_EQ(url->host, "example.org");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->path, "/v1/");
    EXPECT_EQ(url->query, "a=b");
    EXPECT_EQ(url->text(), "https://example.org:8443/v1/?a=b");
    EXPECT_EQ(Url::parse("http://[::1]:80")->text(), "http://[::1]/");
    for (const char* bad : {"", "ftp://x", "http://", "http://:80", "http://a:0", "http://a:70000", "http://a:b", "http://u:p@a", "http://a b", "http://[::1"})
        EXPECT_FALSE(Url::parse(bad)) << bad;
}

}  // namespace
}  // namespace hanse::net
