// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "forge/merge.hpp"
#include "forge/tensor_writer.hpp"
#include "merge_method.hpp"
#include "token_map.hpp"

namespace hanse::forge {

// A recipe fitted to the files that it names: every output tensor with its inputs.
struct MergePlan {
    std::vector<ModelName> names;
    std::vector<TensorFile> models;
    std::size_t leading = 0;  // whose configuration and tokenizer the output takes
    std::vector<TensorTask> tasks;
    std::uint64_t layers = 0;
    TensorFormat format = TensorFormat::safetensors;
    std::optional<TokenMap> tokens = {};  // where vocabularies are put together
};

base::Result<MergePlan> plan_tensors(const MergeRecipe& recipe);

// Bytes that the passes over a task's inputs read.
std::uint64_t bytes_read(const MergePlan& plan, const TensorTask& task);

}  // namespace hanse::forge
