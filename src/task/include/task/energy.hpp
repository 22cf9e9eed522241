// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "journal/record.hpp"

namespace hanse::task {

// What each of the tasks that compute at the same time has used of the energy that they used together: what was used while n
// of them ran is shared evenly by those n. So the sum over all tasks is what the meter saw while any ran, idle power
// included. Thread-safe.
class EnergyLedger {
public:
    struct Meter {
        std::function<std::uint64_t()> microjoules;  // since some beginning; never falls
        journal::Energy::How how = journal::Energy::How::modelled;
    };
    explicit EnergyLedger(Meter meter) : meter_(std::move(meter)) {}

    // A task begins to compute; give the mark back with leave().
    double enter();
    journal::Energy leave(double mark);

private:
    void settle();
    const Meter meter_;
    std::mutex mutex_;
    std::uint64_t seen_ = 0;   // microjoules
    std::uint32_t running_ = 0;
    double share_ = 0;         // microjoules that a task running from the beginning would have used
};

}  // namespace hanse::task
