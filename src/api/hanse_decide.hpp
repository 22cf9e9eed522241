// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

#include "call.hpp"

namespace hanse::api {

// POST /v1/hanse/decide {"model":…} or {"place":…}, with "label" and "use" if wanted: what would happen to a request with
// this key and this label, and why. "request" is the body that would be sent: what is found in it counts too. Sends nothing anywhere.
//
//   {"object":"hanse.decision","outcome":"deny","prompt":{…},"answer":{…}}
//
// "prompt" is the decision on the way to the model or place, "answer", for a model, the one on the way back; both as
// label::explanation_json() writes them. "outcome" is that of the first that does not permit.
boost::asio::awaitable<void> serve_decide(Call& call);

}  // namespace hanse::api
