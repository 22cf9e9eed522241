// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "call.hpp"
#include "task/planner.hpp"

namespace hanse::api {

// POST /v1/hanse/route: where a question of this label would be answered, in which order, and why each other place would not.
//   {"model": "hanse/auto", "label": "customers", "language": "de", "prompt_tokens": 200, "answer_tokens": 200}
// With the question itself in "prompt", or as "messages" or "input", it is compared with the owners' n-gram tables as well.
boost::asio::awaitable<void> serve_route(Call& call);

}  // namespace hanse::api
