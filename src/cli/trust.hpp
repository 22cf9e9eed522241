// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "context.hpp"
#include "journal/note.hpp"
#include "journal/witness_policy.hpp"

namespace hanse::cli {

// Whose signatures are believed: the keys given, those of a file (one a line as "vkey", or the lines "log VKEY" and "witness NAME
// VKEY" of C2SP tlog-policy; # begins a comment), and where neither was given, those of the node on this machine. Then the keys
// that statements say they replaced or were replaced by (crypto/key_change.hpp): those of the files `changes`, and of this
// machine's node its own. `denied` for a log whose keys were revoked.
struct TrustedKeys {
    std::vector<journal::NoteVerifier> keys;                 // of today
    std::vector<std::vector<journal::NoteVerifier>> former;  // of logs, each set as it was replaced
    // Those that a note is to be checked with: of the log that it is of, the set that signed it.
    std::vector<journal::NoteVerifier> of(const journal::Note& note) const;
};
base::Result<TrustedKeys> trusted_keys(const Context& context, const std::vector<std::string>& keys, const std::string& file,
                                       const std::vector<std::string>& changes = {});
// A policy file (C2SP tlog-policy); nothing where none is named.
base::Result<std::optional<journal::WitnessPolicy>> witness_policy(const std::string& file);

}  // namespace hanse::cli
