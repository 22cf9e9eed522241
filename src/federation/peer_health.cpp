// SPDX-License-Identifier: Apache-2.0
#include "federation/peer_health.hpp"

#include <algorithm>

namespace hanse::federation {

PeerHealth::State PeerHealth::state(base::Instant now) const {
    if (distrusted_until_ && now < *distrusted_until_) return State::distrusted;
    if (!open_until_) return State::well;
    return now < *open_until_ ? State::open : State::trial;
}

bool PeerHealth::may_ask(base::Instant now) const {
    if (busy_until_ && now < *busy_until_) return false;
    switch (state(now)) {
        case State::well: return true;
        case State::trial: return !trial_;
        case State::open:
        case State::distrusted: return false;
    }
    return false;
}

bool PeerHealth::ask(base::Instant now) {
    if (!may_ask(now)) return false;
    trial_ = state(now) == State::trial;
    return true;
}

void PeerHealth::note(std::chrono::milliseconds sample) { latency_ = latency_ ? (*latency_ * 7 + sample) / 8 : sample; }

void PeerHealth::succeeded(base::Instant now, std::chrono::milliseconds first_token) {
    note(first_token);
    failure_share_ *= 7.0 / 8.0;
    failures_ = openings_ = 0;
    trial_ = false;
    open_until_.reset();
    busy_until_.reset();
    last_heard_ = now;
}

void PeerHealth::failed(base::Instant now) {
    failure_share_ = failure_share_ * 7.0 / 8.0 + 1.0 / 8.0;
    // What was asked before it opened and fails only now must not put the trial off.
    if (state(now) == State::open) return;
    ++failures_;
    if (trial_ || failures_ >= limits_.failures_to_open) {
        const auto wait = std::min(limits_.open_max, limits_.open_for * (1U << std::min(openings_, 10U)));
        ++openings_;
        open_until_ = now + wait;
    }
    trial_ = false;
}

void PeerHealth::busy(base::Instant now, std::chrono::milliseconds retry_after) {
    trial_ = false;
    open_until_.reset();
    failures_ = openings_ = 0;
    busy_until_ = now + std::clamp(retry_after, std::chrono::milliseconds(100), limits_.open_max);
    last_heard_ = now;
}

void PeerHealth::abandoned(base::Instant) { trial_ = false; }

void PeerHealth::misbehaved(base::Instant now) {
    trial_ = false;
    distrusted_until_ = now + limits_.distrust_for;
}

void PeerHealth::connected(base::Instant now) {
    connected_ = true;
    last_heard_ = now;
    // It is there: an open circuit need not wait any longer for its trial.
    if (open_until_ && *open_until_ > now) open_until_ = now;
}

void PeerHealth::disconnected(base::Instant now) {
    connected_ = false;
    failed(now);
}

void PeerHealth::probed(base::Instant now, std::chrono::milliseconds round_trip) {
    last_heard_ = now;
    if (!latency_) latency_ = round_trip;
    if (open_until_ && *open_until_ > now) open_until_ = now;
}

base::Instant PeerHealth::probe_at() const {
    if (distrusted_until_) return std::max(*distrusted_until_, last_heard_ + limits_.probe_every);
    if (open_until_ && !connected_) return *open_until_;
    return last_heard_ + limits_.probe_every;
}

}  // namespace hanse::federation
