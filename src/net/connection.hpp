// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/server.hpp"
#include "request_reader.hpp"
#include "watchdog.hpp"
#include "wire.hpp"

namespace hanse::net {

// What all connections of a listener share.
struct Service {
    ListenOptions options;
    Handler handler;
    std::function<Response(const base::Error&)> on_error;
    base::Log& log;
};

// One client, request after request, on one thread. Kept alive by its own coroutine.
class Connection final : public Exchange, public Watched, public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<const Service> service, std::unique_ptr<Wire> wire, std::string peer, bool secure);

    boost::asio::awaitable<void> run();
    // No further request after the one under way; at once if there is none.
    void finish_up();
    void cut();

    const Request& request() const override { return request_; }
    Request& request() override { return request_; }
    boost::asio::awaitable<base::Result<void>> respond(Response response) override;
    boost::asio::awaitable<base::Result<void>> begin(unsigned status, Headers headers) override;
    boost::asio::awaitable<base::Result<void>> write(std::string_view bytes) override;
    boost::asio::awaitable<base::Result<void>> end() override;
    void abort() override;
    bool answered() const override { return answer_ != Answer::none; }
    bool client_gone() const override { return gone_; }
    void on_gone(std::function<void()> call) override;

private:
    enum class Phase { idle, reading, handling };
    enum class Answer { none, streaming, complete, broken };

    void expired() override;
    void ticked() override;
    void went();
    void wait_for_silence_to_end();
    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<void> handle();
    boost::asio::awaitable<base::Result<void>> send(Wire::Gather pieces);
    void put_head(unsigned status, const Headers& headers, std::string_view framing);

    std::shared_ptr<const Service> service_;
    std::unique_ptr<Wire> wire_;
    std::string peer_;
    bool secure_;
    RequestReader reader_;
    Request request_;
    std::string head_;   // the header not yet sent, or a chunk's size line
    std::function<void()> on_gone_;
    Phase phase_ = Phase::idle;
    Answer answer_ = Answer::none;
    bool gone_ = false;
    bool listening_ = false;  // for the client's end, while the handler works
    bool too_slow_ = false;
    bool last_ = false;      // close after this answer
    bool chunked_ = false;
};

}  // namespace hanse::net
