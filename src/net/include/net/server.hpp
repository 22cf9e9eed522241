// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "net/http.hpp"

namespace hanse::net {

// One request and the way to answer it. Lives as long as the handler's coroutine; belongs to the
// connection's thread. Answer exactly once: respond(), or begin() … write()* … end().
//
// When the client goes away while the handler waits for something else, client_gone() becomes true and
// `on_gone` is called on the connection's thread; writes then fail with `cancelled`. A reader that takes
// nothing for the idle limit counts as gone.
class Exchange {
public:
    virtual ~Exchange() = default;
    virtual const Request& request() const = 0;
    virtual Request& request() = 0;  // the body may be moved out
    virtual boost::asio::awaitable<base::Result<void>> respond(Response response) = 0;
    // A streamed answer (chunked); each write leaves at once.
    virtual boost::asio::awaitable<base::Result<void>> begin(unsigned status, Headers headers) = 0;
    virtual boost::asio::awaitable<base::Result<void>> write(std::string_view bytes) = 0;
    virtual boost::asio::awaitable<base::Result<void>> end() = 0;
    // Ends the connection without the closing chunk, so that the client sees a broken answer, not a short one.
    virtual void abort() = 0;
    virtual bool answered() const = 0;
    virtual bool client_gone() const = 0;
    virtual void on_gone(std::function<void()> call) = 0;
};

using Handler = std::function<boost::asio::awaitable<void>(Exchange&)>;

struct TlsFiles {
    std::string certificate;  // PEM chain
    std::string key;          // PEM
};

struct ListenOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: chosen by the system
    std::optional<TlsFiles> tls = {};  // TLS 1.3 only, X25519MLKEM768 first
    std::size_t body_max = 16U << 20;
    std::size_t header_max = 16U << 10;
    std::size_t connections_max = 4096;
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{60'000};
    std::chrono::milliseconds idle_timeout{75'000};    // keep-alive between requests
    std::chrono::milliseconds write_timeout{30'000};   // a reader that takes nothing
    unsigned threads = 1;
};

// Listens and serves on threads of its own, each with its own io_context; a connection stays on one
// thread. What the handler throws is logged and answered with 500. Errors that concern HTTP itself
// (malformed, too large, too slow) are answered through `on_error`, so that `api` gives them its form.
class Server {
public:
    struct Parts {
        ListenOptions options;
        Handler handler;
        std::function<Response(const base::Error&)> on_error;
        base::Log& log;
    };
    // `invalid` or `unavailable` with the address if it cannot listen.
    static base::Result<std::unique_ptr<Server>> start(Parts parts);
    virtual ~Server() = default;
    virtual std::uint16_t port() const = 0;
    virtual std::size_t connections() const = 0;
    // Accepts no more, closes idle connections, lets running exchanges end until `limit`, then cuts them.
    // Blocks; returns true if all ended by themselves.
    virtual bool drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace hanse::net
