// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace hanse::task {

// The stops of a request that exist on this node, in their order. The names are those of the rooms, so that
// a trace reads like docs/way-of-a-request.md.
enum class Stop : std::uint8_t { net, api_in, task, label, engine, journal, api_out };
std::string_view name(Stop stop);

struct Span {
    Stop stop = Stop::net;
    base::Instant begin;
    base::Instant::duration duration{};
};

using TraceId = std::array<std::byte, 16>;
using SpanId = std::array<std::byte, 8>;

// W3C Trace Context, section 3.2: "00-<trace>-<span>-<flags>".
struct TraceParent {
    TraceId trace{};
    SpanId span{};
    bool sampled = false;
    static std::optional<TraceParent> parse(std::string_view header);
    std::string text() const;
};

// What one request spent at each stop. A small value inside Task, written by the coroutine that owns the
// task; no locks, no allocation. Handed to a TraceSink when the request has ended.
class Trace {
public:
    // The stop that is open goes on.
    void open(Stop stop, base::Instant now);
    // Closes the stop that is open; without one it does nothing.
    void close(base::Instant now);
    std::span<const Span> spans() const { return std::span(spans_).first(count_); }

    TraceParent self;                   // this request's own span
    std::optional<SpanId> parent = {};  // the caller's, if it sent one
    std::string_view route = {};        // static text, as "/v1/chat/completions"
    unsigned status = 0;
    base::WallTime began_wall{};
    base::Instant began{};
    base::Instant ended{};

private:
    std::array<Span, 9> spans_{};
    std::size_t count_ = 0;
    bool open_ = false;
};

// Receives finished traces, on any thread; must return at once.
class TraceSink {
public:
    virtual ~TraceSink() = default;
    virtual void accept(const Trace& trace) = 0;
};

}  // namespace hanse::task
