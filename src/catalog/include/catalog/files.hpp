// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hanse::catalog {

// Files as wholes, blocking. Errors: not_found, denied, else unavailable, with the path and the system's word.

// Writes to a neighbour, syncs, renames: after a power cut the old content or the new one, never half.
base::Result<void> write_file_whole(const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);
base::Result<std::string> read_file_whole(const std::filesystem::path& path, std::size_t limit);
// 64 hexadecimal digits; `progress` is told the bytes read so far.
base::Result<std::string> sha256_of_file(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& progress = {});

}  // namespace hanse::catalog
