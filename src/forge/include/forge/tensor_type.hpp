// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hanse::forge {

// What an element of a tensor is, in safetensors' and ggml's types together. Quantised types store elements in blocks
// along a row; the others are blocks of one. Numbers and sizes are those of the two formats' specifications
// (safetensors README; ggml docs/gguf.md).
enum class TensorType : std::uint8_t {
    f32,
    f16,
    bf16,
    f8_e4m3,
    f8_e5m2,
    f64,
    boolean,
    u8,
    u16,
    u32,
    u64,
    i8,
    i16,
    i32,
    i64,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q8_1,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    q8_k,
    iq2_xxs,
    iq2_xs,
    iq3_xxs,
    iq1_s,
    iq4_nl,
    iq3_s,
    iq2_s,
    iq4_xs,
    iq1_m,
    tq1_0,
    tq2_0,
    mxfp4,
    nvfp4,
    q1_0,
    q2_0,
};

struct Block {
    std::uint32_t elements;
    std::uint32_t bytes;
};

std::string_view name(TensorType type);  // "BF16", "Q4_K"
Block block(TensorType type);
bool is_quantised(TensorType type);
// Whether it holds real numbers that can be computed with, after conversion.
bool is_real(TensorType type);

// Its number in GGUF; nothing for those that GGUF lacks (FP8, unsigned).
std::optional<std::uint32_t> gguf_number(TensorType type);
std::optional<TensorType> tensor_type_of_gguf(std::uint32_t number);
// Its name in safetensors; empty for those that safetensors lacks (quantised).
std::string_view safetensors_name(TensorType type);
std::optional<TensorType> tensor_type_of_safetensors(std::string_view name);
// As people and configurations write it: "bf16", "bfloat16", "float16", "Q4_K", "q4_k".
std::optional<TensorType> tensor_type_named(std::string_view text);

}  // namespace hanse::forge
