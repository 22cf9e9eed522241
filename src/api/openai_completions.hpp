// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "call.hpp"

namespace hanse::api {

// POST /v1/completions: text goes on as it is, without a chat template.
boost::asio::awaitable<void> serve_completions(Call& call, std::string_view body);

}  // namespace hanse::api
