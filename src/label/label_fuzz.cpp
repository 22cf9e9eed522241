// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "label/cases.hpp"
#include "label/clearance.hpp"
#include "label/label.hpp"
#include "sample.hpp"

// Labels, clearances and uses from outside, as text and as bytes: what is accepted comes back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::label;
    static const auto words = sample::federation();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto label = read_label(text, *words)) {
        const auto again = read_label(hanse::label::text(*label, *words), *words);
        if (!again || *again != *label) std::abort();
        const auto bytes = read_binary(binary(*label, *words), *words);
        if (!bytes || *bytes != *label) std::abort();
    }
    const auto bytes = std::as_bytes(std::span(data, size));
    if (const auto label = read_binary(bytes, *words); label && !std::ranges::equal(binary(*label, *words), bytes)) std::abort();
    if (const auto place = read_clearance("place", text, *words)) {
        const auto again = read_clearance("place", hanse::label::text(*place, *words), *words);
        if (!again || hanse::label::text(*again, *words) != hanse::label::text(*place, *words)) std::abort();
    }
    (void)read_use(text, *words, 0);
    return 0;
}
