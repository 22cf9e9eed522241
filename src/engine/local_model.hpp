// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/model.hpp"

namespace hanse::engine {

// How much cache a model gets: `sequences` at once, each with `context` tokens of its own. What the spec
// leaves open is chosen so that several sequences fit into a modest share of the machine's memory.
struct CacheShape {
    std::uint32_t context = 0;
    std::uint32_t sequences = 0;
};
CacheShape choose_cache(const ModelSpec& spec, std::uint32_t context_trained, std::uint64_t token_bytes, std::uint64_t machine_memory);

}  // namespace hanse::engine
