// SPDX-License-Identifier: Apache-2.0
#include "task/energy.hpp"

#include <algorithm>

namespace hanse::task {

void EnergyLedger::settle() {
    const std::uint64_t now = meter_.microjoules();
    if (running_ > 0 && now > seen_) share_ += static_cast<double>(now - seen_) / running_;
    seen_ = std::max(seen_, now);
}

double EnergyLedger::enter() {
    const std::lock_guard lock(mutex_);
    settle();
    ++running_;
    return share_;
}

journal::Energy EnergyLedger::leave(double mark) {
    const std::lock_guard lock(mutex_);
    settle();
    running_ -= std::min(running_, 1U);
    return {static_cast<std::uint64_t>(std::max(0.0, share_ - mark) / 1000.0), meter_.how};
}

}  // namespace hanse::task
