// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "record_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const hanse::cli::Context context{.environment = {}};
    if (const auto line = hanse::cli::read_record_line(text)) {
        // Whatever a stranger's record holds, it is one line on a terminal.
        if (hanse::cli::summary(context, *line).find_first_of("\n\x1b") != std::string::npos) __builtin_trap();
        for (const auto& output : line->outputs) (void)hanse::cli::fits(output, text);
    }
    return 0;
}
