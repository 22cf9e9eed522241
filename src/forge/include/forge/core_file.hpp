// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// The small matrices that owners train between a shared A and B (Fed-SB, lora.hpp), as a file: safetensors with one square F32
// tensor for each tensor of the adapter, of the adapter's rank, by rising name.
struct Core {
    std::string name;
    std::uint32_t size = 0;
    std::vector<float> values;
};
base::Result<void> write_cores(const std::filesystem::path& path, const std::vector<Core>& cores);
// `invalid`, naming the tensor; `corrupt`; `not_found`.
base::Result<std::vector<Core>> read_cores(const std::filesystem::path& path);

}  // namespace hanse::forge
