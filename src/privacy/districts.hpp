// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hanse::privacy {

// Whether a German registration district has this sign (FZV annex 1 and those that came back since 2012). Capitals.
bool is_district(std::string_view sign);

}  // namespace hanse::privacy
