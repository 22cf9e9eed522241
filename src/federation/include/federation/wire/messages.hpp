// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"

// The words between two nodes, and nowhere else: what the cores make of them are their own values. How they are
// written is in frame.hpp; the meaning of the fields in docs/federation.md. A field that is not there has the value
// that it has here. Numbers of fields and messages are for ever (wire/schema.hpp); samples of every version lie in
// test/federation/samples.
namespace hanse::federation::wire {

// Spoken by this build: all between, both included. A peer names its own, and the newest that both speak is used.
inline constexpr std::uint32_t oldest_version = 1;
inline constexpr std::uint32_t newest_version = 1;

using Digest = crypto::Sha256Digest;
using TaskKey = std::array<std::byte, 16>;  // drawn by the sender: the same for every retry

// --- The connection; stream 0 -----------------------------------------------------------------------------------

struct Hello {
    std::uint32_t oldest = oldest_version;
    std::uint32_t newest = newest_version;
    Digest federation{};  // digest of the charter's first version
    std::string member = {};
    std::string node = {};
    std::array<std::byte, 16> instance{};  // drawn at each start of the node
    std::uint32_t charter_version = 0;
    Digest charter{};
    std::uint64_t wall_ms = 0;    // the sender's clock, Unix milliseconds
    std::uint32_t tasks_max = 0;  // so many may be under way to the one who says this
    std::uint64_t ask_bytes_max = 0;
    std::string software = {};
    bool operator==(const Hello&) const = default;
};
struct Ping {
    std::uint64_t nonce = 0;
    bool operator==(const Ping&) const = default;
};
struct Pong {
    std::uint64_t nonce = 0;
    std::uint64_t wall_ms = 0;
    bool operator==(const Pong&) const = default;
};
// The other side broke the rules or cannot be understood; the connection ends.
struct Problem {
    std::string code = {};
    std::string sentence = {};
    bool operator==(const Problem&) const = default;
};
// It ends, and nobody is at fault: "shutdown", "removed", "suspended", "idle".
struct Goodbye {
    std::string reason = {};
    bool operator==(const Goodbye&) const = default;
};

// --- Charter, offers, logs; stream 0 ----------------------------------------------------------------------------

struct CharterAsk {
    std::uint32_t from = 1;  // all versions from this one on
    bool operator==(const CharterAsk&) const = default;
};
struct CharterGive {
    std::string document = {};
    bool operator==(const CharterGive&) const = default;
};
// A version that still lacks signatures: for people to look at.
struct CharterProposal {
    std::string document = {};
    bool operator==(const CharterProposal&) const = default;
};
struct OfferSummary {
    struct Entry {
        std::string member = {};
        std::uint64_t sequence = 0;
        bool operator==(const Entry&) const = default;
    };
    std::vector<Entry> entries = {};
    bool operator==(const OfferSummary&) const = default;
};
struct OfferAsk {
    std::vector<std::string> members = {};
    bool operator==(const OfferAsk&) const = default;
};
struct OfferGive {
    std::string document = {};
    bool operator==(const OfferGive&) const = default;
};
struct CheckpointGive {
    std::string member = {};
    std::string note = {};
    bool operator==(const CheckpointGive&) const = default;
};
struct ConsistencyAsk {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool operator==(const ConsistencyAsk&) const = default;
};
struct ConsistencyGive {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::vector<Digest> hashes = {};
    bool operator==(const ConsistencyGive&) const = default;
};

// --- A task; each on a stream of its own ------------------------------------------------------------------------

struct Task {
    TaskKey key{};
    std::string kind = {};  // "chat", "completions", "embeddings", "rerank": what the body is
    std::string model = {};
    std::string label = {};  // canonical text of the label of the body
    std::string purpose = {};
    std::uint8_t learning = 0;
    base::Bytes body = {};
    std::uint64_t made_ms = 0;      // the sender's clock when the key was drawn
    std::uint64_t deadline_ms = 0;  // so much is left; 0: none
    std::uint64_t first_token_ms = 0;
    std::uint64_t budget_tokens = 0;  // 0: the receiver's own
    std::uint64_t credit = 0;         // bytes of answer that may be sent before more is granted
    std::uint32_t charter_version = 0;
    std::string trace = {};                 // W3C traceparent
    std::vector<std::string> parents = {};  // ids of records at the sender
    bool operator==(const Task&) const = default;
};
struct Tokens {
    std::uint64_t sequence = 0;  // counts these messages from 0
    base::Bytes events = {};     // the kind's own form
    std::uint64_t count = 0;     // tokens in it
    bool operator==(const Tokens&) const = default;
};
struct Done {
    std::uint64_t messages = 0;  // Tokens messages that there were
    std::string outcome = {};    // "finished", "length", "cancelled", …
    std::string label = {};      // of the answer
    std::string receipt = {};    // the far receipt: it is on disk there
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::string model = {};
    bool operator==(const Done&) const = default;
};
enum class Refusal : std::uint8_t {
    not_found = 1,   // no such model, not for you, not with this label: never said which
    overloaded = 2,  // later
    gone = 3,        // this key ran already and its answer is not kept
};
struct Refused {
    Refusal code = Refusal::not_found;
    std::uint64_t retry_after_ms = 0;
    bool operator==(const Refused&) const = default;
};
struct Cancel {
    std::string reason = {};  // "caller", "deadline", "budget", "shutdown"
    bool operator==(const Cancel&) const = default;
};
struct Credit {
    std::uint64_t bytes = 0;
    bool operator==(const Credit&) const = default;
};
// The sender has the answer and its own receipt on disk: the task may be forgotten, and is paid for.
struct Settled {
    TaskKey key{};
    std::string receipt_id = {};
    bool operator==(const Settled&) const = default;
};

// --- Joining; on a connection that carries nothing else ---------------------------------------------------------

struct JoinAsk {
    std::array<std::byte, 16> invitation{};
    std::array<std::byte, 32> nonce{};
    std::string member = {};  // the newcomer's entry, as text
    Digest proof{};           // that it holds the code, bound to all of this
    bool operator==(const JoinAsk&) const = default;
};
struct JoinTerms {
    std::string proposal = {};               // the version that would have the newcomer in it
    Digest proof{};                          // that the inviter holds the code, bound to the ask and to all of this
    std::vector<std::string> versions = {};  // of the charter, from the one that the code names to the one in force
    bool operator==(const JoinTerms&) const = default;
};
struct JoinConsent {
    std::string signature = {};  // of the proposal's text, by the newcomer
    bool operator==(const JoinConsent&) const = default;
};
struct JoinDone {
    std::vector<std::string> charter = {};  // all versions, the one with the newcomer last
    bool operator==(const JoinDone&) const = default;
};

using Message = std::variant<Hello, Ping, Pong, Problem, Goodbye, CharterAsk, CharterGive, CharterProposal, OfferSummary, OfferAsk,
                             OfferGive, CheckpointGive, ConsistencyAsk, ConsistencyGive, Task, Tokens, Done, Refused, Cancel, Credit,
                             Settled, JoinAsk, JoinTerms, JoinConsent, JoinDone>;

}  // namespace hanse::federation::wire
