// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_change.hpp"

#include <cstdlib>

// What is taken is written back to the byte, and nothing that was not signed holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto change = hanse::crypto::KeyChange::parse(text);
    if (change && (change->text() != text || change->holds())) std::abort();
    return 0;
}
