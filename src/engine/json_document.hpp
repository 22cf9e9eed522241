// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.hpp"

namespace hanse::engine {

// JSON from outside, its members in the order written. Nested at most 256 deep: the library copies, compares and
// prints by recursion, so that deeper values could exhaust the stack. `what` begins the error's sentence.
base::Result<nlohmann::ordered_json> parse_json(std::string_view text, std::string_view what);

}  // namespace hanse::engine
