// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/buffer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/http.hpp"

namespace hanse::net {

struct ReadLimits {
    std::size_t header_max;
    std::size_t body_max;
};

// Bytes to requests, without a socket, so that a fuzz target can drive it: ask space() for room, tell
// received() how much of it was filled, then next() until it wants more. Bytes of a following request stay
// here for the next round. One per connection.
class RequestReader {
public:
    explicit RequestReader(ReadLimits limits);
    ~RequestReader();

    boost::asio::mutable_buffer space();
    void received(std::size_t count);

    // A whole request, nothing yet (read more), or an error after which the connection must be closed:
    // invalid (malformed), too_large (code "header" or "body").
    base::Result<std::optional<Request>> next();

    bool has_bytes() const;        // some of a request has come
    bool in_body() const;          // its header is complete
    bool wants_continue();         // once, when the sender waits for "100 Continue"
    bool keep_alive() const;       // of the last request that next() returned
    bool is_http_1_0() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// "%41b" → "Ab"; nothing if an escape is broken or makes a NUL.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace hanse::net
