// SPDX-License-Identifier: Apache-2.0
#include "json_schema_grammar.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::engine;
    const auto source = json_schema_grammar({reinterpret_cast<const char*>(data), size});
    if (!source) return 0;
    if (!parse_gbnf(gbnf(*source))) __builtin_trap();
    (void)compile_grammar(*source);
    return 0;
}
