// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "federation/charter_chain.hpp"
#include "federation/log_watch.hpp"
#include "federation/offers.hpp"
#include "federation/task_ledger.hpp"
#include "federation/wire/frame.hpp"
#include "label/labelled.hpp"

namespace hanse::federation {

// Both clocks of one moment.
struct Moment {
    base::Instant instant;
    base::WallTime wall;
    WallMs wall_ms() const { return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count(); }
    std::int64_t wall_seconds() const { return std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch()).count(); }
};

// Who is at the other end: as the transport has proved it, not as anybody says.
struct PeerName {
    std::string member;
    std::string node;
    friend bool operator==(const PeerName&, const PeerName&) = default;
};

struct SessionLimits {
    std::uint32_t tasks_max = 64;  // of the peer, under way here
    std::size_t ask_bytes_max = 4 * 1024 * 1024;
    std::size_t answer_credit = 256 * 1024;       // bytes of an answer on their way to us
    std::size_t answer_waiting_max = 256 * 1024;  // bytes of an answer that wait for the peer's credit
    // Bytes that the peer has not shown to have read (it answers pings whose number it cannot guess). Beyond it no answer
    // and no question goes out; beyond twice as much the session ends, so that nobody makes memory grow by not reading.
    std::size_t unread_max = 8 * 1024 * 1024;
    std::chrono::milliseconds hello_within{10'000};
    std::chrono::milliseconds ping_every{15'000};  // of silence
    std::chrono::milliseconds silent_max{40'000};
    std::chrono::milliseconds gossip_every{30'000};  // what each has is told again: clocks may have been wrong before
    std::uint32_t control_burst = 256;               // messages beside tasks: at once, and a second
    std::uint32_t control_per_second = 32;
    std::uint32_t task_burst = 4'096;  // asks, cancels, credits
    std::uint32_t task_per_second = 2'048;
};

// A task for the peer. The same key for every retry of it at this peer. Purpose, learning and label are the permit's.
struct RemoteTask {
    TaskKey key{};
    std::string kind = {};
    std::string model = {};
    WallMs made_ms = 0;  // when the key was drawn
    base::Deadline deadline = {};
    base::Deadline first_token_deadline = {};
    std::uint64_t budget_tokens = 0;  // 0: no more than the peer allows
    std::uint64_t answer_bytes_max = 64 * 1024 * 1024;
    std::string trace = {};
    std::vector<std::string> parents = {};
};

// What the far receipt shows: that this very task is in the far log. Or why that is not shown, where the answer is taken
// all the same: then it is for the near record to say so.
struct FarReceipt {
    std::string id = {};      // "hr_…", a parent of the near record
    std::string record = {};  // JSON
    std::string checkpoint = {};  // of the far log, a signed note: for LogWatch
    std::string unverified = {};  // one clause; empty: it is proven
};

// What the receiver's own rule says of a task, asked at the time of use.
struct Admission {
    enum class Verdict : std::uint8_t { run, not_found, overloaded };
    Verdict verdict = Verdict::not_found;
    std::chrono::milliseconds retry_after{0};
};

// --- What a session tells its shell ------------------------------------------------------------------------------

struct Ready {
    std::uint32_t version = 0;  // of the protocol
    std::string software = {};
    std::chrono::milliseconds clock_ahead{0};  // the peer's clock, by its own word
    std::array<std::byte, 16> instance{};
};
// Receiver: run this. First make TaskLedger::begun_line() durable.
struct Run {
    TaskKey key{};
    wire::Task task;
    base::Deadline deadline = {};
};
// Receiver: nobody waits for it any more. Stop it, record what was, and call finish() all the same (or, if the session
// is closed, TaskLedger::abandon()).
struct Stop {
    TaskKey key{};
    std::string reason = {};
};
// Receiver: the sender has the answer and its own receipt.
struct Paid {
    TaskKey key{};
    std::string receipt_id = {};
};
// Sender: part of the answer. Call consumed() when it is used.
struct Part {
    TaskKey key{};
    wire::Tokens tokens;
};
// Sender: the end, once for each task that start() took. After `answered`, record the near receipt with the far one
// as its parent, durable, and only then acknowledge to the caller and call settle().
struct Ended {
    enum class How : std::uint8_t {
        answered,
        not_found,  // refused, for a reason that only the peer knows
        overloaded,
        broken,      // connection lost, or the peer gave up
        misbehaved,  // the peer broke the rules; it counts against it
        deadline,
        budget,
        cancelled,  // by cancel()
    };
    TaskKey key{};
    How how = How::broken;
    bool after_first_token = false;  // before it, the next candidate may be tried
    std::chrono::milliseconds retry_after{0};
    wire::Done done = {};
    FarReceipt receipt = {};
};
struct CharterNews {
    CharterChain::News news{};
    std::uint32_t version = 0;
    std::string why = {};
};
// A version with not enough signatures: for the administrator.
struct Proposal {
    CharterDocument document;
};
// A newer list of this member, or one that contradicts another (OfferMirror::contradictions()): then it is no matter
// of the one who brought it.
struct OfferNews {
    std::string member = {};
    OfferMirror::News news = OfferMirror::News::accepted;
};
struct LogNews {
    LogWatch::News news{};
    std::string member = {};
};
// The peer asks whether this node's own log continues itself: answer with prove_consistency().
struct ConsistencyWanted {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};
// For the journal, and against the peer.
struct Misbehaved {
    std::string code = {};
    std::string sentence = {};
};
// The last event: close the connection once what is to be sent has gone, at the latest after a second.
struct Closed {
    std::string reason = {};
    bool peer_at_fault = false;
};
using SessionEvent =
    std::variant<Ready, Run, Stop, Paid, Part, Ended, CharterNews, Proposal, OfferNews, LogNews, ConsistencyWanted, Misbehaved, Closed>;

struct Effects {
    base::Bytes send = {};
    std::vector<SessionEvent> events = {};
};

// What all sessions of a node share. Belongs to the shell, which keeps everything alive longer than its sessions and
// calls all of it on one thread (or strand).
struct SessionShared {
    std::string member;  // this node's
    std::string node;
    std::array<std::byte, 16> instance{};
    std::string software = {};
    CharterChain& charters;
    OfferMirror& offers;
    LogWatch& logs;
    TaskLedger& ledger;
    // Of this node's own log, as it was published last; empty where there is none. Told to every peer, with those of others.
    std::string checkpoint = {};
    // The receiver's own decision, at the time of use: label, model, room. It must not trust the peer's word for anything
    // but what stands in the task.
    std::function<Admission(const PeerName& from, const wire::Task& task, const Moment& now)> admit;
    // `corrupt`, `denied` unless it is a receipt of that member's log for that very task: then the answer is not taken.
    std::function<base::Result<FarReceipt>(const PeerName& from, const TaskKey& key, const wire::Done& done)> check_receipt;
    SessionLimits limits = {};
    // Numbers that no peer can guess.
    std::function<std::uint64_t()> draw = [] { return base::SystemRandom().next(); };
    // A node that remembers what it has read may bring its memory.
    std::function<base::Result<CharterDocument>(std::string_view whole)> read_charter = [](std::string_view whole) {
        return CharterDocument::parse(whole);
    };
};

// One connection to one peer: the protocol without a socket, as Botan's TLS channel is (botan/src/lib/tls). The shell
// feeds bytes and time and carries out effects; it may run on anything. Whatever the peer sends, memory stays within the
// limits, nothing is thrown, and the worst that happens is Closed.
//
// Made when the transport has authenticated the peer; open() first. After each call the shell asks take().
class Session {
public:
    enum class Role : std::uint8_t { dialed, accepted };
    Session(SessionShared& shared, PeerName peer, Role role);
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;

    void open(Moment now);
    void received(std::span<const std::byte> bytes, Moment now);
    // The connection is gone; everything under way ends.
    void disconnected(Moment now);
    // Timers. To be called at wakes_at(), or earlier.
    void tick(Moment now);
    std::optional<base::Instant> wakes_at() const;
    Effects take();

    const PeerName& peer() const;
    bool ready() const;
    bool closed() const;

    // --- Sender. The body leaves only with the permit for its own label and this peer's place. `words` are those that the
    // label is of; its text travels with the body. `unavailable` if the session is not ready, `overloaded` if the peer
    // takes no more, `denied` if the permit is for something else, `deadline` if it has passed.
    base::Result<void> start(const RemoteTask& task, label::Labelled<base::Bytes> body, const label::Permit& permit,
                             const label::Clearance& peer, const label::Vocabulary& words, Moment now);
    void cancel(const TaskKey& key, std::string_view reason, Moment now);
    void consumed(const TaskKey& key, std::size_t bytes, Moment now);
    void settle(const TaskKey& key, std::string_view receipt_id, Moment now);
    std::size_t asked() const;  // tasks of ours that have not ended

    // --- Receiver. answer() is false once the peer is too slow or gone: the run should be stopped.
    bool answer(const TaskKey& key, base::Bytes events, std::uint64_t count, Moment now);
    // Bytes that wait for credit; the run should pause while there are many.
    std::size_t waiting(const TaskKey& key) const;
    // The record is durable and `done.receipt` shows it. `messages` is filled in.
    void finish(const TaskKey& key, wire::Done done, Moment now);
    // It could not be run after all, and nothing of it went out.
    void refuse(const TaskKey& key, wire::Refusal why, std::chrono::milliseconds retry_after, Moment now);

    // --- News from elsewhere in this node.
    void charter_changed(Moment now);
    void offers_changed(Moment now);
    void checkpoint(const std::string& note, Moment now);  // of this node's own log
    // Asks the peer to show that its log continues itself, where LogWatch has a question: a checkpoint that others showed.
    void question_log(Moment now);
    void prove_consistency(std::uint64_t from, std::uint64_t to, std::vector<Digest> hashes, Moment now);
    void propose(const CharterDocument& document, Moment now);
    // Says goodbye; running tasks of the peer are stopped, ours end as `broken`.
    void close(std::string_view reason, Moment now);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::federation
