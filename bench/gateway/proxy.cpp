// SPDX-License-Identifier: Apache-2.0
// The thinnest gateway that our parts make: net's listener, a key compared, an engine upstream, its answer
// passed on. What it reaches and `hanse serve` does not is the price of the rooms between.
//
//   gateway_proxy UPSTREAM_PORT [KEY]     prints its port, ends with its standard input
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <format>
#include <memory>
#include <string>

#include "engine/upstream.hpp"
#include "net/server.hpp"

namespace {

using namespace hanse;

struct Gateway {
    std::shared_ptr<engine::Upstream> upstream;
    std::string authorization;

    boost::asio::awaitable<void> handle(net::Exchange& exchange) {
        auto& request = exchange.request();
        if (request.path == "/healthz") {
            co_await exchange.respond({200, {}, "ok"});
            co_return;
        }
        if (!authorization.empty() && request.headers.get("authorization") != authorization) {
            co_await exchange.respond({401, {}, {}});
            co_return;
        }
        net::Headers headers;
        headers.add("Content-Type", "application/json");
        auto answer = co_await upstream->post("/chat/completions", std::move(headers), request.body, {});
        if (!answer) {
            co_await exchange.respond({502, {}, answer.error().message});
            co_return;
        }
        net::Headers back;
        const auto type = (*answer)->headers().get("content-type");
        back.add("Content-Type", type);
        if (!type.starts_with("text/event-stream")) {
            auto body = co_await (*answer)->read_all(16U << 20);
            if (body) co_await exchange.respond({(*answer)->status(), std::move(back), std::move(*body)});
            co_return;
        }
        co_await exchange.begin((*answer)->status(), std::move(back));
        while (true) {
            const auto piece = co_await (*answer)->read();
            if (!piece) co_return exchange.abort();
            if (piece->empty()) break;
            const auto written = co_await exchange.write(*piece);
            if (!written) co_return;
        }
        co_await exchange.end();
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    base::SystemClock clock;
    base::SystemRandom random;
    auto upstream = engine::Upstream::open({{.name = "mock", .url = std::format("http://127.0.0.1:{}/v1", std::atoi(argv[1]))}, clock, random, base::silent_log()});
    if (!upstream) return 1;
    Gateway gateway{*upstream, argc > 2 ? std::string("Bearer ") + argv[2] : std::string()};
    auto server = net::Server::start({{}, [&gateway](net::Exchange& exchange) { return gateway.handle(exchange); },
                                      [](const base::Error& error) { return net::Response{400, {}, error.message}; }, base::silent_log()});
    if (!server) return 1;
    std::printf("%d\n", (*server)->port());
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}
