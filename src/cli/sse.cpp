// SPDX-License-Identifier: Apache-2.0
#include "sse.hpp"

namespace hanse::cli {

base::Result<void> SseReader::take(std::string_view bytes, const std::function<void(std::string_view)>& on_data) {
    for (const char c : bytes) {
        // A line ends with CR, LF or both.
        if (c == '\n' && after_return_) {
            after_return_ = false;
            continue;
        }
        after_return_ = c == '\r';
        if (c != '\n' && c != '\r') {
            line_ += c;
            if (line_.size() + data_.size() > event_max_) return base::fail(base::ErrorKind::corrupt, "the node sent an event without end");
            continue;
        }
        if (line_.empty()) {
            if (has_data_) on_data(data_);
            data_.clear();
            has_data_ = false;
        } else if (line_.starts_with("data:")) {
            if (has_data_) data_ += '\n';
            data_ += std::string_view(line_).substr(line_.starts_with("data: ") ? 6 : 5);
            has_data_ = true;
        }
        line_.clear();
    }
    return {};
}

}  // namespace hanse::cli
