// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "journal/note.hpp"

namespace hanse::journal {

// Keys as people hand them to one another: one a line as a vkey, or the lines "log" and "witness" of a policy (C2SP
// tlog-policy), whose other lines are passed over; # begins a comment. `invalid` with the number of the line.
base::Result<std::vector<NoteVerifier>> parse_key_list(std::string_view text);

}  // namespace hanse::journal
