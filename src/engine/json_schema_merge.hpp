// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.hpp"

namespace hanse::engine {

// The schema that holds where both hold (allOf, and what stands beside anyOf or $ref). Neither holds a $ref
// or allOf of its own at the top; the caller has resolved them. `invalid` names the keyword that cannot be
// merged, without the place.
base::Result<nlohmann::ordered_json> merged_schema(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b, int depth = 0);

// Says something about a schema without asking anything of a value.
bool is_annotation(std::string_view keyword);

}  // namespace hanse::engine
