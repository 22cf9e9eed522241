// SPDX-License-Identifier: Apache-2.0
#include "json_write.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/encoding.hpp"
#include "json.hpp"

// What is written is read back the same; of bytes that are no UTF-8, their repaired form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto written = hanse::api::quoted(text);
    const auto document = hanse::api::JsonDocument::parse(written);
    if (!document || document->root().string() != hanse::base::repaired_utf8(text)) std::abort();
    return 0;
}
