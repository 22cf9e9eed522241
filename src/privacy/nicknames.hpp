// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace hanse::privacy {

// What people with this first name are called for short, in German and English; of a folded name, "katharina".
std::vector<std::string_view> nicknames_of(std::string_view given);

}  // namespace hanse::privacy
