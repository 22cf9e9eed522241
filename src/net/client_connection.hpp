// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/client.hpp"
#include "watchdog.hpp"
#include "wire.hpp"

namespace hanse::net {

// One connection to an origin, for one request after the other, on one thread.
class ClientConnection final : public Watched {
public:
    explicit ClientConnection(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}

    boost::asio::awaitable<boost::system::error_code> handshake(base::Deadline limit);
    // Sends it and reads the answer's header.
    boost::asio::awaitable<base::Result<void>> exchange(std::string_view head, std::string_view body, bool is_head, base::Deadline limit);
    // What has come of the body, moved out; empty at its end.
    boost::asio::awaitable<base::Result<std::string>> read_body(base::Deadline limit);

    bool got_bytes() const { return got_bytes_; }
    // Whether a request may be sent. One that was used a moment ago is not asked: should its end be under way,
    // the request is sent once more anyway.
    bool usable() { return std::chrono::steady_clock::now() - rested_ < std::chrono::seconds(1) || !peer_is_gone(wire_->socket()); }
    void rest() { rested_ = std::chrono::steady_clock::now(); }
    // The answer was read to its end, and another may follow.
    bool reusable() const;
    const boost::beast::http::response<boost::beast::http::string_body>& message() const { return parser_->get(); }

private:
    void expired() override;
    boost::asio::awaitable<base::Result<void>> fill(base::Deadline limit);
    base::Error broken(std::string_view doing, const boost::system::error_code& error);

    std::unique_ptr<Wire> wire_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
    bool got_bytes_ = false;
    bool too_slow_ = false;
    base::Instant rested_{};
};

// Who owns idle connections. Compared by identity and never by address: a later client at the address of an
// ended one must not send its keys to the other's origin.
using ClientIdentity = std::weak_ptr<const void>;

// The idle connections of one io_context, by client. A service, so that they end with their context.
class IdleConnections : public boost::asio::execution_context::service {
public:
    using key_type = IdleConnections;
    static inline boost::asio::execution_context::id id;
    explicit IdleConnections(boost::asio::execution_context& context) : service(context) {}

    // None if there is none; then connections of clients that have ended are closed as well.
    std::unique_ptr<ClientConnection> take(const ClientIdentity& client);
    void give(const ClientIdentity& client, std::unique_ptr<ClientConnection> connection, std::size_t max);

private:
    void shutdown() noexcept override { idle_.clear(); }
    std::map<ClientIdentity, std::vector<std::unique_ptr<ClientConnection>>, std::owner_less<>> idle_;
};

}  // namespace hanse::net
