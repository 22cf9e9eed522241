// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "call.hpp"

namespace hanse::api {

// Looks through a request's body and tightens the task's label by the policy's rules on content. Costs nothing where the
// policy has none. A body that is no JSON is left to whoever reads it next; a recogniser that fails is a refusal.
base::Result<void> read_content(Call& call, std::string_view body);

}  // namespace hanse::api
