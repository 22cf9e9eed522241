// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "forge/tensor_type.hpp"

namespace hanse::forge {

// Elements as f32, and back. F16, BF16, F32, FP8 (E4M3 without infinities and E5M2, as in "FP8 Formats for Deep Learning",
// arXiv 2209.05433) by code of our own, rounding to nearest even; quantised types by ggml. All functions are pure and safe from any thread.

// `from` holds whole blocks, `to` their elements. `type` must be a real one (is_real()).
void to_floats(TensorType type, std::span<const std::byte> from, std::span<float> to);

// `from` holds whole rows of `row` elements; a quantised type sees them row by row. What does not fit the type's range becomes infinite
// (E4M3: not a number). `invalid` for types that cannot be written: some of ggml's need an importance matrix, some are for computing only.
base::Result<void> from_floats(TensorType type, std::span<const float> from, std::uint64_t row, std::span<std::byte> to);
bool can_write(TensorType type);

}  // namespace hanse::forge
