// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "journal/log_proof.hpp"
#include "journal/note.hpp"
#include "journal/record_store.hpp"
#include "journal/witness_policy.hpp"

namespace hanse::journal {

// A receipt is a C2SP tlog-proof (journal/log_proof.hpp) whose extra data is
//
//   one byte 0x01 | the salt, 32 bytes | the record's text
//
// from which the log's entry is computed. So one file shows what was recorded and that it stands in the log; the
// keys of the log must be known from elsewhere.
base::Bytes receipt_extra(const StoredRecord& record);

// What a receipt says was recorded, and the entry of the log that stands for it; by itself that proves nothing. `corrupt` if it
// is no receipt.
struct RecordedEntry {
    std::string record;  // JSON
    LogEntry entry{};
};
base::Result<RecordedEntry> recorded_entry(std::string_view text);

// What a receipt shows, once it was checked.
struct Receipt {
    std::string record;  // JSON
    std::uint64_t index = 0;
    Checkpoint checkpoint;
    struct Signer {
        std::string name;
        std::string algorithm;
        std::uint64_t time = 0;  // POSIX; 0 where the signature has none
        bool operator==(const Signer&) const = default;
    };
    std::vector<Signer> signers;       // those whose signatures were checked, by known keys
    std::vector<std::string> unknown;  // key names of signatures by keys that are not known
    // Whether enough witnesses saw the tree, where a policy was asked.
    std::optional<WitnessPolicy::Verdict> policy = {};
};

// `corrupt` if it is no receipt or its proof does not lead to the root; `denied` if a known key's signature is wrong.
// No known signature is no error here: signers is empty then, and nothing is proven.
base::Result<Receipt> read_receipt(std::string_view text, std::span<const NoteVerifier> known);
// The same with the keys of a policy, and `log_keys` beside them; `policy` of the receipt says what it is worth.
base::Result<Receipt> judge_receipt(std::string_view text, const WitnessPolicy& policy, std::span<const NoteVerifier> log_keys = {});

}  // namespace hanse::journal
