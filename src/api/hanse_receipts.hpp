// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

#include "call.hpp"

namespace hanse::api {

// GET /v1/hanse/receipts/ID: the self-contained receipt (C2SP tlog-proof) of an answer or a denial, for the key that asked for
// it and as long as it may see what has the answer's label. Whatever else there is looks as if it were not there.
boost::asio::awaitable<void> serve_receipt(Call& call);

// GET /journal/…: the public part of the log as C2SP tlog-tiles says, checkpoint and tiles, read-only.
boost::asio::awaitable<void> serve_journal(Call& call, Service::Parts::JournalFolder journal);

}  // namespace hanse::api
