// SPDX-License-Identifier: Apache-2.0
#include "stream_answer.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace hanse::bench {
namespace {

// The number behind the last `name` in the frame; `otherwise` if there is none.
std::uint32_t number_after(std::string_view frame, std::string_view name, std::uint32_t otherwise) {
    const std::size_t at = frame.rfind(name);
    if (at == std::string_view::npos) return otherwise;
    const char* first = frame.data() + at + name.size();
    const char* last = frame.data() + frame.size();
    while (first < last && (*first == ' ' || *first == ':')) ++first;
    std::uint32_t number = otherwise;
    std::from_chars(first, last, number);
    return number;
}

// "content": followed by a string that is not empty.
bool carries_text(std::string_view frame) {
    constexpr std::string_view name = "\"content\":";
    const std::size_t at = frame.find(name);
    if (at == std::string_view::npos) return false;
    std::string_view value = frame.substr(at + name.size());
    if (value.starts_with(' ')) value.remove_prefix(1);
    return value.size() > 1 && value[0] == '"' && value[1] != '"';
}

std::string lower(std::string_view text) {
    std::string copy(text);
    std::ranges::transform(copy, copy.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return copy;
}

}  // namespace

bool StreamAnswer::read_head(std::string_view head) {
    if (!head.starts_with("HTTP/1.") || head.size() < 12) return false;
    std::from_chars(head.data() + 9, head.data() + 12, status_);
    const std::string fields = lower(head);
    keeps_alive_ = fields.find("\r\nconnection: close") == std::string::npos;
    if (fields.find("\r\ntransfer-encoding: chunked") != std::string::npos) {
        part_ = Part::chunk_size;
        return true;
    }
    constexpr std::string_view length = "\r\ncontent-length:";
    if (const std::size_t at = fields.find(length); at != std::string::npos) {
        left_ = number_after(std::string_view(fields).substr(0, fields.find("\r\n", at + 2)), length, 0);
    } else {
        left_ = static_cast<std::size_t>(-1);
    }
    part_ = Part::body;
    return true;
}

void StreamAnswer::read_frame(std::string_view frame, std::int64_t now) {
    if (carries_text(frame)) frames_.push_back(now);
    completion_tokens_ = number_after(frame, "\"completion_tokens\"", completion_tokens_);
    prompt_tokens_ = number_after(frame, "\"prompt_tokens\"", prompt_tokens_);
    cached_tokens_ = number_after(frame, "\"cached_tokens\"", cached_tokens_);
    if (frame.starts_with("data: {\"error\"") || frame.starts_with("error:") || frame.starts_with("event: error")) broke_off_ = true;
}

void StreamAnswer::read_body(std::string_view bytes, std::int64_t now) {
    events_.append(bytes);
    std::size_t from = 0;
    for (std::size_t end = events_.find("\n\n"); end != std::string::npos; end = events_.find("\n\n", from)) {
        read_frame(std::string_view(events_).substr(from, end - from), now);
        from = end + 2;
    }
    events_.erase(0, from);
}

StreamAnswer::State StreamAnswer::advance(std::int64_t now) {
    std::size_t at = 0;
    const auto keep_rest = [&] { raw_.erase(0, at); };
    while (part_ != Part::done) {
        const std::string_view rest = std::string_view(raw_).substr(at);
        if (part_ == Part::head) {
            const std::size_t end = rest.find("\r\n\r\n");
            if (end == std::string_view::npos) break;
            if (!read_head(rest.substr(0, end + 2))) return State::malformed;
            at += end + 4;
        } else if (part_ == Part::chunk_size) {
            const std::size_t end = rest.find("\r\n");
            if (end == std::string_view::npos) break;
            if (std::from_chars(rest.data(), rest.data() + end, left_, 16).ec != std::errc{}) return State::malformed;
            at += end + 2;
            part_ = left_ == 0 ? Part::trailer : Part::chunk;
        } else if (part_ == Part::chunk || part_ == Part::body) {
            const std::size_t size = std::min(left_, rest.size());
            read_body(rest.substr(0, size), now);
            at += size;
            left_ -= size;
            if (left_ > 0) break;
            part_ = part_ == Part::chunk ? Part::chunk_end : Part::done;
        } else {  // the line that ends a chunk, or the whole
            if (rest.size() < 2) break;
            at += 2;
            part_ = part_ == Part::chunk_end ? Part::chunk_size : Part::done;
        }
    }
    keep_rest();
    return part_ == Part::done ? State::finished : State::running;
}

StreamAnswer::State StreamAnswer::feed(std::string_view bytes, std::int64_t now) {
    raw_.append(bytes);
    return advance(now);
}

}  // namespace hanse::bench
