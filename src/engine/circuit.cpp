// SPDX-License-Identifier: Apache-2.0
#include "circuit.hpp"

#include <algorithm>

namespace hanse::engine {

bool Circuit::may_try(base::Instant now) {
    if (!would_try(now)) return false;
    trial_ = opened_at_.has_value();
    return true;
}

void Circuit::succeeded() {
    failures_ = 0;
    opened_at_.reset();
    trial_ = false;
}

void Circuit::seen_well() {
    if (opened_at_) *opened_at_ -= open_for_;
}

void Circuit::failed(base::Instant now) {
    // What began before the circuit opened and fails only now must not put the trial off.
    if (opened_at_ && !trial_) return;
    ++failures_;
    if (trial_ || failures_ >= failures_to_open_) opened_at_ = now;
    trial_ = false;
}

std::chrono::milliseconds Circuit::wait_left(base::Instant now) const {
    if (!opened_at_ || now >= *opened_at_ + open_for_) return {};
    return std::chrono::ceil<std::chrono::milliseconds>(*opened_at_ + open_for_ - now);
}

AttemptOutcome outcome_of(unsigned status) {
    if (status == 0 || status == 429) return AttemptOutcome::try_again;
    return status >= 500 && status != 501 && status != 505 ? AttemptOutcome::try_again : AttemptOutcome::answer;
}

std::chrono::milliseconds pause_before(unsigned attempt, std::uint64_t random) {
    const std::uint64_t limit = std::min<std::uint64_t>(2000, 100ULL << std::min(attempt, 10U));
    return std::chrono::milliseconds(random % (limit + 1));
}

}  // namespace hanse::engine
