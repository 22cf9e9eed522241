// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace hanse::federation {
namespace asio = boost::asio;
namespace {

constexpr auto as_data = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds goodbye_max{1};

}  // namespace

Link::Link(LinkHost& host, asio::io_context& context, std::unique_ptr<Channel> channel, PeerName peer, Session::Role role)
    : host_(host),
      channel_(std::move(channel)),
      session_(host.shared(), std::move(peer), role),
      to_write_(context),
      time_(context),
      moved_(context) {}

asio::awaitable<void> Link::run() {
    const auto self = shared_from_this();
    const auto executor = co_await asio::this_coro::executor;
    with([](Session& session, Moment now) { session.open(now); });
    asio::co_spawn(executor, [](std::shared_ptr<Link> link) { return link->write_on(); }(self), asio::detached);
    asio::co_spawn(executor, [](std::shared_ptr<Link> link) { return link->keep_time(); }(self), asio::detached);
    base::Bytes buffer(64 * 1024);
    while (true) {
        const auto count = co_await channel_->read(buffer);
        if (!count || *count == 0) break;
        with([&](Session& session, Moment now) { session.received(std::span(buffer).first(*count), now); });
        moved_.cancel();
    }
    if (!session_.closed()) with([](Session& session, Moment now) { session.disconnected(now); });
    ended_ = true;
    channel_->cut();
    to_write_.cancel();
    time_.cancel();
    moved_.cancel();
    for (const auto exchanges = exchanges_; const auto& [key, exchange] : exchanges) exchange->went();
    // A session ends each of them; this is for what it never took.
    for (const auto asked = std::exchange(asked_, {}); const auto& [key, under] : asked)
        under.pending->answer->end(error_of({.key = key, .after_first_token = under.answering}, under.pending->member));
}

asio::awaitable<void> Link::write_on() {
    const auto self = shared_from_this();
    while (!ended_) {
        if (out_.empty()) {
            if (closing_) break;
            to_write_.expires_at(base::Instant::max());
            co_await to_write_.async_wait(as_data);
            continue;
        }
        const base::Bytes sending = std::exchange(out_, {});
        const auto written = co_await channel_->write(sending);
        moved_.cancel();
        if (!written) break;
    }
    channel_->cut();
}

asio::awaitable<void> Link::keep_time() {
    const auto self = shared_from_this();
    while (!ended_) {
        const auto at = session_.wakes_at();
        time_.expires_at(at.value_or(base::Instant::max()));
        co_await time_.async_wait(as_data);
        if (ended_) co_return;
        if (closing_) {
            // What could not be said in a second is not said.
            if (host_.clock().now() >= time_.expiry()) channel_->cut();
            time_.expires_after(goodbye_max);
            co_await time_.async_wait(as_data);
            channel_->cut();
            co_return;
        }
        with([](Session& session, Moment now) { session.tick(now); });
    }
}

// Effects may call for more of the same; then they come in the next round.
void Link::pump() {
    again_ = true;
    if (pumping_) return;
    pumping_ = true;
    while (again_) {
        again_ = false;
        Effects effects = session_.take();
        if (out_.empty()) out_ = std::move(effects.send);
        else out_.insert(out_.end(), effects.send.begin(), effects.send.end());
        for (SessionEvent& event : effects.events) handle(event);
    }
    pumping_ = false;
    if (!out_.empty() || closing_) to_write_.cancel();
    if (const auto at = session_.wakes_at(); at && *at < time_.expiry()) time_.cancel();
}

void Link::handle(SessionEvent& event) {
    if (auto* run = std::get_if<Run>(&event)) return begin(*run);
    if (const auto* stop = std::get_if<Stop>(&event)) {
        if (const auto found = exchanges_.find(stop->key); found != exchanges_.end()) {
            const auto exchange = found->second;
            exchange->went();
        }
        return;
    }
    if (const auto* came = std::get_if<Part>(&event)) return part(*came);
    if (const auto* over = std::get_if<Ended>(&event)) return ended(*over);
    if (std::holds_alternative<Closed>(event)) {
        closing_ = true;
        time_.cancel();
    }
    host_.on_event(*this, event);
}

void Link::begin(Run& run) {
    std::string line = TaskLedger::begun_line(peer().member, run.key, static_cast<WallMs>(run.task.made_ms));
    auto exchange = std::make_shared<RemoteExchange>(shared_from_this(), peer().member, run.key, std::move(run.task), run.deadline,
                                                     host_.clock().now());
    exchanges_.emplace(run.key, exchange);
    asio::co_spawn(to_write_.get_executor(), serve(std::move(exchange), run.key, std::move(line)), asio::detached);
}

asio::awaitable<void> Link::serve(std::shared_ptr<RemoteExchange> exchange, TaskKey key, std::string line) {
    const auto self = shared_from_this();
    try {
        const auto written = co_await host_.tasks().append(std::move(line));
        if (written && !exchange->client_gone()) co_await host_.serve()(*exchange);
    } catch (const std::exception& thrown) {
        host_.log().error("remote_task_failed", {{"member", peer().member}, {"what", std::string_view(thrown.what())}});
    }
    exchange->settle();
    exchanges_.erase(key);
    if (session_.closed() || ended_) host_.shared().ledger.abandon(peer().member, key);
}

base::Result<void> Link::start(const std::shared_ptr<Pending>& pending) {
    auto& ask = pending->ask;
    pending->link = weak_from_this();
    asked_.emplace(pending->key, Under{pending});
    auto started = with(
        [&](Session& session, Moment now) { return session.start(ask.task, std::move(ask.body), ask.permit, ask.place, *ask.words, now); });
    if (!started) asked_.erase(pending->key);
    return started;
}

void Link::part(const Part& part) {
    const auto found = asked_.find(part.key);
    if (found == asked_.end()) return;
    auto& [pending, answering] = found->second;
    if (!answering)
        host_.on_first_part(pending->member, std::chrono::duration_cast<std::chrono::milliseconds>(host_.clock().now() - pending->began));
    answering = true;
    pending->answer->push(part.tokens.events);
}

void Link::ended(const Ended& ended) {
    const auto found = asked_.find(ended.key);
    if (found == asked_.end()) return;
    const auto under = std::move(found->second);
    asked_.erase(found);
    host_.on_ended(under.pending->member, ended);
    if (ended.how == Ended::How::answered || ended.how == Ended::How::misbehaved) under.pending->answer->proven(ended.receipt);
    if (ended.how == Ended::How::answered && ended.done.outcome == "finished") under.pending->answer->end();
    else {
        Ended told = ended;
        told.after_first_token = under.answering;
        under.pending->answer->end(error_of(told, under.pending->member));
    }
}

void Link::close(std::string_view reason) {
    if (ended_) return;
    with([&](Session& session, Moment now) { session.close(reason, now); });
}

bool Link::answer(const TaskKey& key, base::Bytes events, std::uint64_t count) {
    if (ended_) return false;
    return with([&](Session& session, Moment now) { return session.answer(key, std::move(events), count, now); });
}

asio::awaitable<void> Link::moved() {
    if (ended_) co_return;
    moved_.expires_at(base::Instant::max());
    co_await moved_.async_wait(as_data);
}

void Link::finish(const TaskKey& key, wire::Done done) {
    if (ended_) return;
    with([&](Session& session, Moment now) { session.finish(key, std::move(done), now); });
}

void Link::refuse(const TaskKey& key, wire::Refusal why, std::chrono::milliseconds retry_after) {
    if (ended_) return;
    with([&](Session& session, Moment now) { session.refuse(key, why, retry_after, now); });
}

}  // namespace hanse::federation
