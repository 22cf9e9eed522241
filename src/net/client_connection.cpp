// SPDX-License-Identifier: Apache-2.0
#include "client_connection.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <format>

namespace hanse::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

}  // namespace

asio::awaitable<boost::system::error_code> ClientConnection::handshake(base::Deadline limit) {
    arm(limit);
    const auto error = co_await wire_->handshake();
    disarm();
    co_return error;
}

asio::awaitable<base::Result<void>> ClientConnection::exchange(std::string_view head, std::string_view body, bool is_head,
                                                               base::Deadline limit) {
    got_bytes_ = false;
    too_slow_ = false;
    parser_.emplace();
    parser_->eager(true);
    parser_->body_limit(boost::none);
    parser_->header_limit(64U << 10);
    parser_->skip(is_head);
    arm(limit);
    const auto [error, count] = co_await wire_->write({asio::buffer(head), asio::buffer(body)});
    disarm();
    if (error) co_return std::unexpected(broken("sending to", error));
    // An interim answer (1xx) is not the answer.
    while (true) {
        while (!parser_->is_header_done()) {
            auto filled = co_await fill(limit);
            if (!filled) co_return filled;
        }
        if (parser_->get().result_int() >= 200 || parser_->get().result_int() == 101) break;
        parser_.emplace();
        parser_->eager(true);
        parser_->body_limit(boost::none);
        parser_->skip(is_head);
    }
    co_return base::Result<void>{};
}

// Parses what is there, reading first if that is nothing or only part of something.
asio::awaitable<base::Result<void>> ClientConnection::fill(base::Deadline limit) {
    bool wants_more = buffer_.size() == 0;
    while (true) {
        boost::system::error_code error;
        if (wants_more) {
            arm(limit);
            // Most answers, and all events, are short, and each connection keeps its buffer: the larger one only for what is known to be
            // long.
            const auto left = parser_->is_header_done() ? parser_->content_length_remaining() : boost::none;
            const auto [failed, count] = co_await wire_->read(buffer_.prepare(left && *left > 4096 ? 16U << 10 : 4U << 10));
            disarm();
            buffer_.commit(count);
            got_bytes_ = got_bytes_ || count > 0;
            if (failed) {
                // Without length or chunks the end of the connection is the end of the answer.
                if (failed == asio::error::eof && !too_slow_ && parser_->got_some()) parser_->put_eof(error);
                if (!error && parser_->is_done()) co_return base::Result<void>{};
                co_return std::unexpected(broken("reading from", failed));
            }
        }
        const std::size_t used = parser_->put(buffer_.data(), error);
        buffer_.consume(used);
        if (!error) co_return base::Result<void>{};
        if (error != http::error::need_more)
            co_return base::fail(base::ErrorKind::unavailable, "the other server's answer is not well-formed HTTP: " + error.message());
        if (used > 0) co_return base::Result<void>{};
        wants_more = true;
    }
}

asio::awaitable<base::Result<std::string>> ClientConnection::read_body(base::Deadline limit) {
    std::string& arrived = parser_->get().body();
    while (arrived.empty() && !parser_->is_done()) {
        auto filled = co_await fill(limit);
        if (!filled) co_return std::unexpected(filled.error());
    }
    co_return std::exchange(arrived, {});
}

bool ClientConnection::reusable() const {
    return parser_ && parser_->is_done() && parser_->get().keep_alive() && !parser_->need_eof() && buffer_.size() == 0;
}

base::Error ClientConnection::broken(std::string_view doing, const boost::system::error_code& error) {
    if (too_slow_) return {base::ErrorKind::deadline, "the other server did not answer in time", "upstream_timeout", {}, {}};
    return {base::ErrorKind::unavailable, std::format("{} the other server failed: {}", doing, error.message()), {}, {}, {}};
}

void ClientConnection::expired() {
    too_slow_ = true;
    boost::system::error_code ignored;
    wire_->socket().cancel(ignored);
}

std::unique_ptr<ClientConnection> IdleConnections::take(const ClientIdentity& client) {
    auto& idle = idle_[client];
    while (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        if (connection->usable()) return connection;
    }
    std::erase_if(idle_, [](const auto& entry) { return entry.second.empty() || entry.first.expired(); });
    return nullptr;
}

void IdleConnections::give(const ClientIdentity& client, std::unique_ptr<ClientConnection> connection, std::size_t max) {
    if (client.expired()) return;
    connection->rest();
    auto& idle = idle_[client];
    if (idle.size() < max) idle.push_back(std::move(connection));
}

}  // namespace hanse::net
