// SPDX-License-Identifier: Apache-2.0
#include <format>

#include "session_state.hpp"

// Tasks of both directions on one session. A stream that we opened ends with Done or Refused of the peer; one that it
// opened ends with ours.
namespace hanse::federation {

using base::ErrorKind;
using base::fail;
using base::Result;

void Session::State::end(Outgoing& task, Ended ended) {
    if (task.ended) return;
    task.ended = true;
    ended.key = task.key;
    ended.after_first_token = task.messages > 0;
    tell(std::move(ended));
}

void Session::State::cancel(Outgoing& task, wire::Stream stream, std::string_view reason, Ended::How how) {
    say(wire::Cancel{std::string(reason)}, stream);
    end(task, {.how = how});
}

void Session::State::drop(wire::Stream stream) { outgoing.erase(stream); }

Outgoing* Session::State::outgoing_of(const TaskKey& key, wire::Stream& stream) {
    for (auto& [number, task] : outgoing)
        if (task.key == key) return stream = number, &task;
    return nullptr;
}

Incoming* Session::State::incoming_of(const TaskKey& key, wire::Stream& stream) {
    for (auto& [number, task] : incoming)
        if (task.key == key) return stream = number, &task;
    return nullptr;
}

void Session::State::on_stream(wire::Message& message, wire::Stream stream, Moment now) {
    const bool ours = stream % 2 == (role == Role::dialed ? 1 : 0);
    if (auto* task = std::get_if<wire::Task>(&message)) {
        if (ours || stream <= last_peer_stream) return fail("stream", "a task opens a new stream of its sender");
        last_peer_stream = stream;
        return on(*task, stream, now);
    }
    if (ours) {
        const auto found = outgoing.find(stream);
        if (found == outgoing.end()) return fail("stream", "the peer speaks of a task that it does not have");
        return on_outgoing(message, found->second, stream, now);
    }
    const auto found = incoming.find(stream);
    // A cancel or a credit may cross with the end of its task.
    if (found == incoming.end() && stream <= last_peer_stream) return;
    if (found == incoming.end()) return fail("stream", "the peer speaks of a task that it did not send");
    on_incoming(message, found->second, stream);
}

void Session::State::on(wire::Task& task, wire::Stream stream, Moment now) {
    const auto refuse = [&](wire::Refusal code, std::chrono::milliseconds retry_after = {}) {
        say(wire::Refused{code, static_cast<std::uint64_t>(retry_after.count())}, stream);
    };
    const auto made = static_cast<WallMs>(std::min<std::uint64_t>(task.made_ms, INT64_MAX));
    if (incoming.size() >= shared.limits.tasks_max) return refuse(wire::Refusal::overloaded, std::chrono::seconds(1));
    switch (shared.ledger.state(peer.member, task.key, made, now.wall_ms())) {
        case TaskLedger::State::running:
        case TaskLedger::State::old: return refuse(wire::Refusal::gone);
        case TaskLedger::State::finished: {
            const auto* kept = shared.ledger.kept(peer.member, task.key);
            if (!kept) return refuse(wire::Refusal::gone);
            // The very answer of the first time; nothing runs, and nothing is paid for twice.
            Incoming again{.key = task.key, .credit = task.credit, .made = kept->tokens.size(), .done = kept->done, .replayed = true};
            again.waiting.assign(kept->tokens.begin(), kept->tokens.end());
            return flush(incoming.emplace(stream, std::move(again)).first->second, stream);
        }
        case TaskLedger::State::unknown: break;
    }
    const Admission admission = shared.admit(peer, task, now);
    if (admission.verdict == Admission::Verdict::not_found) return refuse(wire::Refusal::not_found);
    if (admission.verdict == Admission::Verdict::overloaded) return refuse(wire::Refusal::overloaded, admission.retry_after);
    if (const auto begun = shared.ledger.begin(peer.member, task.key, made, now.wall_ms()); !begun)
        return refuse(wire::Refusal::overloaded, begun.error().retry_after.value_or(std::chrono::milliseconds(1'000)));
    incoming.emplace(stream, Incoming{.key = task.key, .credit = task.credit});
    // What is left of the sender's time, and it is never later than the clock here can say.
    constexpr std::uint64_t day_ms = 86'400'000;
    const auto deadline = task.deadline_ms == 0
                              ? base::Deadline::never()
                              : base::Deadline::after(now.instant, std::chrono::milliseconds(std::min(task.deadline_ms, day_ms)));
    const TaskKey key = task.key;
    tell(Run{key, std::move(task), deadline});
}

void Session::State::on_incoming(const wire::Message& message, Incoming& task, wire::Stream stream) {
    if (const auto* credit = std::get_if<wire::Credit>(&message)) {
        task.credit += std::min<std::uint64_t>(credit->bytes, UINT32_MAX);
        task.credit = std::min<std::uint64_t>(task.credit, std::uint64_t{1} << 40);
        return flush(task, stream);
    }
    const auto* cancel = std::get_if<wire::Cancel>(&message);
    if (!cancel) return fail("message", "a message stands where it does not belong");
    if (task.stopped) return;
    task.stopped = true;
    task.waiting.clear();
    task.waiting_bytes = 0;
    if (!task.replayed && !task.done) tell(Stop{task.key, "cancelled"});
    flush(task, stream);
}

// Sends what the credit lets, and the end when everything before it has gone.
void Session::State::flush(Incoming& task, wire::Stream stream) {
    while (!task.waiting.empty() && task.waiting.front().events.size() <= task.credit && reads()) {
        wire::Tokens tokens = std::move(task.waiting.front());
        task.waiting.pop_front();
        task.credit -= tokens.events.size();
        task.waiting_bytes -= std::min(task.waiting_bytes, tokens.events.size());
        tokens.sequence = task.sent++;
        say(tokens, stream);
    }
    if (!task.waiting.empty() || !task.done) return;
    task.done->messages = task.sent;
    say(*task.done, stream);
    incoming.erase(stream);
}

void Session::State::on_outgoing(wire::Message& message, Outgoing& task, wire::Stream stream, Moment) {
    if (auto* tokens = std::get_if<wire::Tokens>(&message)) return on(*tokens, task, stream);
    if (auto* done = std::get_if<wire::Done>(&message)) return on(*done, task, stream);
    const auto* refused = std::get_if<wire::Refused>(&message);
    if (!refused) return fail("message", "a message stands where it does not belong");
    Ended ended{.how = Ended::How::not_found,
                .retry_after = std::chrono::milliseconds(std::min<std::uint64_t>(refused->retry_after_ms, 86'400'000))};
    if (refused->code == wire::Refusal::overloaded) ended.how = Ended::How::overloaded;
    if (refused->code == wire::Refusal::gone) ended.how = Ended::How::broken;
    // After a part of the answer it is no refusal.
    if (task.messages > 0) ended.how = Ended::How::broken;
    end(task, std::move(ended));
    drop(stream);
}

void Session::State::on(wire::Tokens& tokens, Outgoing& task, wire::Stream stream) {
    const std::size_t size = tokens.events.size();
    if (size == 0 || tokens.sequence != task.messages) return fail("tokens", "parts of an answer are empty or out of order");
    if (task.received + size > task.granted) return fail("credit", "the peer sends more of an answer than it was granted");
    ++task.messages;
    task.received += size;
    task.tokens += std::min<std::uint64_t>(tokens.count, UINT32_MAX);
    if (task.ended) {
        // What was on its way when we cancelled: it is taken, so that the peer comes to its end.
        task.granted += size;
        return;
    }
    if (task.received > task.bytes_max || (task.budget_tokens != 0 && task.tokens > task.budget_tokens)) {
        tell(Misbehaved{"endless", "an answer is longer than its budget"});
        return cancel(task, stream, "budget", Ended::How::budget);
    }
    tell(Part{task.key, std::move(tokens)});
}

void Session::State::on(wire::Done& done, Outgoing& task, wire::Stream stream) {
    if (done.messages != task.messages) return fail("done", "the end of an answer does not fit its parts");
    if (!task.ended) {
        auto receipt = shared.check_receipt(peer, task.key, done);
        if (!receipt) {
            tell(Misbehaved{"receipt", std::format("{} gave a receipt that does not hold: {}", peer.member, receipt.error().message)});
            end(task, {.how = Ended::How::misbehaved, .receipt = {.unverified = receipt.error().message}});
        } else {
            end(task, {.how = Ended::How::answered, .done = std::move(done), .receipt = std::move(*receipt)});
        }
    }
    drop(stream);
}

Result<void> Session::start(const RemoteTask& task, label::Labelled<base::Bytes> body, const label::Permit& permit,
                            const label::Clearance& peer, const label::Vocabulary& words, Moment now) {
    State& s = *state_;
    if (s.phase != State::Phase::ready || !s.standing_is_good(now))
        return fail(ErrorKind::unavailable, std::format("{} is not connected", s.peer.member), "peer_unavailable");
    if (s.outgoing.size() >= s.peer_tasks_max || !s.reads())
        return std::unexpected(base::Error{ErrorKind::overloaded,
                                           std::format("{} takes no more tasks at a time", s.peer.member),
                                           "peer_busy",
                                           {},
                                           std::chrono::seconds(1)});
    if (task.deadline.passed(now.instant)) return fail(ErrorKind::deadline, "the time for this task has passed");
    wire::Stream known = 0;
    if (s.outgoing_of(task.key, known)) return fail(ErrorKind::invalid, "this task is under way at this peer");
    // A permit for another place is none for this one, whatever it is called.
    const auto member = words.member(s.peer.member);
    if (!member || !peer.terms().receivers.has(label::bit(*member)))
        return fail(ErrorKind::denied, std::format("the permit is for a place that {} is not part of", s.peer.member), "permit_mismatch");
    auto opened = std::move(body).open(permit, peer);
    if (!opened) return std::unexpected(opened.error());
    wire::Task message{.key = task.key,
                       .kind = task.kind,
                       .model = task.model,
                       .label = label::text(permit.label(), words),
                       .purpose = std::string(words.word(permit.use().purpose)),
                       .learning = static_cast<std::uint8_t>(permit.use().learning),
                       .body = std::move(*opened).plaintext(label::PlaintextAccess::at_boundary()),
                       .made_ms = static_cast<std::uint64_t>(std::max<WallMs>(task.made_ms, 0)),
                       .budget_tokens = task.budget_tokens,
                       .credit = s.shared.limits.answer_credit,
                       .charter_version = s.shared.charters.charter().version,
                       .trace = task.trace,
                       .parents = task.parents};
    const auto left = [&](const base::Deadline& deadline) {
        // At least one: zero would mean without end.
        return deadline.when() ? static_cast<std::uint64_t>(std::max<std::int64_t>(
                                     1, std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left(now.instant)).count()))
                               : 0;
    };
    message.deadline_ms = left(task.deadline);
    message.first_token_ms = left(task.first_token_deadline);
    if (message.body.size() > s.peer_ask_max || message.label.size() > label::label_text_max || message.kind.size() > 256 ||
        message.model.size() > 256 || message.parents.size() > 64)
        return fail(ErrorKind::too_large, std::format("the question is larger than {} takes", s.peer.member));
    const wire::Stream stream = s.next_stream;
    s.next_stream += 2;
    s.outgoing.emplace(stream, Outgoing{.key = task.key,
                                        .deadline = task.deadline,
                                        .first_token_deadline = task.first_token_deadline,
                                        .budget_tokens = task.budget_tokens,
                                        .bytes_max = task.answer_bytes_max,
                                        .granted = s.shared.limits.answer_credit});
    s.say(message, stream);
    return {};
}

void Session::cancel(const TaskKey& key, std::string_view reason, Moment) {
    wire::Stream stream = 0;
    if (Outgoing* task = state_->outgoing_of(key, stream); task && !task->ended)
        state_->cancel(*task, stream, reason, Ended::How::cancelled);
}

void Session::consumed(const TaskKey& key, std::size_t bytes, Moment) {
    wire::Stream stream = 0;
    Outgoing* task = state_->outgoing_of(key, stream);
    if (!task || task->ended) return;
    task->consumed += bytes;
    if (task->consumed < state_->shared.limits.answer_credit / 2) return;
    task->granted += task->consumed;
    state_->say(wire::Credit{std::exchange(task->consumed, 0)}, stream);
}

void Session::settle(const TaskKey& key, std::string_view receipt_id, Moment) {
    if (ready()) state_->say(wire::Settled{key, std::string(receipt_id)});
}

std::size_t Session::asked() const {
    return static_cast<std::size_t>(std::ranges::count_if(state_->outgoing, [](const auto& each) { return !each.second.ended; }));
}

bool Session::answer(const TaskKey& key, base::Bytes events, std::uint64_t count, Moment) {
    State& s = *state_;
    wire::Stream stream = 0;
    Incoming* task = s.incoming_of(key, stream);
    if (!task || task->stopped || task->done) return false;
    if (events.empty()) return true;
    // In pieces that a message holds and that a peer's credit can let through.
    constexpr std::size_t piece_max = 64 * 1024;
    for (std::size_t begin = 0; begin < events.size(); begin += piece_max) {
        const auto end = events.begin() + static_cast<std::ptrdiff_t>(std::min(events.size(), begin + piece_max));
        wire::Tokens tokens{task->made++, base::Bytes(events.begin() + static_cast<std::ptrdiff_t>(begin), end), begin == 0 ? count : 0};
        s.shared.ledger.keep(s.peer.member, key, tokens);
        task->waiting_bytes += tokens.events.size();
        task->waiting.push_back(std::move(tokens));
    }
    s.flush(*task, stream);
    if (task->waiting_bytes <= s.shared.limits.answer_waiting_max) return true;
    // Too slow a reader: what it does not take is not made.
    task->stopped = true;
    task->waiting.clear();
    task->waiting_bytes = 0;
    return false;
}

std::size_t Session::waiting(const TaskKey& key) const {
    wire::Stream stream = 0;
    const Incoming* task = state_->incoming_of(key, stream);
    return task ? task->waiting_bytes : 0;
}

void Session::finish(const TaskKey& key, wire::Done done, Moment) {
    State& s = *state_;
    wire::Stream stream = 0;
    Incoming* task = s.incoming_of(key, stream);
    // An answer of which a part was thrown away is none that a retry could have.
    if (!task || task->stopped) s.shared.ledger.abandon(s.peer.member, key);
    if (!task || task->done) return;
    done.messages = task->made;
    if (task->stopped && done.outcome == "finished") done.outcome = "cancelled";
    if (!task->stopped) s.shared.ledger.finish(s.peer.member, key, done);
    task->done = std::move(done);
    s.flush(*task, stream);
}

void Session::refuse(const TaskKey& key, wire::Refusal why, std::chrono::milliseconds retry_after, Moment) {
    State& s = *state_;
    s.shared.ledger.abandon(s.peer.member, key);
    wire::Stream stream = 0;
    if (!s.incoming_of(key, stream)) return;
    s.say(wire::Refused{why, static_cast<std::uint64_t>(retry_after.count())}, stream);
    s.incoming.erase(stream);
}

}  // namespace hanse::federation
