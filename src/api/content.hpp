// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "call.hpp"

namespace hanse::api {

// Looks through a request's body and tightens the task's label by the policy's rules on content. Costs nothing where the
// policy has none; a long body is looked through beside the listener's threads. A body that is no JSON is left to whoever
// reads it next; a recogniser that fails is a refusal.
boost::asio::awaitable<base::Result<void>> read_content(Call& call, std::shared_ptr<const std::string> body);

// The end of what the request says, for the tables that lead it to a model (route/fit.hpp); empty where this node has none. A
// long body is read beside the listener's threads, and one that is no JSON is left to whoever reads it next.
boost::asio::awaitable<base::Result<std::string>> read_said(Call& call, std::shared_ptr<const std::string> body);

}  // namespace hanse::api
