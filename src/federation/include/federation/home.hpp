// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/identity.hpp"
#include "crypto/node_certificate.hpp"
#include "federation/charter.hpp"
#include "federation/charter_chain.hpp"

namespace hanse::federation {

// What a member's node keeps of the federation, in one folder of its data directory. Commands and the running node share
// it: files are replaced as a whole, and the node looks for changes once a second.
//
//   root.key         the member's root identity; may lie on another machine
//   node.key         this node's identity
//   node.pem         its certificate by the root; node.request where the root is elsewhere
//   charter/000001   the versions of the charter
//   proposal         a next version that waits for signatures
//   ballot           what this member signed
//   invitations/     one file each, gone when used or expired
//   offers           what this node offered last, with its number
//   tasks            the ledger of remote tasks
//   logs/NAME        the largest checkpoint of that member's log that was seen and holds
//   evidence/NAME    two checkpoints that cannot both be of one log, each signed by that member
//
// Blocks on the disk; errors say which file.
struct Home {
    std::filesystem::path root;
    std::filesystem::path root_key() const { return root / "root.key"; }
    std::filesystem::path node_key() const { return root / "node.key"; }
    std::filesystem::path certificate() const { return root / "node.pem"; }
    std::filesystem::path request() const { return root / "node.request"; }
    std::filesystem::path charter() const { return root / "charter"; }
    std::filesystem::path proposal() const { return root / "proposal"; }
    std::filesystem::path ballot() const { return root / "ballot"; }
    std::filesystem::path invitations() const { return root / "invitations"; }
    std::filesystem::path offers() const { return root / "offers"; }
    std::filesystem::path tasks() const { return root / "tasks"; }
    std::filesystem::path log_of(std::string_view member) const { return root / "logs" / member; }
    std::filesystem::path evidence(std::string_view member) const { return root / "evidence" / member; }

    // There is a charter: this house is in a federation, or was.
    bool in_federation() const;
    bool has_root_key() const;
};

// Files of it as wholes: what was there before a power cut, or what is now. `not_found` if there is none.
base::Result<std::string> read_file(const std::filesystem::path& file);
base::Result<void> write_file(const std::filesystem::path& file, std::string_view text);

// Makes the folder (0700) if it is missing.
base::Result<void> prepare(const Home& home);
// A fresh identity in a key file; `invalid` if one is there.
base::Result<crypto::IdentityKey> create_identity(const std::filesystem::path& file, std::string name, crypto::Profile profile,
                                                  const crypto::Secret& passphrase, base::Random& random);
base::Result<crypto::IdentityKey> read_identity(const std::filesystem::path& file, const crypto::Secret& passphrase = {});

base::Result<std::vector<CharterDocument>> read_versions(const Home& home);
base::Result<CharterChain> read_charter(const Home& home);
// Durable when it returns.
base::Result<void> save_version(const Home& home, const CharterDocument& document);

// Writes down that this member signs that version, durable, before the signature is given away. `denied` if it signed
// another one of the same number.
base::Result<void> cast_ballot(const Home& home, const CharterDocument& document);

// Certificates live this long, and are renewed when a third of it is left.
inline constexpr std::chrono::hours certificate_life{72};
enum class Renewal : std::uint8_t {
    good,       // nothing to do
    renewed,    // a new certificate is there
    requested,  // the root is elsewhere: node.request waits to be certified
};
// What a node does at its start and every hour: by itself where the root's key is at hand and open.
base::Result<Renewal> renew_certificate(const Home& home, const crypto::IdentityKey& node, const crypto::Identity& root,
                                        base::WallTime now);
// The certificate that was issued elsewhere for this node's request.
base::Result<void> take_certificate(const Home& home, const crypto::Identity& root, std::string_view pem, base::WallTime now);

}  // namespace hanse::federation
