// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>

#include "federation/session.hpp"

namespace hanse::federation {

// A token bucket for messages, filled by the time that is passed in.
class Allowance {
public:
    Allowance(std::uint32_t burst, std::uint32_t per_second) : burst_(burst), per_second_(per_second), level_(burst) {}
    bool take(double cost, base::Instant now) {
        if (last_ && now > *last_)
            level_ = std::min<double>(burst_, level_ + std::chrono::duration<double>(now - *last_).count() * per_second_);
        last_ = now;
        level_ -= cost;
        return level_ >= 0;
    }

private:
    double burst_;
    double per_second_;
    double level_;
    std::optional<base::Instant> last_;
};

// A task of ours at the peer.
struct Outgoing {
    TaskKey key{};
    base::Deadline deadline;
    base::Deadline first_token_deadline;
    std::uint64_t budget_tokens = 0;
    std::uint64_t bytes_max = 0;
    std::uint64_t granted = 0;  // bytes of answer that may come
    std::uint64_t received = 0;
    std::uint64_t consumed = 0;  // and not yet granted anew
    std::uint64_t messages = 0;
    std::uint64_t tokens = 0;
    bool ended = false;  // told to the shell; the peer may still be speaking of it
};

// A task of the peer here.
struct Incoming {
    TaskKey key{};
    std::uint64_t credit = 0;
    std::uint64_t sent = 0;  // messages
    std::uint64_t made = 0;  // messages, with those that wait
    std::deque<wire::Tokens> waiting = {};
    std::size_t waiting_bytes = 0;
    std::optional<wire::Done> done = {};
    bool stopped = false;
    bool replayed = false;  // an answer that was kept: nothing runs
};

struct Session::State {
    State(SessionShared& shared_, PeerName peer_, Role role_)
        : shared(shared_),
          peer(std::move(peer_)),
          role(role_),
          reader(wire::Limits{.ask_bytes_max = shared_.limits.ask_bytes_max}),
          control(shared_.limits.control_burst, shared_.limits.control_per_second),
          tasks(shared_.limits.task_burst, shared_.limits.task_per_second),
          next_stream(role_ == Role::dialed ? 1 : 2) {}

    enum class Phase : std::uint8_t { fresh, greeting, ready, closed };

    void say(const wire::Message& message, wire::Stream stream = 0);
    bool reads() const { return sent - read < shared.limits.unread_max; }
    void on(const wire::Pong& pong);
    template <typename Event>
    void tell(Event event) {
        effects.events.emplace_back(std::move(event));
    }
    // The peer broke the rules.
    void fail(std::string code, std::string sentence);
    void shut(std::string reason, bool at_fault);
    const char* obstacle(Moment now) const;  // why this peer may not be spoken with by the charter as it is; null: nothing
    bool standing_is_good(Moment now);

    enum class Bound : std::uint8_t { none, tasks, control };
    Bound bound_of(const wire::Message& message, bool of_task);
    void heard(const wire::Frame& frame, Moment now);
    void on(const wire::Hello& hello, Moment now);
    void on_control(const wire::Message& message, Moment now);
    void on(const wire::CharterAsk& ask, Moment now);
    void on(const wire::CharterGive& give, Moment now);
    void on(const wire::CharterProposal& proposal, Moment now);
    void on(const wire::OfferSummary& summary);
    void on(const wire::OfferGive& give, Moment now);
    void on(const wire::CheckpointGive& give);
    void on(const wire::ConsistencyGive& give);
    void push_charter();
    void push_offers();
    void push_checkpoints();
    void gossip();

    void on_stream(wire::Message& message, wire::Stream stream, Moment now);
    void on(wire::Task& task, wire::Stream stream, Moment now);
    void on_outgoing(wire::Message& message, Outgoing& task, wire::Stream stream, Moment now);
    void on_incoming(const wire::Message& message, Incoming& task, wire::Stream stream);
    void on(wire::Tokens& tokens, Outgoing& task, wire::Stream stream);
    void on(wire::Done& done, Outgoing& task, wire::Stream stream);
    void end(Outgoing& task, Ended ended);
    void cancel(Outgoing& task, wire::Stream stream, std::string_view reason, Ended::How how);
    void drop(wire::Stream outgoing_stream);
    void flush(Incoming& task, wire::Stream stream);
    Incoming* incoming_of(const TaskKey& key, wire::Stream& stream);
    Outgoing* outgoing_of(const TaskKey& key, wire::Stream& stream);

    SessionShared& shared;
    PeerName peer;
    Role role;
    Phase phase = Phase::fresh;
    Effects effects;
    wire::FrameReader reader;
    Allowance control;
    Allowance tasks;

    // What was sent, up to where it is marked by a ping, and up to where the peer has answered one.
    struct Mark {
        std::uint64_t nonce;
        std::uint64_t sent;
    };
    std::uint64_t sent = 0;
    std::uint64_t read = 0;
    std::deque<Mark> marks;
    std::uint64_t heard_bytes = 0;
    std::uint64_t heard_bytes_at_ping = 0;

    base::Instant opened{};
    base::Instant last_heard{};
    base::Instant last_ping{};
    base::Instant last_gossip{};
    std::optional<wire::Hello> held;  // a greeting that waits for the charter that it speaks of
    std::uint32_t peer_charter = 0;
    std::uint32_t charter_heard_of = 0;  // the newest version that it spoke of, taken or not
    std::uint32_t peer_tasks_max = 0;
    std::uint64_t peer_ask_max = 0;
    std::map<std::string, std::uint64_t, std::less<>> peer_offers;     // sequences that it has
    std::map<std::string, std::string, std::less<>> told_checkpoints;  // by member, the note

    wire::Stream next_stream;
    wire::Stream last_peer_stream = 0;
    std::map<wire::Stream, Outgoing> outgoing;
    std::map<wire::Stream, Incoming> incoming;
};

}  // namespace hanse::federation
