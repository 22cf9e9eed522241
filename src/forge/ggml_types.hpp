// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace hanse::forge::ggml {

// The only door to ggml: its quantised types by their numbers in GGUF. No other file of this room includes its headers.
struct TypeFacts {
    std::uint32_t elements = 0;
    std::uint32_t bytes = 0;
    bool readable = false;
    bool writable = false;
};
TypeFacts facts(std::uint32_t type);
void dequantise(std::uint32_t type, const std::byte* from, float* to, std::uint64_t elements);
void quantise(std::uint32_t type, const float* from, std::byte* to, std::uint64_t rows, std::uint64_t row);

}  // namespace hanse::forge::ggml
