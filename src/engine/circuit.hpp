// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace hanse::engine {

// Whether a server elsewhere may be asked now. Closed: yes. After `failures_to_open` failures in a row it
// opens: nobody is asked for `open_for`. Then it is half open: one trial request is let through, and its
// outcome closes or opens it again. Pure; the owner brings the time and the lock.
class Circuit {
public:
    Circuit(unsigned failures_to_open, std::chrono::milliseconds open_for) : failures_to_open_(failures_to_open), open_for_(open_for) {}

    // Asks for leave; a `true` must be followed by succeeded() or failed().
    bool may_try(base::Instant now);
    void succeeded();
    void failed(base::Instant now);
    // Whether may_try() would be true.
    bool would_try(base::Instant now) const { return !opened_at_ || (!trial_ && now >= *opened_at_ + open_for_); }
    // A probe from outside found the server well: an open circuit need not wait any longer for its trial.
    void seen_well();
    // The attempt ended without saying anything about the server (the caller went away).
    void abandoned() { trial_ = false; }

    bool closed() const { return !opened_at_; }
    std::chrono::milliseconds wait_left(base::Instant now) const;

private:
    unsigned failures_to_open_;
    std::chrono::milliseconds open_for_;
    unsigned failures_ = 0;
    std::optional<base::Instant> opened_at_;
    bool trial_ = false;
};

// What to do with an attempt's outcome before any byte has been handed on.
enum class AttemptOutcome : std::uint8_t {
    answer,      // hand it on, it is the server's word
    try_again,   // the server is at fault, and another attempt may help
};
// `status` 0: no answer came. RFC 9110: 5xx are the server's failures; 501 and 505 do not pass.
AttemptOutcome outcome_of(unsigned status);

// Full jitter: up to 100 ms · 2^attempt, at most 2 s. `random` is any 64-bit number.
std::chrono::milliseconds pause_before(unsigned attempt, std::uint64_t random);

}  // namespace hanse::engine
