// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "merge_plan.hpp"

namespace hanse::forge {

// tokenizer.json for a vocabulary that was put together: the leading model's with the tokens, merges and special tokens that it lacks, each
// at the number that its embedding has. `invalid` where the leading model has no tokenizer.json to add to and something is to be added.
base::Result<void> write_merged_tokenizer(const MergePlan& plan, const std::filesystem::path& leading, const std::filesystem::path& output);

}  // namespace hanse::forge
