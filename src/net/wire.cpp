// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <poll.h>

namespace hanse::net {
namespace {

namespace asio = boost::asio;
constexpr auto as_data = asio::as_tuple(asio::use_awaitable);

class PlainWire final : public Wire {
public:
    explicit PlainWire(tcp::socket socket) : socket_(std::move(socket)) {
        boost::system::error_code ignored;
        socket_.non_blocking(true, ignored);
    }

    asio::awaitable<boost::system::error_code> handshake() override { co_return boost::system::error_code{}; }

    asio::awaitable<Outcome> read(asio::mutable_buffer into) override {
        auto [error, count] = co_await socket_.async_read_some(into, as_data);
        co_return Outcome{error, count};
    }

    // Nearly always everything goes at once, and neither the coroutine nor the queue need know of it.
    asio::awaitable<Outcome> write(Gather pieces) override {
        boost::system::error_code error;
        std::size_t sent = socket_.write_some(pieces, error);
        if (error && error != asio::error::would_block) co_return Outcome{error, 0};
        if (sent == asio::buffer_size(pieces)) co_return Outcome{{}, sent};
        std::size_t skip = sent;
        for (auto& piece : pieces) {
            const std::size_t here = std::min(skip, piece.size());
            piece += here;
            skip -= here;
        }
        auto [failed, rest] = co_await asio::async_write(socket_, pieces, as_data);
        co_return Outcome{failed, sent + rest};
    }

    asio::awaitable<void> close() override {
        boost::system::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        co_return;
    }

    tcp::socket& socket() override { return socket_; }

private:
    tcp::socket socket_;
};

class TlsWire final : public Wire {
public:
    TlsWire(tcp::socket socket, asio::ssl::context& context, asio::ssl::stream_base::handshake_type side)
        : stream_(std::move(socket), context), side_(side) {}

    asio::awaitable<boost::system::error_code> handshake() override {
        auto [error] = co_await stream_.async_handshake(side_, as_data);
        co_return error;
    }

    asio::awaitable<Outcome> read(asio::mutable_buffer into) override {
        auto [error, count] = co_await stream_.async_read_some(into, as_data);
        co_return Outcome{error, count};
    }

    asio::awaitable<Outcome> write(Gather pieces) override {
        auto [error, count] = co_await asio::async_write(stream_, pieces, as_data);
        co_return Outcome{error, count};
    }

    asio::awaitable<void> close() override {
        co_await stream_.async_shutdown(as_data);
    }

    tcp::socket& socket() override { return stream_.next_layer(); }
    asio::ssl::stream<tcp::socket>& stream() { return stream_; }

private:
    asio::ssl::stream<tcp::socket> stream_;
    asio::ssl::stream_base::handshake_type side_;
};

}  // namespace

std::unique_ptr<Wire> plain_wire(tcp::socket socket) { return std::make_unique<PlainWire>(std::move(socket)); }

std::unique_ptr<Wire> tls_server_wire(tcp::socket socket, asio::ssl::context& context) {
    return std::make_unique<TlsWire>(std::move(socket), context, asio::ssl::stream_base::server);
}

std::unique_ptr<Wire> tls_client_wire(tcp::socket socket, asio::ssl::context& context, const std::string& host) {
    auto wire = std::make_unique<TlsWire>(std::move(socket), context, asio::ssl::stream_base::client);
    wire->stream().set_verify_mode(asio::ssl::verify_peer);
    wire->stream().set_verify_callback(asio::ssl::host_name_verification(host));
    boost::system::error_code numeric;
    asio::ip::make_address(host, numeric);
    // RFC 6066, section 3: a server name is a DNS name, never an address.
    if (numeric) SSL_set_tlsext_host_name(wire->stream().native_handle(), host.c_str());
    return wire;
}

bool peer_is_gone(tcp::socket& socket) {
    if (!socket.is_open()) return true;
    pollfd state{socket.native_handle(), POLLRDHUP, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace hanse::net
