// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "call.hpp"

namespace hanse::api {

// POST /v1/embeddings: numbers or base64 of little-endian floats.
boost::asio::awaitable<void> serve_embeddings(Call& call, std::string_view body);
// POST /v1/rerank, in the form that Jina and Cohere made common.
boost::asio::awaitable<void> serve_rerank(Call& call, std::string_view body);

}  // namespace hanse::api
