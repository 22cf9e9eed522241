// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "base/result.hpp"
#include "call.hpp"

namespace hanse::api {

constexpr std::string_view sse_done = "data: [DONE]\n\n";

// Counts an answer being streamed, as long as it lives.
class OpenStream {
public:
    explicit OpenStream(Metrics& metrics) : metrics_(metrics) { metrics_.streams_open.fetch_add(1, std::memory_order_relaxed); }
    ~OpenStream() { metrics_.streams_open.fetch_sub(1, std::memory_order_relaxed); }
    OpenStream(const OpenStream&) = delete;
    OpenStream& operator=(const OpenStream&) = delete;

private:
    Metrics& metrics_;
};

// Ends a stream that cannot be ended well: an error event, then a broken connection. Never [DONE], so that
// no client takes half an answer for a whole one.
boost::asio::awaitable<void> break_events(Call& call, base::Error error);

}  // namespace hanse::api
