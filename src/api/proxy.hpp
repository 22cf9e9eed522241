// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "call.hpp"
#include "glance.hpp"
#include "task/desk.hpp"

namespace hanse::api {

// A request for a model that an upstream has. The body goes on as the bytes it is, only the model's name is
// exchanged where it is another one there; the answer comes back as the bytes it is. What breaks off there
// breaks off here: an error event or a broken connection, never a clean end.
// An error comes back, and nothing has been said to the caller, where nothing of an answer had left.
boost::asio::awaitable<std::optional<base::Error>> serve_forward(Call& call, const Glance& glance, task::Place place, std::string_view body);

// The token counts in the end of an answer, if they are there.
struct ForwardUsage {
    std::uint32_t prompt = 0;
    std::uint32_t cached = 0;
    std::uint32_t completion = 0;
};
std::optional<ForwardUsage> find_usage(std::string_view tail);

// Watches a stream of events go by: keeps its last bytes and knows whether it ended as it should.
class StreamTail {
public:
    void saw(std::string_view piece);
    bool between_events() const { return tail_.empty() || tail_.ends_with("\n\n") || tail_.ends_with("\r\n\r\n"); }
    bool done() const { return tail_.contains("data: [DONE]") || tail_.contains("data:[DONE]"); }
    // The last event has begun: [DONE], or what ends a response.
    bool ending() const { return ending_; }
    std::string_view text() const { return tail_; }

private:
    static constexpr std::size_t kept = 2048;
    static constexpr std::size_t mark_max = 32;  // longer than any mark of an end
    std::string tail_;
    bool begun_ = false;
    bool ending_ = false;
};

}  // namespace hanse::api
