// SPDX-License-Identifier: Apache-2.0
#include "task/trace.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace hanse::task {
namespace {

template <std::size_t size>
bool read_hex(std::string_view text, std::array<std::byte, size>& out) {
    // Trace Context allows lower case only.
    if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; })) return false;
    const auto bytes = base::from_hex(text);
    if (!bytes || bytes->size() != size) return false;
    std::ranges::copy(*bytes, out.begin());
    return std::ranges::any_of(out, [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace

std::string_view name(Stop stop) {
    switch (stop) {
        case Stop::net: return "net";
        case Stop::api_in: return "api.in";
        case Stop::task: return "task";
        case Stop::label: return "label";
        case Stop::engine: return "engine";
        case Stop::journal: return "journal";
        case Stop::api_out: return "api.out";
    }
    return "task";
}

std::optional<TraceParent> TraceParent::parse(std::string_view header) {
    // version 2, trace id 32, span id 16, flags 2, with dashes; later versions may append more.
    if (header.size() < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
    const auto version = header.substr(0, 2);
    if (version == "ff" || !base::from_hex(version)) return std::nullopt;
    if (version == "00" && header.size() != 55) return std::nullopt;
    if (header.size() > 55 && header[55] != '-') return std::nullopt;
    TraceParent parent;
    if (!read_hex(header.substr(3, 32), parent.trace) || !read_hex(header.substr(36, 16), parent.span)) return std::nullopt;
    const auto flags = base::from_hex(header.substr(53, 2));
    if (!flags) return std::nullopt;
    parent.sampled = (flags->front() & std::byte{1}) != std::byte{0};
    return parent;
}

std::string TraceParent::text() const {
    return "00-" + base::hex(trace) + "-" + base::hex(span) + (sampled ? "-01" : "-00");
}

void Trace::open(Stop stop, base::Instant now) {
    if (open_ && spans_[count_ - 1].stop == stop) return;
    close(now);
    if (count_ == spans_.size()) return;
    spans_[count_++] = Span{stop, now, {}};
    open_ = true;
}

void Trace::close(base::Instant now) {
    if (!open_) return;
    spans_[count_ - 1].duration = now - spans_[count_ - 1].begin;
    open_ = false;
}

}  // namespace hanse::task
