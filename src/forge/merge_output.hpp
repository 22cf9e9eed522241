// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "forge/merge.hpp"
#include "forge/tensor_writer.hpp"
#include "merge_plan.hpp"

namespace hanse::forge {

// What stands beside the weights of a merge: who the parents were, the configuration, the tokenizer, the manifest.

base::Result<void> check_output(const MergePlan& plan, const MergeRecipe& recipe, const std::filesystem::path& output);
base::Result<void> digest_parents(const MergePlan& plan, MergeSummary& summary, Crew& crew);
Metadata output_metadata(const MergePlan& plan, const MergeRecipe& recipe, const MergeSummary& summary, std::uint64_t seed);
// Two runs with the same one write the same bytes.
std::string resume_key(const MergeRecipe& recipe, const MergeSummary& summary, std::uint64_t seed);
// config.json with what the merge changed, tokenizer and chat template; nothing for GGUF, which holds them itself.
base::Result<void> write_companions(const MergePlan& plan, const MergeRecipe& recipe, const std::filesystem::path& output);
base::Result<void> write_manifest(const MergePlan& plan, const MergeRecipe& recipe, const MergeSummary& summary,
                                  const MergeOptions& options, const TensorWriter& writer, Crew& crew, const Signer& signer);

}  // namespace hanse::forge
