// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace hanse::base {

// The character `code`, which is at most 0x10FFFF and no surrogate, as one to four bytes (RFC 3629, section 3).
void append_utf8(std::string& out, char32_t code);

}  // namespace hanse::base
