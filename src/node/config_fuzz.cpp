// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "node/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)hanse::node::parse_config(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.toml", "/nowhere", {});
    return 0;
}
