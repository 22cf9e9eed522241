// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

// Functions marked so exist for several generations of processors, chosen when the program starts. GCC then vectorises their loops
// for each; sanitizers start too late for that choice, and clang (of the fuzz preset) does without.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HANSE_VECTOR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define HANSE_VECTOR_CLONES
#endif

namespace hanse::forge {

// Number formats to and from f32, without branches, so that loops over them vectorise. Rounding is to nearest, ties to even (IEEE 754
// roundTiesToEven), as every library on a CPU does it.

[[gnu::always_inline]] inline float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

[[gnu::always_inline]] inline std::uint16_t to_bf16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded);
}

[[gnu::always_inline]] inline float from_f16(std::uint16_t bits) {
    const std::uint32_t sign = (bits & 0x8000U) << 16U;
    const std::uint32_t rest = static_cast<std::uint32_t>(bits & 0x7FFFU) << 13U;
    // The exponent's bias changes by a multiplication with 2^112, which normalises small numbers as well.
    const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) * 0x1p112F);
    return std::bit_cast<float>(sign | (rest >= 0x0F800000U ? rest | 0x7F800000U : scaled));
}

[[gnu::always_inline]] inline std::uint16_t to_f16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16U) & 0x8000U;
    const std::uint32_t rest = bits & 0x7FFFFFFFU;
    // Below 2^-14 an addition of 0.5 shifts the number to where the last bit is 2^-24, and rounds it.
    const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) + 0.5F) - 0x3F000000U;
    const std::uint32_t normal = (rest - 0x38000000U + 0xFFFU + ((rest >> 13U) & 1U)) >> 13U;
    const std::uint32_t special = rest > 0x7F800000U ? 0x7E00U : 0x7C00U;
    return static_cast<std::uint16_t>(sign | (rest >= 0x47800000U ? special : rest < 0x38800000U ? small : normal));
}

// The type that a merge computes in: every operation's result is rounded to it, as if it were stored there.
enum class Working : std::uint8_t { f32, bf16, f16 };

template <Working type>
[[gnu::always_inline]] inline float rounded(float value) {
    if constexpr (type == Working::bf16) return from_bf16(to_bf16(value));
    else if constexpr (type == Working::f16) return from_f16(to_f16(value));
    else return value;
}

inline float rounded(Working type, float value) {
    return type == Working::bf16 ? rounded<Working::bf16>(value) : type == Working::f16 ? rounded<Working::f16>(value) : value;
}

}  // namespace hanse::forge
