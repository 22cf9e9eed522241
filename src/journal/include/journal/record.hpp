// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "journal/canonical.hpp"
#include "journal/record_store.hpp"

namespace hanse::journal {

// The records of the journal as JSON; every kind with its fields is in docs/journal.md. Each has
//
//   "v" 1, "kind", "id" ("hr_" and 32 hex digits), "time" (RFC 3339, UTC, milliseconds), "node"
//
// and what its kind says beside these.

// 48 bits of the milliseconds since 1970, 80 random bits.
RecordId new_record_id(base::WallTime now, base::Random& random);
std::string text_of(const RecordId& id);
std::optional<RecordId> record_id_of(std::string_view text);

std::string time_text(base::WallTime time);

// One record; `fields` are those of its kind.
NewRecord make_record(const RecordId& id, base::WallTime now, std::string_view node, std::string_view kind, CanonicalObject fields);

// A text that is not kept, as it stands in a record: HMAC-SHA256 of its bytes under a salt of its own, so that who
// has the receipt and the text can show that they belong together, and nobody can guess the text from the receipt.
struct SaltedDigest {
    Salt salt{};
    Hash hmac{};
    static SaltedDigest of(std::string_view text, base::Random& random);
    bool fits(std::string_view text) const;
    CanonicalObject fields() const;
};

// What an answer cost in energy: read from a meter of the machine, or worked out from processor time.
struct Energy {
    enum class How : std::uint8_t { measured, modelled };
    std::uint64_t millijoules = 0;
    How how = How::modelled;
};
std::string_view name(Energy::How how);

// What an answer leaves behind. Empty texts are left out: not known is not the same as none.
struct AnswerRecord {
    std::string task = {};         // "req_…"
    std::string route = {};        // as "/v1/chat/completions"
    std::string caller = {};       // id of the API key
    std::string idempotency = {};  // the caller's word by which it knows one request sent twice
    std::string place = {};        // of the policy: where the data went
    std::string model = {};
    std::string model_digest = {};  // "sha256:…" of the model's file
    std::vector<std::string> adapters = {};
    std::vector<std::string> experts = {};  // of a mixture, those that took part
    std::string backend = {};   // what computed it, or the upstream's name
    std::string label = {};     // of the answer
    std::string decision = {};  // "permit", "permit_after"
    std::vector<std::string> transformations = {};
    std::optional<SaltedDigest> input = {};  // the bytes of the request
    std::vector<SaltedDigest> outputs = {};  // by choice
    std::string output_form = {};            // what they are of: "text", "body", "stream"
    std::string outcome = {};                // "finished", "cancelled", or the code of the error
    std::string began = {};                  // when the request came, as time_text()
    std::string kept_until = {};             // the texts themselves are kept, and how long; empty: not at all
    std::string profile = {};                // of the node's keys, crypto/identity.hpp
    std::optional<Energy> energy = {};       // of what was computed here
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t took_ms = 0;
    std::vector<std::string> parents = {};  // receipts that this one builds on
    // Another member's node that answered: its receipt, and whether this node has checked that it proves this very task.
    struct Partner {
        std::string member = {};
        std::string receipt = {};     // a parent; empty where it named none
        std::string unverified = {};  // why it proves nothing; empty: it does
    };
    std::optional<Partner> partner = {};
    CanonicalObject fields() const;
};

}  // namespace hanse::journal
