// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/reference.hpp"

using namespace hanse::catalog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto reference = Reference::parse(text)) {
        // What was accepted is safe in a path and survives being written and read.
        if (!reference->file.empty() && !is_plain_path(reference->file)) std::abort();
        if (Reference::parse(reference->text()) != *reference) std::abort();
    }
    if (!is_model_name(model_name_from(text))) std::abort();
    return 0;
}
