// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gateway {

// Takes an HTTP answer apart as its bytes come: status, length or chunks, and of a stream the numbered frames.
class AnswerReader {
public:
    // True when the answer is complete. What follows it is kept for the next.
    bool feed(std::string_view bytes);
    void next();

    bool broken() const { return broken_; }
    int status() const { return status_; }
    int frames() const { return frames_; }           // that came in their order
    bool out_of_order() const { return disorder_; }
    bool done_frame() const { return done_frame_; }  // data: [DONE]

private:
    bool read_head();
    void read_body();
    void take(std::string_view body);

    std::string in_, line_;
    bool in_body_ = false, chunked_ = false, complete_ = false, broken_ = false, disorder_ = false, done_frame_ = false, in_chunk_ = false;
    std::size_t left_ = 0;
    int status_ = 0, frames_ = 0;
};

}  // namespace gateway
