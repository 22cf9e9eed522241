// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "journal/note.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

// Proof that an entry stands in a log, to be checked without it (C2SP tlog-proof, file extension .tlog-proof):
//
//   c2sp.org/tlog-proof@v1
//   extra <base64>              what the leaf is computed from, if it is there
//   index <decimal>
//   <base64 of a hash>…         from the leaf's sibling up
//   (empty line)
//   <the checkpoint, signed>
struct LogProof {
    std::optional<base::Bytes> extra;
    std::uint64_t index = 0;
    std::vector<Hash> hashes;
    std::string checkpoint;  // a note, as it was served

    std::string text() const;
    // At most 2 MiB and 63 hashes; `corrupt` with the line otherwise.
    static base::Result<LogProof> parse(std::string_view text);
};

}  // namespace hanse::journal
