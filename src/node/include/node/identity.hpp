// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/identity.hpp"
#include "journal/log.hpp"
#include "journal/witness.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// What a node signs with: as itself (two algorithms together), and as its journal, whose name is the node's with "/journal"
// behind; and as a witness of others. All lie in the data directory as key files of mode 0600 (crypto/key_file.hpp).
struct NodeKeys {
    crypto::IdentityKey identity;
    journal::LogKeys log;
};

// The passphrase of the key files: from the file that the configuration names, else from the credential hanse-passphrase that
// the service manager gives, else none.
base::Result<crypto::Secret> identity_passphrase(const IdentityConfig& config, const base::Environment& environment);

// How to reach the token of the configuration, with the PIN; nothing where it speaks of none.
base::Result<std::optional<crypto::TokenAccess>> identity_token(const IdentityConfig& config, const base::Environment& environment);

// Makes what is missing; whether anything was. Never replaces a key. With `token` the classical key of the identity is the one
// there that the configuration names.
base::Result<bool> make_keys(const DataDirectory& data, const IdentityConfig& config, const crypto::Secret& passphrase, base::Random& random,
                             const crypto::TokenAccess* token = nullptr);
// Opens them: `denied` for a wrong passphrase or permissions, `corrupt` if a file is damaged, `not_found` if there is none.
base::Result<NodeKeys> open_keys(const DataDirectory& data, const crypto::Secret& passphrase, const crypto::TokenAccess* token = nullptr);
// What it signs other nodes' logs with: the node's name with "/witness" behind.
base::Result<journal::WitnessKeys> open_witness_keys(const DataDirectory& data, const crypto::Secret& passphrase);

// What anybody may know of it; readable without the passphrase.
struct ShownIdentity {
    crypto::Identity identity;
    std::vector<journal::NoteVerifier> log;
    std::vector<journal::NoteVerifier> witness;
    bool protected_by_passphrase = false;
    std::string token = {};                                              // URI of the classical key, where it lies in a token
    std::vector<std::vector<journal::NoteVerifier>> former_log = {};     // keys of the journal that were replaced, the youngest first
    std::size_t replaced = 0;                                            // how often those of the identity were
    bool revoked = false;                                                // the identity's keys are not to be believed any more
};
// A log's keys as those who check it have them; in the order of its key file.
base::Result<std::vector<journal::NoteVerifier>> log_verifiers(const std::string& name, const std::vector<crypto::PublicKey>& keys);
base::Result<ShownIdentity> shown_identity(const DataDirectory& data);

}  // namespace hanse::node
