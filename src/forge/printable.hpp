// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hanse::forge {

// A name from a file that is not trusted, for an error: printable ASCII, and short.
inline std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 80)) out += c > 0x20 && c < 0x7F ? c : '?';
    return out;
}

}  // namespace hanse::forge
