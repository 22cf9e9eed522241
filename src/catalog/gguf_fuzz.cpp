// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <spanstream>

#include "catalog/gguf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::ispanstream head(std::span(reinterpret_cast<const char*>(data), size));
    const auto facts = hanse::catalog::check_gguf(head, size);
    if (facts && facts->tensor_bytes > size) __builtin_trap();
    // A head whose file is said to be longer than what can be read of it.
    std::ispanstream short_head(std::span(reinterpret_cast<const char*>(data), size));
    (void)hanse::catalog::check_gguf(short_head, size + (std::uint64_t{1} << 40));
    return 0;
}
