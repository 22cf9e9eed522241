// SPDX-License-Identifier: Apache-2.0
#include "text_assembly.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace hanse::engine {

TextAssembly::TextAssembly(std::vector<std::string> stop) : stop_(std::move(stop)) {
    std::erase(stop_, std::string());
    for (const auto& one : stop_) longest_ = std::max(longest_, one.size());
}

void TextAssembly::feed(std::string_view bytes, std::string& out) {
    if (stopped_) return;
    held_ += bytes;
    auto free = held_.size();
    if (!stop_.empty()) {
        // What is held is shorter than a stop string plus this piece: looking at all of it again is cheap.
        auto first = std::string::npos;
        for (const auto& one : stop_) {
            auto at = held_.find(one);
            if (at < first) first = at, stopped_ = one;
        }
        if (stopped_) {
            held_.resize(first);
            finish(out);
            return;
        }
        auto begin = held_.size() - std::min(held_.size(), longest_ - 1);
        for (; begin < held_.size(); ++begin) {
            std::string_view tail = std::string_view(held_).substr(begin);
            if (std::ranges::any_of(stop_, [&](const std::string& one) { return one.starts_with(tail); })) break;
        }
        free = begin;
    }
    auto whole = base::whole_utf8_prefix(std::string_view(held_).substr(0, free));
    if (whole == 0) return;
    auto ready = std::string_view(held_).substr(0, whole);
    if (base::is_valid_utf8(ready)) out += ready;
    else out += base::repaired_utf8(ready);
    held_.erase(0, whole);
}

void TextAssembly::finish(std::string& out) {
    if (!held_.empty()) out += base::repaired_utf8(held_);
    held_.clear();
}

}  // namespace hanse::engine
