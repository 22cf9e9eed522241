// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/key_change.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// The sets of keys that a node has, each in a file of its own.
enum class KeyPurpose : std::uint8_t { identity, log, witness };
std::string_view name(KeyPurpose purpose);
std::optional<KeyPurpose> key_purpose_named(std::string_view name);
std::filesystem::path key_file(const DataDirectory& data, KeyPurpose purpose);

// What became of keys that are known, by statements of themselves.
struct KeyHistory {
    std::vector<crypto::PublicKey> keys = {};                 // of today
    std::vector<std::vector<crypto::PublicKey>> former = {};  // that they replaced, the youngest first
    std::optional<crypto::KeyChange> revocation = {};         // they are not to be believed any more
};
// From keys that are known, of whatever time, and statements in any order; those about other keys are passed over. `denied` if
// statements contradict each other or do not hold.
base::Result<KeyHistory> history_of(std::vector<crypto::PublicKey> known, std::span<const crypto::KeyChange> changes);

// A node keeps its statements in key-changes/, one a file; they are for everybody.
struct KeyStatement {
    std::filesystem::path file;
    crypto::KeyChange change;
};
base::Result<std::vector<KeyStatement>> key_statements(const DataDirectory& data);
base::Result<KeyHistory> key_history(const DataDirectory& data, KeyPurpose purpose);
// `denied` with what to do if the keys in that file were revoked.
base::Result<void> refuse_revoked(const DataDirectory& data, KeyPurpose purpose);
// SHA-256 over algorithms and keys, as crypto::Identity gives it.
std::string fingerprint_of(std::span<const crypto::PublicKey> keys);

// Both ask for a data directory in which no node runs, and put on record what they do (own_keys_changed, own_keys_revoked).
//
// A rotation is done in this order, so that a power cut leaves the old keys or the new ones, with the statement if the new:
// the new key file beside the old, the statement, then the new file takes the old one's name.
struct KeyChangeParts {
    DataDirectory data;
    const Config& config;
    const base::Environment& environment;
    base::Clock& clock;
    base::Random& random;
};
struct ChangedKeys {
    std::filesystem::path file;
    std::filesystem::path statement;
    std::string fingerprint;
};
// `token`: URI of the key in a token that is the next classical one; for an identity only.
base::Result<ChangedKeys> rotate_keys(const KeyChangeParts& parts, KeyPurpose purpose, std::string_view reason, const std::string& token);
base::Result<ChangedKeys> revoke_keys(const KeyChangeParts& parts, KeyPurpose purpose, std::string_view reason);
// Ends what a power cut left half done; by whoever holds the data directory.
base::Result<void> finish_rotations(const DataDirectory& data);

}  // namespace hanse::node
