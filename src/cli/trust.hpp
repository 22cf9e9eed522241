// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "context.hpp"
#include "journal/note.hpp"

namespace hanse::cli {

// Whose signatures are believed: the keys given, those of a file (one a line as "vkey", or the lines "log VKEY" and "witness NAME
// VKEY" of C2SP tlog-policy; # begins a comment), and where neither was given, those of the node on this machine.
base::Result<std::vector<journal::NoteVerifier>> trusted_keys(const Context& context, const std::vector<std::string>& keys, const std::string& file);

}  // namespace hanse::cli
