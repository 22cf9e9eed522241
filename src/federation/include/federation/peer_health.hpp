// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace hanse::federation {

struct HealthLimits {
    unsigned failures_to_open = 3;              // in a row
    std::chrono::milliseconds open_for{5'000};  // the first time; doubled each time after, to open_max
    std::chrono::milliseconds open_max{300'000};
    std::chrono::milliseconds probe_every{30'000};      // where there is no use
    std::chrono::milliseconds distrust_for{3'600'000};  // after it broke the rules
};

// Whether a peer may be asked now, and how quick it is: by use, and by probes where there is none. After failures in a
// row nobody asks it for a while, longer each time; then one trial decides (circuit breaker, Nygard, "Release It!",
// chapter 5). A peer that lied is left alone for an hour however healthy it looks.
//
// A value; the owner brings the time. Never the wall clock, so that a clock that jumps changes nothing.
class PeerHealth {
public:
    explicit PeerHealth(HealthLimits limits = {}) : limits_(limits) {}

    enum class State : std::uint8_t { well, trial, open, distrusted };
    State state(base::Instant now) const;
    // For routing: may be asked, as far as is known. At a trial only while none is under way.
    bool may_ask(base::Instant now) const;
    // Before each ask; true must be followed by one of the outcomes below.
    bool ask(base::Instant now);

    void succeeded(base::Instant now, std::chrono::milliseconds first_token);
    // Not reached, broken, or late.
    void failed(base::Instant now);
    // It is well and has no room: no failure, and not asked again before that.
    void busy(base::Instant now, std::chrono::milliseconds retry_after);
    // The attempt ended without saying anything about the peer (the caller went away, it was refused by rule).
    void abandoned(base::Instant now);
    void misbehaved(base::Instant now);

    void connected(base::Instant now);
    void disconnected(base::Instant now);
    // The answer to a probe.
    void probed(base::Instant now, std::chrono::milliseconds round_trip);

    // When the shell should probe, or connect again.
    base::Instant probe_at() const;
    // Smoothed (RFC 6298, section 2: one eighth of the newest); nothing is known before the first use or probe.
    std::optional<std::chrono::milliseconds> latency() const { return latency_; }
    // Of the last asks, the smoothed share that failed, 0 to 1.
    double failure_share() const { return failure_share_; }

private:
    void note(std::chrono::milliseconds sample);
    HealthLimits limits_;
    unsigned failures_ = 0;
    unsigned openings_ = 0;
    bool trial_ = false;
    bool connected_ = false;
    std::optional<base::Instant> open_until_;
    std::optional<base::Instant> busy_until_;
    std::optional<base::Instant> distrusted_until_;
    base::Instant last_heard_{};
    std::optional<std::chrono::milliseconds> latency_;
    double failure_share_ = 0;
};

}  // namespace hanse::federation
