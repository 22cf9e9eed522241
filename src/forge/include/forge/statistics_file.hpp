// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "forge/statistics.hpp"

namespace hanse::forge {

// An owner's statistics as a file that it hands out: safetensors with the I64 tensors "products" {layers, width·(width+1)/2} and
// "sums" {layers, width}, and in its metadata "kind", "expert", "trunk" (forge::trunk_digest) and "tokens".
// A secure sum (sum_round.hpp) splits it: each owner's open part has products of 0, and the sum of all products is a file of its
// own, of nobody, with sums of 0.
inline constexpr std::string_view summed_expert = "*";

struct StatisticsFile {
    std::string expert;
    std::string trunk_digest;
    Statistics statistics;
    bool operator==(const StatisticsFile&) const = default;
};

base::Result<void> write_statistics(const std::filesystem::path& path, const StatisticsFile& file);
// `invalid` or `corrupt`, naming the field; `not_found`.
base::Result<StatisticsFile> read_statistics(const std::filesystem::path& path);

}  // namespace hanse::forge
