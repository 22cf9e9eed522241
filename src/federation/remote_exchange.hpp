// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "federation/session.hpp"
#include "federation/task_kinds.hpp"
#include "net/member_exchange.hpp"

namespace hanse::federation {

// A partner's task, answered as any other request is. Belongs to the sessions' thread and lives as long as the
// coroutine that serves it; its connection may be gone before.
//
// A refusal is said in one word: what partners may not see, have not or may not ask looks alike.
class RemoteExchange final : public net::MemberExchange {
public:
    // The connection's side of it; all do nothing once it is gone.
    class Way {
    public:
        virtual ~Way() = default;
        virtual bool answer(const TaskKey& key, base::Bytes events, std::uint64_t count) = 0;
        virtual std::size_t waiting(const TaskKey& key) = 0;
        virtual boost::asio::awaitable<void> moved() = 0;  // something was sent, or it is gone
        virtual void finish(const TaskKey& key, wire::Done done) = 0;
        virtual void refuse(const TaskKey& key, wire::Refusal why, std::chrono::milliseconds retry_after) = 0;
        virtual boost::asio::awaitable<base::Result<std::string>> receipt(std::string record_id) = 0;
    };
    RemoteExchange(std::shared_ptr<Way> way, std::string member, const TaskKey& key, wire::Task task, base::Deadline deadline,
                   base::Instant now);

    const std::string& member() const override { return member_; }
    const std::string& task_key() const override { return key_text_; }
    const net::Request& request() const override { return request_; }
    net::Request& request() override { return request_; }
    boost::asio::awaitable<base::Result<void>> respond(net::Response response) override;
    boost::asio::awaitable<base::Result<void>> begin(unsigned status, net::Headers headers) override;
    boost::asio::awaitable<base::Result<void>> write(std::string_view bytes) override;
    boost::asio::awaitable<base::Result<void>> end() override;
    void abort() override;
    bool answered() const override { return state_ != State::none; }
    bool client_gone() const override { return gone_; }
    void on_gone(std::function<void()> call) override { on_gone_ = std::move(call); }

    // The asker no longer waits, or the connection is lost.
    void went();
    // After the handler: whatever it left open is closed.
    void settle();

private:
    enum class State : std::uint8_t { none, streaming, over };
    boost::asio::awaitable<base::Result<void>> send(std::string_view bytes, std::uint64_t count);
    boost::asio::awaitable<base::Result<void>> close(std::string outcome);

    std::shared_ptr<Way> way_;
    std::string member_;
    TaskKey key_;
    std::string key_text_;
    net::Request request_;
    std::string model_, label_, receipt_id_;
    std::function<void()> on_gone_;
    State state_ = State::none;
    bool gone_ = false;
};

}  // namespace hanse::federation
