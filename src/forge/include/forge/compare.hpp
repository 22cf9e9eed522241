// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "forge/crew.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// How a tensor of one model differs from that of the same name in another.
struct TensorDifference {
    enum class Kind : std::uint8_t { equal, only_first, only_second, other_shape, other_type, values };
    std::string name;
    Kind kind = Kind::equal;
    // For values, and for other types, whose values are compared all the same.
    std::uint64_t elements = 0;
    std::uint64_t differing = 0;
    double largest = 0;   // |a - b|
    double relative = 0;  // ‖a - b‖ / ‖a‖
};

struct ModelDifference {
    std::vector<TensorDifference> tensors;  // in the first model's order, what only the second has at the end
    std::vector<std::string> metadata;      // keys whose values differ, or that only one has
    bool equal() const;
};

// Streams both models once; two bit patterns for the same number count as equal, as two NaN do. Errors are those of reading.
base::Result<ModelDifference> compare(const TensorFile& first, const TensorFile& second, Crew& crew);

}  // namespace hanse::forge
