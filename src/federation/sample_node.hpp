// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "federation/session.hpp"
#include "sample.hpp"

// Two nodes and what is between them, for tests of sessions and of liars.
namespace hanse::federation::sample {

inline Moment at(std::chrono::milliseconds after = {}) {
    return {base::Instant{} + std::chrono::hours(1) + after, base::WallTime{} + std::chrono::seconds(now) + after};
}

inline TaskKey key_number(unsigned n) {
    TaskKey key{};
    key[0] = static_cast<std::byte>(n);
    key[1] = static_cast<std::byte>(n >> 8);
    key[15] = std::byte{1};
    return key;
}

struct Node {
    explicit Node(const std::string& name)
        : charters(chain()),
          offers(verify_with_keys()),
          shared{.member = name,
                 .node = name + "-1",
                 .software = "sample",
                 .charters = charters,
                 .offers = offers,
                 .logs = logs,
                 .ledger = ledger,
                 .admit =
                     [this](const PeerName&, const wire::Task& task, const Moment&) {
                         ++asked;
                         return task.model == "law" ? admission : Admission{};
                     },
                 .check_receipt = [](const PeerName&, const TaskKey& key, const wire::Done& done) -> base::Result<FarReceipt> {
                     if (done.receipt != "receipt of " + text_of(key))
                         return base::fail(base::ErrorKind::corrupt, "it is for another task");
                     return FarReceipt{"hr_far", {}};
                 }} {}
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    CharterChain charters;
    OfferMirror offers;
    LogWatch logs;
    TaskLedger ledger;
    Admission admission{Admission::Verdict::run};
    int asked = 0;
    SessionShared shared;
};

// A session at each end. pump() carries bytes until both are quiet; events pile up.
struct Pair {
    Pair(Node& a, Node& b, Moment start = at())
        : left(a.shared, {b.shared.member, b.shared.node}, Session::Role::dialed),
          right(b.shared, {a.shared.member, a.shared.node}, Session::Role::accepted),
          now(start) {
        left.open(now);
        right.open(now);
        pump();
    }
    void pump() {
        for (bool moved = true; moved;) {
            auto from_left = left.take(), from_right = right.take();
            moved = !from_left.send.empty() || !from_right.send.empty();
            std::ranges::move(from_left.events, std::back_inserter(left_events));
            std::ranges::move(from_right.events, std::back_inserter(right_events));
            if (!from_left.send.empty()) right.received(from_left.send, now);
            if (!from_right.send.empty()) left.received(from_right.send, now);
        }
        auto last_left = left.take(), last_right = right.take();
        std::ranges::move(last_left.events, std::back_inserter(left_events));
        std::ranges::move(last_right.events, std::back_inserter(right_events));
    }
    void wait(std::chrono::milliseconds span) {
        now = {now.instant + span, now.wall + span};
        left.tick(now);
        right.tick(now);
        pump();
    }
    // What a liar on the left says; what it is answered, it does not care about.
    void forge(const wire::Message& message, wire::Stream stream = 0) {
        base::Bytes bytes;
        wire::encode(message, stream, bytes);
        right.received(bytes, now);
        unheard();
    }
    void unheard() { std::ranges::move(right.take().events, std::back_inserter(right_events)); }
    template <typename Event>
    static std::vector<Event> all(const std::vector<SessionEvent>& events) {
        std::vector<Event> found;
        for (const auto& each : events)
            if (const auto* event = std::get_if<Event>(&each)) found.push_back(*event);
        return found;
    }
    template <typename Event>
    std::vector<Event> at_left() const {
        return all<Event>(left_events);
    }
    template <typename Event>
    std::vector<Event> at_right() const {
        return all<Event>(right_events);
    }

    Session left;
    Session right;
    Moment now;
    std::vector<SessionEvent> left_events;
    std::vector<SessionEvent> right_events;
};

// What a member of the sample may ask another: public data, for an answer.
struct Question {
    explicit Question(const Node& node, const std::string& peer)
        : words(node.charters.current().words()),
          place(label::ClearanceTerms{.name = peer, .receivers = *words->readers(peer), .place = *words->place("EU")}),
          label(label::Label::bottom()),
          decision(label::decide(label, place, {.purpose = *words->purpose("answer"), .now = sample::now})) {}
    label::Labelled<base::Bytes> body(std::string_view text = "moin") const {
        const auto bytes = base::bytes_of(text);
        return {base::Bytes(bytes.begin(), bytes.end()), label};
    }
    base::Result<void> ask(Session& session, const TaskKey& key, Moment now, RemoteTask task = {}) const {
        task.key = key;
        task.kind = "chat";
        if (task.model.empty()) task.model = "law";
        if (task.made_ms == 0) task.made_ms = now.wall_ms();
        return session.start(task, body(), *decision.permit(), place, *words, now);
    }
    std::shared_ptr<const label::Vocabulary> words;
    label::Clearance place;
    label::Label label;
    label::Decision decision;
};

inline base::Bytes bytes(std::string_view text) {
    const auto view = base::bytes_of(text);
    return {view.begin(), view.end()};
}
inline wire::Done done_for(const TaskKey& key) {
    return {.outcome = "finished", .label = "public; integrity=member", .receipt = "receipt of " + text_of(key), .completion_tokens = 2};
}

}  // namespace hanse::federation::sample
