// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hanse::bench {

// Reads one streamed chat answer (HTTP/1.1, chunked or with a length, server-sent events) and notes when each
// frame that carries text came. It looks for byte patterns rather than parsing JSON: the load client shares its cores
// with the server that it measures, so what it saves, the server gets.
class StreamAnswer {
public:
    enum class State : std::uint8_t { running, finished, malformed };

    // `now` is the time at which the bytes were read, in microseconds.
    State feed(std::string_view bytes, std::int64_t now);

    unsigned status() const { return status_; }
    const std::vector<std::int64_t>& frames() const { return frames_; }
    std::uint32_t prompt_tokens() const { return prompt_tokens_; }
    std::uint32_t cached_tokens() const { return cached_tokens_; }
    std::uint32_t completion_tokens() const { return completion_tokens_; }
    bool broke_off() const { return broke_off_; }  // an error event inside the stream
    bool keeps_alive() const { return keeps_alive_; }

private:
    enum class Part : std::uint8_t { head, chunk_size, chunk, chunk_end, trailer, body, done };

    bool read_head(std::string_view head);
    void read_body(std::string_view bytes, std::int64_t now);
    void read_frame(std::string_view frame, std::int64_t now);
    State advance(std::int64_t now);

    Part part_ = Part::head;
    std::string raw_;      // not yet understood
    std::string events_;   // body not yet ended by an empty line
    std::size_t left_ = 0; // of this chunk or body
    unsigned status_ = 0;
    bool keeps_alive_ = true;
    bool broke_off_ = false;
    std::uint32_t prompt_tokens_ = 0;
    std::uint32_t cached_tokens_ = 0;
    std::uint32_t completion_tokens_ = 0;
    std::vector<std::int64_t> frames_;
};

}  // namespace hanse::bench
