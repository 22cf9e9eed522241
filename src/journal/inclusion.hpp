// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "journal/tree.hpp"

namespace hanse::journal {

// RFC 9162, section 2.1.3.2, for its outcome instead of for a comparison: the root that an inclusion proof leads to; nothing
// if the index lies beyond the tree or the proof has another length than its place asks for.
std::optional<Hash> root_of_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof);

}  // namespace hanse::journal
