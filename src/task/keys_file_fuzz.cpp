// SPDX-License-Identifier: Apache-2.0
#include "keys_file.hpp"
#include "task/trace.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)hanse::task::parse_keys({reinterpret_cast<const char*>(data), size}, "keys.json");
    (void)hanse::task::TraceParent::parse({reinterpret_cast<const char*>(data), size});
    return 0;
}
