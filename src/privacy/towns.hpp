// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hanse::privacy {

// A larger town by its first word ("Bad" towns by their second), exactly as written. `postcode` (five digits, may be empty)
// must then begin as that town's do.
bool is_town(std::string_view word, std::string_view postcode);
// Whether the German post gives out codes that begin so.
bool is_postcode(std::string_view digits);

}  // namespace hanse::privacy
