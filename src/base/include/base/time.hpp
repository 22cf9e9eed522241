// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

namespace hanse::base {

// Monotonic time, for durations and deadlines; never leaves the process.
using Instant = std::chrono::steady_clock::time_point;
// Wall time, for records that people read.
using WallTime = std::chrono::system_clock::time_point;

// Time as a port: whatever waits or decides by time takes a Clock through its constructor, so that the
// simulator and the tests own time. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
public:
    Instant now() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return std::chrono::system_clock::now(); }
};

// A clock that stands still until told. Thread-safe, as far as one thread advances it.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start = Instant{} + std::chrono::hours{1}) : now_(start) {}
    Instant now() const override { return now_; }
    WallTime wall() const override { return WallTime{} + std::chrono::duration_cast<WallTime::duration>(now().time_since_epoch()); }
    void advance(Instant::duration by) { now_ = now() + by; }

private:
    std::atomic<Instant> now_;
};

// The moment by which an answer is worth having, or none. A small value that travels down with a request;
// each wait takes it, nobody prolongs it.
class Deadline {
public:
    Deadline() = default;
    static Deadline at(Instant when) {
        Deadline d;
        d.when_ = when;
        return d;
    }
    static Deadline after(Instant now, Instant::duration span) { return at(now + span); }
    static Deadline never() { return {}; }

    bool passed(Instant now) const { return when_ && now >= *when_; }
    // Time left, at least zero; max() if there is no deadline.
    Instant::duration left(Instant now) const {
        if (!when_) return Instant::duration::max();
        return now >= *when_ ? Instant::duration::zero() : *when_ - now;
    }
    std::optional<Instant> when() const { return when_; }
    Deadline sooner(Deadline other) const {
        if (!when_) return other;
        if (!other.when_) return *this;
        return at(*when_ < *other.when_ ? *when_ : *other.when_);
    }

private:
    std::optional<Instant> when_;
};

}  // namespace hanse::base
