// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hanse::cli {

// Server-sent events (WHATWG HTML, section 9.2) from a stream of bytes: hands out the data of each event as
// soon as its blank line came. Only what chat streams use: "data" fields; others and comments are passed over.
class SseReader {
public:
    explicit SseReader(std::size_t event_max = 8U << 20) : event_max_(event_max) {}
    // `corrupt` if an event grows past the limit.
    base::Result<void> take(std::string_view bytes, const std::function<void(std::string_view)>& on_data);

private:
    std::size_t event_max_;
    std::string line_;
    std::string data_;
    bool has_data_ = false;
    bool after_return_ = false;
};

}  // namespace hanse::cli
