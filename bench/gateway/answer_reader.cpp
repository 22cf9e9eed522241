// SPDX-License-Identifier: Apache-2.0
#include "answer_reader.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace gateway {

void AnswerReader::next() {
    in_body_ = chunked_ = complete_ = broken_ = disorder_ = done_frame_ = in_chunk_ = false;
    left_ = 0;
    status_ = frames_ = 0;
    line_.clear();
}

bool AnswerReader::feed(std::string_view bytes) {
    in_.append(bytes);
    if (!in_body_ && !read_head()) return false;
    read_body();
    return complete_ || broken_;
}

bool AnswerReader::read_head() {
    const std::string_view in = in_;
    const auto end = in.find("\r\n\r\n");
    if (end == in.npos) return false;
    if (end < 12 || !in.starts_with("HTTP/1.1 ")) {
        broken_ = true;
        return true;
    }
    std::from_chars(in.data() + 9, in.data() + 12, status_);
    for (auto at = in.find("\r\n"); at < end; at = in.find("\r\n", at + 2)) {
        const auto line = in.substr(at + 2, in.find("\r\n", at + 2) - at - 2);
        const auto is = [&](std::string_view name) { return line.size() > name.size() && strncasecmp(line.data(), name.data(), name.size()) == 0; };
        if (is("content-length:")) {
            const auto digits = line.substr(std::min(line.size(), line.find_first_of("0123456789")));
            std::from_chars(digits.data(), digits.data() + digits.size(), left_);
        } else if (is("transfer-encoding:")) {
            chunked_ = true;
        }
    }
    in_.erase(0, end + 4);
    in_body_ = true;
    return true;
}

void AnswerReader::read_body() {
    std::size_t at = 0;
    while (!complete_ && !broken_) {
        const auto rest = std::string_view(in_).substr(at);
        if (!chunked_ || in_chunk_) {
            const auto n = std::min(left_, rest.size());
            if (chunked_) take(rest.substr(0, n));
            left_ -= n;
            at += n;
            if (left_ > 0) break;
            if (!chunked_) {
                complete_ = true;
            } else {
                if (in_.size() - at < 2) break;
                at += 2;
                in_chunk_ = false;
            }
            continue;
        }
        const auto eol = rest.find("\r\n");
        if (eol == rest.npos) break;
        std::size_t size = 0;
        if (std::from_chars(rest.data(), rest.data() + eol, size, 16).ec != std::errc{}) {
            broken_ = true;
        } else if (size > 0) {
            at += eol + 2;
            left_ = size;
            in_chunk_ = true;
        } else if (rest.size() >= eol + 4) {
            at += eol + 4;
            complete_ = true;
        } else {
            break;
        }
    }
    in_.erase(0, at);
}

void AnswerReader::take(std::string_view body) {
    while (!body.empty()) {
        const auto eol = body.find('\n');
        line_ += body.substr(0, eol);
        if (eol == body.npos) return;
        body.remove_prefix(eol + 1);
        const std::string line = std::move(line_);
        line_.clear();
        if (line == "data: [DONE]") done_frame_ = true;
        constexpr std::string_view mark = "\"content\":\"";
        const auto found = line.find(mark);
        if (!line.starts_with("data: {") || found == line.npos) continue;
        int number = -1;
        std::from_chars(line.data() + found + mark.size(), line.data() + line.size(), number);
        // The role comes with an empty first piece at some servers.
        if (number < 0) continue;
        if (number == frames_) ++frames_;
        else disorder_ = true;
    }
}

}  // namespace gateway
