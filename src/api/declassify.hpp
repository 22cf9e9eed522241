// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "call.hpp"

namespace hanse::api {

// POST /v1/hanse/declassifications with the text of a signed declassification (label/declassify.hpp): it is checked and held
// until it expires. The answer names it:
//
//   {"object":"hanse.declassification","id":"dcl_…","scope":"once","expires":1780315200}
boost::asio::awaitable<void> serve_declassifications(Call& call);

// The header Hanse-Declassification of a request, "dcl_…" or several with commas between, for several owners: the task's label
// becomes that to which its body was declassified, one after the other. The body is the payload, byte for byte. A refusal says
// what label the request has, since that is what a statement must be made from.
base::Result<void> loosen_by_header(Call& call, std::string_view body);

}  // namespace hanse::api
