// SPDX-License-Identifier: Apache-2.0
#include "federation/session.hpp"

#include <format>

#include "session_state.hpp"

namespace hanse::federation {

void Session::State::say(const wire::Message& message, wire::Stream stream) {
    const std::size_t before = effects.send.size();
    wire::encode(message, stream, effects.send);
    sent += effects.send.size() - before;
    if (sent - (marks.empty() ? read : marks.back().sent) < shared.limits.unread_max / 8) return;
    marks.push_back({shared.draw(), sent});
    wire::encode(wire::Ping{marks.back().nonce}, 0, effects.send);
}

void Session::State::on(const wire::Pong& pong) {
    const auto found = std::ranges::find(marks, pong.nonce, &Mark::nonce);
    if (found == marks.end()) return;
    read = found->sent;
    marks.erase(marks.begin(), found + 1);
    std::vector<wire::Stream> streams;
    for (const auto& [stream, task] : incoming) streams.push_back(stream);
    for (const auto stream : streams)
        if (const auto task = incoming.find(stream); task != incoming.end()) flush(task->second, stream);
}

void Session::State::shut(std::string reason, bool at_fault) {
    if (phase == Phase::closed) return;
    phase = Phase::closed;
    for (auto& [stream, task] : outgoing)
        if (!task.ended) end(task, {.how = at_fault ? Ended::How::misbehaved : Ended::How::broken});
    for (auto& [stream, task] : incoming)
        if (!task.replayed && !task.stopped && !task.done) tell(Stop{task.key, reason});
    outgoing.clear();
    incoming.clear();
    tell(Closed{std::move(reason), at_fault});
}

void Session::State::fail(std::string code, std::string sentence) {
    if (phase == Phase::closed) return;
    say(wire::Problem{code, sentence});
    tell(Misbehaved{code, std::move(sentence)});
    shut(std::move(code), true);
}

const char* Session::State::obstacle(Moment now) const {
    const Charter& charter = shared.charters.charter();
    if (!shared.charters.in_force(now.wall_seconds())) return "expired";
    if (!charter.member(peer.member) || !charter.member(shared.member)) return "removed";
    return !charter.active(peer.member) || !charter.active(shared.member) ? "suspended" : nullptr;
}

bool Session::State::standing_is_good(Moment now) {
    const char* reason = obstacle(now);
    if (!reason) return true;
    push_charter();
    say(wire::Goodbye{reason});
    shut(reason, false);
    return false;
}

// What the peer does not have yet. It sees for itself why it is cut off.
void Session::State::push_charter() {
    const auto& versions = shared.charters.versions();
    for (std::size_t i = peer_charter; peer_charter != 0 && i < versions.size() && i < std::size_t{peer_charter} + 64; ++i)
        say(wire::CharterGive{versions[i].whole()});
    peer_charter = std::max(peer_charter, static_cast<std::uint32_t>(versions.size()));
}

void Session::State::push_offers() {
    for (const auto& [member, sequence] : shared.offers.summary()) {
        auto& theirs = peer_offers[member];
        if (theirs >= sequence) continue;
        theirs = sequence;
        say(wire::OfferGive{shared.offers.find(member)->document});
    }
}

// Those that changed since it was told. What the peer's own log is, others tell it to others.
void Session::State::push_checkpoints() {
    constexpr std::size_t at_once = 64;
    std::size_t said = 0;
    const auto tell_of = [&](const std::string& member, const std::string& note) {
        if (note.empty() || member == peer.member || said == at_once) return;
        std::string& told = told_checkpoints[member];
        if (told == note) return;
        told = note;
        ++said;
        say(wire::CheckpointGive{member, note});
    };
    tell_of(shared.member, shared.checkpoint);
    for (const auto& member : shared.logs.members())
        if (const auto* note = shared.logs.latest(member); note && member != shared.member) tell_of(member, *note);
}

// Anti-entropy: whatever was lost or not believed at its time comes again.
void Session::State::gossip() {
    if (charter_heard_of > shared.charters.charter().version) say(wire::CharterAsk{shared.charters.charter().version + 1});
    wire::OfferSummary summary;
    for (const auto& [member, sequence] : shared.offers.summary()) summary.entries.push_back({member, sequence});
    say(summary);
    push_checkpoints();
    if (const auto question = shared.logs.question(peer.member)) say(wire::ConsistencyAsk{question->from, question->to});
}

void Session::State::on(const wire::Hello& hello, Moment now) {
    if (phase != Phase::greeting) return fail("hello", "a peer greets once");
    if (hello.member != peer.member || hello.node != peer.node)
        return fail("impostor", std::format("{} of {} says that it is another node", peer.node, peer.member));
    if (hello.federation != shared.charters.federation()) return fail("federation", "the peer is of another federation");
    if (hello.newest < wire::oldest_version || hello.oldest > wire::newest_version || hello.oldest > hello.newest) {
        say(wire::Problem{"version",
                          std::format("versions {} to {} of the protocol are spoken here", wire::oldest_version, wire::newest_version)});
        return shut("version", false);
    }
    peer_charter = hello.charter_version;
    // A charter that is too old does not judge by itself: the newer one is asked for, within the time for greetings.
    if (obstacle(now) && hello.charter_version > shared.charters.charter().version) {
        if (!std::exchange(held, hello)) say(wire::CharterAsk{shared.charters.charter().version + 1});
        return;
    }
    held.reset();
    if (!standing_is_good(now)) return;
    peer_tasks_max = hello.tasks_max;
    peer_ask_max = hello.ask_bytes_max;
    phase = Phase::ready;
    tell(Ready{std::min(hello.newest, wire::newest_version), hello.software,
               std::chrono::milliseconds(static_cast<WallMs>(hello.wall_ms) - now.wall_ms()), hello.instance});
    const auto& chain = shared.charters;
    // The same number with other words: what it has is evidence.
    if (hello.charter_version == chain.charter().version && hello.charter != chain.current().digest())
        say(wire::CharterAsk{hello.charter_version});
    push_charter();
    charter_heard_of = hello.charter_version;
    last_gossip = now.instant;
    gossip();
}

void Session::State::on(const wire::CharterAsk& ask, Moment now) {
    const auto& versions = shared.charters.versions();
    for (std::size_t i = std::max<std::uint32_t>(ask.from, 1) - 1, given = 0; i < versions.size() && given < 64; ++i, ++given) {
        if (!control.take(1, now.instant)) return fail("flood", "the peer asks for more than it may");
        say(wire::CharterGive{versions[i].whole()});
    }
}

void Session::State::on(const wire::CharterGive& give, Moment now) {
    const auto document = shared.read_charter(give.document);
    if (!document) return fail("charter", document.error().message);
    const std::uint32_t version = document->charter().version;
    // Signatures are dear to check: whoever brings what nobody knows may do so less often.
    const auto& versions = shared.charters.versions();
    const bool known = version <= versions.size() && versions[version - 1].digest() == document->digest();
    if (!known && !control.take(2, now.instant)) return fail("flood", "the peer brings more charters than it may");
    const auto taken = shared.charters.take(*document, now.wall_seconds());
    charter_heard_of = std::max(charter_heard_of, version);
    if (taken.news == CharterChain::News::gap) say(wire::CharterAsk{shared.charters.charter().version + 1});
    if (taken.news != CharterChain::News::refused) peer_charter = std::max(peer_charter, version);
    if (taken.news == CharterChain::News::known || taken.news == CharterChain::News::gap) return;
    tell(CharterNews{taken.news, version, taken.why});
    if (taken.news == CharterChain::News::accepted) {
        shared.offers.charter_changed(shared.charters.charter());
        if (held) return on(wire::Hello(*held), now);
        if (phase == Phase::ready) standing_is_good(now);
    }
}

void Session::State::on(const wire::CharterProposal& proposal, Moment now) {
    auto document = shared.read_charter(proposal.document);
    if (!document) return fail("charter", document.error().message);
    if (!needs_of(shared.charters.current(), *document)) return;
    if (!control.take(1, now.instant)) return fail("flood", "the peer brings more charters than it may");
    tell(Proposal{shared.charters.checked(std::move(*document))});
}

void Session::State::on(const wire::OfferSummary& summary) {
    wire::OfferAsk ask;
    // What it says that it has counts, not what it was sent: that may have come to nothing.
    peer_offers.clear();
    for (const auto& entry : summary.entries) {
        peer_offers[entry.member] = entry.sequence;
        const auto* mine = shared.offers.find(entry.member);
        if ((!mine || mine->list.sequence < entry.sequence) && shared.charters.charter().active(entry.member))
            ask.members.push_back(entry.member);
    }
    // Names that are nobody's take no room for longer than this session.
    std::erase_if(peer_offers, [&](const auto& each) { return !shared.charters.charter().member(each.first); });
    if (!ask.members.empty()) say(ask);
    push_offers();
}

void Session::State::on(const wire::OfferGive& give, Moment now) {
    const auto parsed = SignedOffers::parse(give.document);
    if (!parsed) return fail("offers", parsed.error().message);
    const std::string member = parsed->list.member;
    switch (shared.offers.take(give.document, shared.charters.charter(), now.wall_seconds())) {
        case OfferMirror::News::accepted:
            peer_offers[member] = std::max(peer_offers[member], parsed->list.sequence);
            return tell(OfferNews{member, OfferMirror::News::accepted});
        case OfferMirror::News::refused:
            // Whoever hands on another's list need not have made it; its own can be nothing but a lie. Keys may have changed
            // with a charter that is not here yet.
            if (member != peer.member || peer_charter > shared.charters.charter().version) return;
            return tell(Misbehaved{"offers", std::format("{} sent offers of its own that do not hold", member)});
        case OfferMirror::News::contradicts:
            tell(OfferNews{member, OfferMirror::News::contradicts});
            if (member != peer.member) return;
            return tell(Misbehaved{"offers_twice", std::format("{} signed two lists of offers with one number", member)});
        case OfferMirror::News::untimely:
        case OfferMirror::News::stranger:
        case OfferMirror::News::known:
        case OfferMirror::News::older: return;
    }
}

void Session::State::on(const wire::CheckpointGive& give) {
    if (give.member == shared.member) return;  // what our own log is, we know
    const auto news = shared.logs.take(give.member, give.note, shared.charters.charter());
    if (news == LogWatch::News::newer && give.member == peer.member)
        if (const auto question = shared.logs.question(give.member)) say(wire::ConsistencyAsk{question->from, question->to});
    if (news != LogWatch::News::known && news != LogWatch::News::refused) tell(LogNews{news, give.member});
    if (news == LogWatch::News::forked && give.member == peer.member) fail("log_forked", std::format("{} shows two logs", peer.member));
}

void Session::State::on(const wire::ConsistencyGive& give) {
    const auto news = shared.logs.answer(peer.member, give.from, give.to, give.hashes);
    if (news != LogWatch::News::known) tell(LogNews{news, peer.member});
    if (news == LogWatch::News::forked) fail("log_forked", std::format("{} shows two logs", peer.member));
}

void Session::State::on_control(const wire::Message& message, Moment now) {
    std::visit(
        [&]<typename M>(const M& each) {
            if constexpr (std::is_same_v<M, wire::Ping>) say(wire::Pong{each.nonce, static_cast<std::uint64_t>(now.wall_ms())});
            else if constexpr (std::is_same_v<M, wire::Pong>) on(each);
            else if constexpr (std::is_same_v<M, wire::Problem>) shut("problem", false);
            else if constexpr (std::is_same_v<M, wire::Goodbye>) shut("goodbye", false);
            else if constexpr (std::is_same_v<M, wire::Hello> || std::is_same_v<M, wire::CharterAsk> ||
                               std::is_same_v<M, wire::CharterGive> || std::is_same_v<M, wire::CharterProposal> ||
                               std::is_same_v<M, wire::OfferGive>)
                on(each, now);
            else if constexpr (std::is_same_v<M, wire::OfferSummary> || std::is_same_v<M, wire::CheckpointGive> ||
                               std::is_same_v<M, wire::ConsistencyGive>)
                on(each);
            else if constexpr (std::is_same_v<M, wire::OfferAsk>) {
                for (const auto& member : each.members)
                    if (const auto* offers = shared.offers.find(member)) {
                        if (!control.take(1, now.instant)) return fail("flood", "the peer asks for more than it may");
                        say(wire::OfferGive{offers->document});
                    }
            } else if constexpr (std::is_same_v<M, wire::ConsistencyAsk>) tell(ConsistencyWanted{each.from, each.to});
            else if constexpr (std::is_same_v<M, wire::Settled>) {
                const bool finished = shared.ledger.state(peer.member, each.key, 0, 0) == TaskLedger::State::finished;
                if (!finished || shared.ledger.settled(peer.member, each.key)) return;  // it is paid for once
                shared.ledger.settle(peer.member, each.key);
                tell(Paid{each.key, each.receipt_id});
            } else fail("message", "a message stands where it does not belong");
        },
        message);
}

// What comes with each task, or with each so many bytes of answers, may come as often as those do.
Session::State::Bound Session::State::bound_of(const wire::Message& message, bool of_task) {
    if (std::holds_alternative<wire::Tokens>(message)) return Bound::none;
    if (of_task || std::holds_alternative<wire::Settled>(message)) return Bound::tasks;
    if (const auto* pong = std::get_if<wire::Pong>(&message))
        return std::ranges::contains(marks, pong->nonce, &Mark::nonce) ? Bound::none : Bound::control;
    if (std::holds_alternative<wire::Ping>(message) && heard_bytes - heard_bytes_at_ping >= shared.limits.unread_max / 16) {
        heard_bytes_at_ping = heard_bytes;
        return Bound::none;
    }
    return Bound::control;
}

void Session::State::heard(const wire::Frame& frame, Moment now) {
    auto message = wire::decode(frame, wire::Limits{.ask_bytes_max = shared.limits.ask_bytes_max});
    if (!message) return fail(message.error().code.empty() ? "malformed" : message.error().code, message.error().message);
    // Tokens are bounded by the credit that we grant; everything else by these.
    const bool of_task = frame.stream != 0;
    if (const auto bound = *message  ? bound_of(**message, of_task)
                           : of_task ? Bound::tasks
                                     : Bound::control;
        bound != Bound::none && !(bound == Bound::tasks ? tasks : control).take(1, now.instant))
        return fail("flood", "the peer sends more messages than it may");
    if (!*message) return;
    if (phase == Phase::greeting && !std::holds_alternative<wire::Hello>(**message) && !std::holds_alternative<wire::Problem>(**message) &&
        !std::holds_alternative<wire::Goodbye>(**message) && !std::holds_alternative<wire::CharterGive>(**message)) {
        if (!held) return fail("hello", "a peer greets before it says anything else");
        // It has been greeted and we are not ready: a question must wait, the rest is said again.
        if (!std::holds_alternative<wire::Task>(**message)) return;
        last_peer_stream = std::max(last_peer_stream, frame.stream);
        return say(wire::Refused{wire::Refusal::overloaded, 1'000}, frame.stream);
    }
    if (of_task) on_stream(**message, frame.stream, now);
    else on_control(**message, now);
}

Session::Session(SessionShared& shared, PeerName peer, Role role) : state_(std::make_unique<State>(shared, std::move(peer), role)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const PeerName& Session::peer() const { return state_->peer; }
bool Session::ready() const { return state_->phase == State::Phase::ready; }
bool Session::closed() const { return state_->phase == State::Phase::closed; }
Effects Session::take() { return std::exchange(state_->effects, {}); }

void Session::open(Moment now) {
    State& s = *state_;
    s.opened = s.last_heard = s.last_ping = now.instant;
    s.phase = State::Phase::greeting;
    const auto& chain = s.shared.charters;
    s.say(wire::Hello{.federation = chain.federation(),
                      .member = s.shared.member,
                      .node = s.shared.node,
                      .instance = s.shared.instance,
                      .charter_version = chain.charter().version,
                      .charter = chain.current().digest(),
                      .wall_ms = static_cast<std::uint64_t>(std::max<WallMs>(now.wall_ms(), 0)),
                      .tasks_max = s.shared.limits.tasks_max,
                      .ask_bytes_max = s.shared.limits.ask_bytes_max,
                      .software = s.shared.software});
}

void Session::received(std::span<const std::byte> bytes, Moment now) {
    State& s = *state_;
    if (s.phase == State::Phase::fresh || s.phase == State::Phase::closed) return;
    s.last_heard = now.instant;
    s.heard_bytes += bytes.size();
    s.reader.add(bytes);
    while (s.phase != State::Phase::closed) {
        const auto frame = s.reader.next();
        if (!frame) return s.fail(frame.error().code.empty() ? "malformed" : frame.error().code, frame.error().message);
        if (!*frame) return;
        s.heard(**frame, now);
        if (s.sent - s.read > 2 * s.shared.limits.unread_max) s.shut("does not read", false);
    }
}

void Session::disconnected(Moment) { state_->shut("disconnected", false); }

void Session::tick(Moment now) {
    State& s = *state_;
    if (s.phase == State::Phase::fresh || s.phase == State::Phase::closed) return;
    const auto& limits = s.shared.limits;
    if (s.phase == State::Phase::greeting && now.instant >= s.opened + limits.hello_within) return s.shut("no hello in time", false);
    if (now.instant >= s.last_heard + limits.silent_max) return s.shut("silent", false);
    if (s.phase == State::Phase::ready && now.instant >= std::max(s.last_heard, s.last_ping) + limits.ping_every) {
        s.last_ping = now.instant;
        s.say(wire::Ping{static_cast<std::uint64_t>(now.wall_ms())});
    }
    if (s.phase != State::Phase::ready || !s.standing_is_good(now)) return;
    if (now.instant >= s.last_gossip + limits.gossip_every) {
        s.last_gossip = now.instant;
        s.gossip();
    }
    for (auto& [stream, task] : s.outgoing) {
        if (task.ended) continue;
        if (task.deadline.passed(now.instant) || (task.messages == 0 && task.first_token_deadline.passed(now.instant)))
            s.cancel(task, stream, "deadline", Ended::How::deadline);
    }
}

std::optional<base::Instant> Session::wakes_at() const {
    const State& s = *state_;
    if (s.phase == State::Phase::fresh || s.phase == State::Phase::closed) return {};
    base::Instant soonest = s.last_heard + s.shared.limits.silent_max;
    if (s.phase == State::Phase::greeting) soonest = std::min(soonest, s.opened + base::Instant::duration(s.shared.limits.hello_within));
    else
        soonest = std::min({soonest, std::max(s.last_heard, s.last_ping) + base::Instant::duration(s.shared.limits.ping_every),
                            s.last_gossip + base::Instant::duration(s.shared.limits.gossip_every)});
    for (const auto& [stream, task] : s.outgoing) {
        if (task.ended) continue;
        if (const auto when = task.deadline.when()) soonest = std::min(soonest, *when);
        if (const auto when = task.first_token_deadline.when(); when && task.messages == 0) soonest = std::min(soonest, *when);
    }
    return soonest;
}

void Session::charter_changed(Moment now) {
    State& s = *state_;
    if (s.phase != State::Phase::ready || !s.standing_is_good(now)) return;
    s.push_charter();
}

void Session::offers_changed(Moment) {
    if (ready()) state_->push_offers();
}

void Session::checkpoint(const std::string& note, Moment) {
    if (ready()) state_->say(wire::CheckpointGive{state_->shared.member, note});
}

void Session::question_log(Moment) {
    const auto question = state_->shared.logs.question(state_->peer.member);
    if (ready() && question) state_->say(wire::ConsistencyAsk{question->from, question->to});
}

void Session::prove_consistency(std::uint64_t from, std::uint64_t to, std::vector<Digest> hashes, Moment) {
    if (ready()) state_->say(wire::ConsistencyGive{from, to, std::move(hashes)});
}

void Session::propose(const CharterDocument& document, Moment) {
    if (ready()) state_->say(wire::CharterProposal{document.whole()});
}

void Session::close(std::string_view reason, Moment) {
    if (state_->phase == State::Phase::closed) return;
    state_->say(wire::Goodbye{std::string(reason)});
    state_->shut(std::string(reason), false);
}

}  // namespace hanse::federation
