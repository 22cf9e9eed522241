// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "label/declassify.hpp"
#include "sample.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::label;
    static const auto words = sample::federation();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // What reads is written back as the same bytes.
    if (const auto read = read_declassification(text, *words); read && hanse::label::text(*read, *words) != text) std::abort();
    return 0;
}
