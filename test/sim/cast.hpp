// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "federation/charter_chain.hpp"
#include "federation/receipts.hpp"
#include "journal/log.hpp"

// Who plays: fifty members with keys, made once for all federations of a process, since making keys takes longer than
// a federation does.
namespace hanse::sim {

inline constexpr std::size_t cast_max = 50;
inline constexpr std::int64_t began = 1'795'521'600;  // 2026-11-24T12:00:00Z

struct Actor {
    std::string name;
    crypto::IdentityKey key;
    journal::LogKeys log_keys;
    federation::Digest secret{};  // of the quick signatures
};
const std::vector<Actor>& cast();
std::size_t index_of(std::string_view name);  // cast_max and more for somebody else

// What member `index` is: its country, who can order it, and which contents it is cleared for, in truth.
struct Facts {
    std::string country;
    std::string control;
    bool personal;
};
Facts facts_of(std::size_t index);

// Quick signatures: a code under a secret that only the simulator hands to its owner. `real` ones are the hybrid of
// crypto::IdentityKey.
federation::Sign sign_of(std::size_t index, bool real);
federation::Verify verify_of(bool real);

// The first version for that many members, signed by all. The first seven may amend; `quorum` of them do.
// Log keys, which are long, stand in it where somebody is to check with them.
const federation::CharterDocument& first_version(std::size_t nodes, std::uint32_t quorum, bool real, bool log_keys);
// Reads charters, each text once in the life of this process.
base::Result<federation::CharterDocument> read_charter(std::string_view whole);

// A receipt that is quickly made: the record and a code that only the log's owner can make.
std::string quick_receipt(std::size_t index, std::string_view record_id, std::string_view record);
base::Result<federation::FarReceipt> check_quick_receipt(std::size_t index, std::string_view sender, const federation::TaskKey& key,
                                                         std::string_view receipt);

}  // namespace hanse::sim
