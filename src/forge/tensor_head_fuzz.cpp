// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "forge/tensor_file.hpp"

// Both heads: whatever passes has all its tensors inside the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::forge;
    const auto file = std::as_bytes(std::span(data, size));
    for (const auto& head : {read_safetensors_head(file), read_gguf_head(file)}) {
        if (!head) continue;
        if (head->tensors.size() != head->offsets.size()) __builtin_trap();
        for (std::size_t i = 0; i < head->tensors.size(); ++i)
            if (head->offsets[i] > size || head->tensors[i].bytes() > size - head->offsets[i]) __builtin_trap();
    }
    return 0;
}
