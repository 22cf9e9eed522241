// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "journal/record.hpp"

namespace hanse::task {

class Key;
struct Passage;

// What will stand in the record of one task. Gathered on the task's way by whoever knows: `api` what came in and what
// goes out, the desk what was decided and who computed it, federation what a partner's node vouches for (`parents`). Shared
// with the recorder's thread from Desk::record() on, and changed by nobody until that returns.
struct Evidence {
    journal::RecordId id{};                       // known, and told to the caller, before the record is there
    base::WallTime began{};
    std::string input = {};                       // what the caller sent, byte for byte
    std::vector<std::string> outputs = {};        // what the caller gets, by choice
    std::vector<journal::SaltedDigest> digested = {};  // instead of `outputs`, of what passed through in pieces
    std::string_view output_form = "body";        // what `outputs` are: "text" of an answer, its "body", a "stream" of events
    std::string_view route = {};                  // static text
    std::string idempotency = {};
    std::vector<std::string> transformations = {};
    std::vector<std::string> parents = {};        // receipts that this one builds on: of earlier turns, of other nodes
    std::string asked_by = {};                    // the member whose task this is; empty: asked here
    std::string asked_as = {};                    // the key of its task
    std::optional<journal::AnswerRecord::Partner> partner = {};  // the member that answered instead of this node
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;
    std::uint32_t completion_tokens = 0;

    // Filled in by the desk.
    std::string task = {};
    std::string model = {};
    std::string model_digest = {};
    std::vector<std::string> adapters = {};
    std::vector<std::string> experts = {};
    std::string backend = {};
    std::shared_ptr<Key> key = {};
    std::shared_ptr<const Passage> passage = {};
    std::string outcome = {};
    std::uint64_t took_ms = 0;
    std::optional<double> energy_mark = {};       // of EnergyLedger, while it runs
    std::optional<journal::Energy> energy = {};
    bool recorded = false;                        // handed over, whatever came of it
};

// The same as the journal has it; draws a salt for each digest. `profile` is of the node's keys.
journal::AnswerRecord answer_record(const Evidence& evidence, std::string_view profile, base::Random& random);

// HMAC-SHA256 (RFC 2104) of bytes that pass in pieces, under a salt of its own.
class PassingDigest {
public:
    explicit PassingDigest(base::Random& random);
    ~PassingDigest();
    PassingDigest(PassingDigest&&) noexcept;
    PassingDigest& operator=(PassingDigest&&) noexcept;
    void saw(std::string_view piece);
    journal::SaltedDigest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
