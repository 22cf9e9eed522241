// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

#include "call.hpp"
#include "journal/journal.hpp"

namespace hanse::api {

// GET /v1/hanse/receipts/ID: the self-contained receipt (C2SP tlog-proof) of an answer or a denial, for the key that asked for
// it and as long as it may see what has the answer's label. Whatever else there is looks as if it were not there.
// With ?form=cose, or where Accept asks for application/cose: the place in the log alone, as a COSE receipt (RFC 9942) that is
// signed with Ed25519, or with ?algorithm=ml-dsa-44.
boost::asio::awaitable<void> serve_receipt(Call& call, journal::Journal* log);

// GET /journal/…: the public part of the log as C2SP tlog-tiles says, checkpoint and tiles, read-only; and what was pruned.
boost::asio::awaitable<void> serve_journal(Call& call, Service::Parts::JournalFolder journal);

}  // namespace hanse::api
