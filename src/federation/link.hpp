// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "channel.hpp"
#include "federation/partners.hpp"
#include "federation/session.hpp"
#include "remote_answer.hpp"
#include "remote_exchange.hpp"
#include "task_file.hpp"

namespace hanse::federation {

class Link;

// A question that waits for a connection, or is under way on one. Belongs to the sessions' thread but for `answer`.
struct Pending {
    Pending(PartnerAsk given, std::shared_ptr<RemoteAnswer> to)
        : ask(std::move(given)),
          answer(std::move(to)),
          key(ask.task.key),
          member(ask.member) {}
    PartnerAsk ask;  // its body is gone once it was sent
    std::shared_ptr<RemoteAnswer> answer;
    TaskKey key;
    std::string member;
    base::Instant began{};
    std::weak_ptr<Link> link = {};
    bool called_off = false;
};

// What all links share, and whom they tell.
class LinkHost {
public:
    virtual ~LinkHost() = default;
    virtual SessionShared& shared() = 0;
    virtual base::Clock& clock() = 0;
    virtual base::Log& log() = 0;
    virtual TaskFile& tasks() = 0;
    virtual const net::Handler& serve() = 0;
    virtual boost::asio::awaitable<base::Result<std::string>> receipt(std::string record_id) = 0;
    virtual void on_event(Link& link, SessionEvent& event) = 0;  // all but Run, Stop, Part, Ended
    virtual void on_first_part(const std::string& member, std::chrono::milliseconds after) = 0;
    virtual void on_ended(const std::string& member, const Ended& ended) = 0;
};

// One connection: a channel's bytes into a session and its effects out, and the tasks of both directions that are under
// way on it. Everything on the sessions' thread; kept alive by its own coroutines.
class Link final : public RemoteExchange::Way, public std::enable_shared_from_this<Link> {
public:
    Link(LinkHost& host, boost::asio::io_context& context, std::unique_ptr<Channel> channel, PeerName peer, Session::Role role);

    boost::asio::awaitable<void> run();  // until it has ended
    const PeerName& peer() const { return session_.peer(); }
    bool ready() const { return session_.ready() && !ended_; }
    bool ended() const { return ended_; }
    const Channel& channel() const { return *channel_; }
    std::size_t running() const { return exchanges_.size(); }
    std::size_t asked() const { return session_.asked(); }
    std::chrono::milliseconds clock_ahead{0};

    // Any call of the session, and then its effects.
    template <typename Call>
    auto with(Call call) {
        if constexpr (std::is_void_v<decltype(call(session_, now()))>) {
            call(session_, now());
            pump();
        } else {
            auto result = call(session_, now());
            pump();
            return result;
        }
    }
    base::Result<void> start(const std::shared_ptr<Pending>& pending);
    void close(std::string_view reason);

    bool answer(const TaskKey& key, base::Bytes events, std::uint64_t count) override;
    std::size_t waiting(const TaskKey& key) override { return ended_ ? 0 : session_.waiting(key); }
    boost::asio::awaitable<void> moved() override;
    void finish(const TaskKey& key, wire::Done done) override;
    void refuse(const TaskKey& key, wire::Refusal why, std::chrono::milliseconds retry_after) override;
    boost::asio::awaitable<base::Result<std::string>> receipt(std::string record_id) override {
        return host_.receipt(std::move(record_id));
    }

private:
    Moment now() const { return {host_.clock().now(), host_.clock().wall()}; }
    void pump();
    void handle(SessionEvent& event);
    void begin(Run& run);
    void part(const Part& part);
    void ended(const Ended& ended);
    boost::asio::awaitable<void> serve(std::shared_ptr<RemoteExchange> exchange, TaskKey key, std::string line);
    boost::asio::awaitable<void> write_on();
    boost::asio::awaitable<void> keep_time();

    LinkHost& host_;
    std::unique_ptr<Channel> channel_;
    Session session_;
    base::Bytes out_;
    boost::asio::steady_timer to_write_, time_, moved_;
    std::map<TaskKey, std::shared_ptr<RemoteExchange>> exchanges_;
    struct Under {
        std::shared_ptr<Pending> pending;
        bool answering = false;
    };
    std::map<TaskKey, Under> asked_;
    bool pumping_ = false;
    bool again_ = false;
    bool closing_ = false;
    bool ended_ = false;
};

}  // namespace hanse::federation
