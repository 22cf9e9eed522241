// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

#include "call.hpp"

namespace hanse::api {

// GET /v1/models and /v1/models/{id}: what the caller's key may use.
boost::asio::awaitable<void> serve_models(Call& call);
boost::asio::awaitable<void> serve_model(Call& call);
// The process lives; the node can answer.
boost::asio::awaitable<void> serve_health(Call& call);
boost::asio::awaitable<void> serve_ready(Call& call);
boost::asio::awaitable<void> serve_metrics(Call& call, const Service::Parts::JournalFolder& journal);

}  // namespace hanse::api
