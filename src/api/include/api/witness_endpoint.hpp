// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string_view>

#include "base/time.hpp"
#include "journal/witness.hpp"
#include "net/server.hpp"

namespace hanse::api {

// A witness of other nodes' logs over HTTP (C2SP tlog-witness), beside the service and without its keys: what counts is the
// signature of the log under what it asks.
//
//   POST /witness/add-checkpoint                              as journal/witness.hpp answers
//   GET  /witness/<SHA-256 of the origin, in hex>/checkpoint  what was co-signed last
//
// Status, type and body are those that the specification gives, not those of this API's errors. Deciding waits for the disk, so
// it runs on a thread of its own. Made by `node`; witness and clock must outlive it, and it the server. Thread-safe.
class WitnessEndpoint {
public:
    static constexpr std::string_view prefix = "/witness/";

    WitnessEndpoint(journal::Witness& witness, const base::Clock& clock) : witness_(witness), clock_(clock) {}
    static bool takes(std::string_view path) { return path.starts_with(prefix); }
    boost::asio::awaitable<void> serve(net::Exchange& exchange);

private:
    journal::Witness& witness_;
    const base::Clock& clock_;
    boost::asio::thread_pool worker_{1};
};

}  // namespace hanse::api
