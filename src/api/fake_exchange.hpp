// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/server.hpp"

namespace hanse::api {

// An exchange without a socket: keeps what was answered, can lose its client and can have a reader that
// takes nothing until told. One thread.
class FakeExchange final : public net::Exchange {
public:
    explicit FakeExchange(net::Request request) : request_(std::move(request)) {}

    // The test's side.
    unsigned status = 0;
    net::Headers headers = {};
    std::string body = {};
    std::vector<std::string> writes = {};
    bool streamed = false;
    bool ended = false;
    bool aborted = false;
    void lose_client() {
        gone_ = true;
        release();
        if (on_gone_) on_gone_();
    }
    void hold() { held_ = true; }
    void release() {
        held_ = false;
        if (gate_) gate_->cancel();
    }

    const net::Request& request() const override { return request_; }
    net::Request& request() override { return request_; }
    boost::asio::awaitable<base::Result<void>> respond(net::Response response) override {
        if (gone_) co_return base::fail(base::ErrorKind::cancelled, "the client is gone");
        status = response.status;
        headers = std::move(response.headers);
        body = std::move(response.body);
        ended = true;
        co_return base::Result<void>();
    }
    boost::asio::awaitable<base::Result<void>> begin(unsigned given, net::Headers fields) override {
        if (gone_) co_return base::fail(base::ErrorKind::cancelled, "the client is gone");
        status = given;
        headers = std::move(fields);
        streamed = true;
        co_return base::Result<void>();
    }
    boost::asio::awaitable<base::Result<void>> write(std::string_view bytes) override {
        const std::string kept(bytes);
        if (held_) {
            gate_.emplace(co_await boost::asio::this_coro::executor, boost::asio::steady_timer::time_point::max());
            boost::system::error_code ignored;
            co_await gate_->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        if (gone_) co_return base::fail(base::ErrorKind::cancelled, "the client is gone");
        writes.push_back(kept);
        body += kept;
        co_return base::Result<void>();
    }
    boost::asio::awaitable<base::Result<void>> end() override {
        ended = true;
        co_return base::Result<void>();
    }
    void abort() override { aborted = true; }
    bool answered() const override { return status != 0; }
    bool client_gone() const override { return gone_; }
    void on_gone(std::function<void()> call) override { on_gone_ = std::move(call); }

private:
    net::Request request_;
    bool gone_ = false;
    bool held_ = false;
    std::optional<boost::asio::steady_timer> gate_;
    std::function<void()> on_gone_;
};

}  // namespace hanse::api
