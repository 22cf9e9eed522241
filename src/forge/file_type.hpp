// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "forge/tensor_type.hpp"

namespace hanse::forge {

// llama.cpp's number (general.file_type) for a file whose weights are mostly of this type, where it has one.
inline std::optional<std::uint32_t> file_type_of(TensorType type) {
    switch (type) {
        case TensorType::f32: return 0;
        case TensorType::f16: return 1;
        case TensorType::q4_0: return 2;
        case TensorType::q4_1: return 3;
        case TensorType::q8_0: return 7;
        case TensorType::q5_0: return 8;
        case TensorType::q5_1: return 9;
        case TensorType::q2_k: return 10;
        case TensorType::q3_k: return 12;
        case TensorType::q4_k: return 15;
        case TensorType::q5_k: return 17;
        case TensorType::q6_k: return 18;
        case TensorType::bf16: return 32;
        default: return std::nullopt;
    }
}

}  // namespace hanse::forge
