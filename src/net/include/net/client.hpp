// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/http.hpp"

namespace hanse::net {

// "http://host:port/base" or https. `invalid` if it is anything else.
struct Url {
    bool secure = false;
    std::string host;
    std::uint16_t port = 80;
    std::string path;   // "/" at least, without query
    std::string query = {};
    static base::Result<Url> parse(std::string_view text);
    std::string text() const;
};

struct ClientRequest {
    Method method = Method::get;
    std::string target;  // path and query as sent
    Headers headers;     // Host, Content-Length and Connection are the client's own matter
    std::string_view body = {};  // must live until head() returned
};

// An answer whose body is read piece by piece. Destroying it early closes the connection; read to the end,
// the connection goes back to its pool.
class ClientStream {
public:
    virtual ~ClientStream() = default;
    virtual unsigned status() const = 0;
    virtual const Headers& headers() const = 0;
    // The next piece, empty at the end. The view lives until the next call. `unavailable` if the peer broke
    // off before the end, `deadline` if nothing came for the idle limit.
    virtual boost::asio::awaitable<base::Result<std::string_view>> read() = 0;
    // The rest as one string; `too_large` past `limit`.
    virtual boost::asio::awaitable<base::Result<std::string>> read_all(std::size_t limit) = 0;
};

struct ClientOptions {
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds head_timeout{600'000};  // until the answer's header
    std::chrono::milliseconds idle_timeout{120'000};  // between pieces of the body
    std::size_t idle_connections_max = 256;           // kept open for reuse, per thread
    std::string ca_file = {};                         // empty: the system's
    bool allow_insecure = true;                       // plain http
};

// HTTP/1.1 to one origin, connections kept open and reused per executor (thread). A request on a reused
// connection that the peer had closed in the meantime is sent once more on a fresh one if no byte of an
// answer came. Thread-safe.
class Client {
public:
    static base::Result<std::shared_ptr<Client>> open(Url origin, ClientOptions options);
    virtual ~Client() = default;
    // Runs on the calling coroutine's executor.
    virtual boost::asio::awaitable<base::Result<std::unique_ptr<ClientStream>>> send(ClientRequest request, base::Deadline deadline) = 0;
};

}  // namespace hanse::net
