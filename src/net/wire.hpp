// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>
#include <utility>

namespace hanse::net {

using boost::asio::ip::tcp;

// A connected byte stream, plain or under TLS. One reader and one writer at a time, on the socket's thread.
class Wire {
public:
    using Outcome = std::pair<boost::system::error_code, std::size_t>;
    using Gather = std::array<boost::asio::const_buffer, 3>;

    virtual ~Wire() = default;
    virtual boost::asio::awaitable<boost::system::error_code> handshake() = 0;
    virtual boost::asio::awaitable<Outcome> read(boost::asio::mutable_buffer into) = 0;
    virtual boost::asio::awaitable<Outcome> write(Gather pieces) = 0;
    // Says goodbye where the protocol has a word for it; for the plain wire ends the sending half.
    virtual boost::asio::awaitable<void> close() = 0;
    virtual tcp::socket& socket() = 0;
};

std::unique_ptr<Wire> plain_wire(tcp::socket socket);
std::unique_ptr<Wire> tls_server_wire(tcp::socket socket, boost::asio::ssl::context& context);
// Checks that the certificate is for `host`.
std::unique_ptr<Wire> tls_client_wire(tcp::socket socket, boost::asio::ssl::context& context, const std::string& host);

// The other side has closed, or reset, and nothing that it might still have sent matters.
bool peer_is_gone(tcp::socket& socket);

}  // namespace hanse::net
