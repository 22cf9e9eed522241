// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/identity.hpp"
#include "journal/log.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// What a node signs with: as itself (two algorithms together), and as its journal, whose name is the node's with "/journal"
// behind. Both lie in the data directory as key files of mode 0600 (crypto/key_file.hpp).
struct NodeKeys {
    crypto::IdentityKey identity;
    journal::LogKeys log;
};

// The passphrase of the key files: from the file that the configuration names, else from the credential hanse-passphrase that
// the service manager gives, else none.
base::Result<crypto::Secret> identity_passphrase(const IdentityConfig& config, const base::Environment& environment);

// Makes what is missing; whether anything was. Never replaces a key.
base::Result<bool> make_keys(const DataDirectory& data, const IdentityConfig& config, const crypto::Secret& passphrase, base::Random& random);
// Opens them: `denied` for a wrong passphrase or permissions, `corrupt` if a file is damaged, `not_found` if there is none.
base::Result<NodeKeys> open_keys(const DataDirectory& data, const crypto::Secret& passphrase);

// What anybody may know of it; readable without the passphrase.
struct ShownIdentity {
    crypto::Identity identity;
    std::vector<journal::NoteVerifier> log;
    bool protected_by_passphrase = false;
};
base::Result<ShownIdentity> shown_identity(const DataDirectory& data);

}  // namespace hanse::node
