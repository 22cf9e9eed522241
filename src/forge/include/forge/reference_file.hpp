// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "forge/reference_model.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// A GGUF model of the architecture "llama", dense or with experts, as the reference computes with it: everything in f32, so four
// bytes for each parameter. `invalid` where it has what the reference does not know (biases, scaled rotation, a head width of its own),
// naming it.
base::Result<LlamaModel> read_reference(const TensorFile& file);

}  // namespace hanse::forge
