// SPDX-License-Identifier: Apache-2.0
#include "task/energy.hpp"

#include <gtest/gtest.h>

namespace hanse::task {
namespace {

struct Energy : testing::Test {
    std::uint64_t meter = 5'000'000;
    EnergyLedger ledger{{[this] { return meter; }, journal::Energy::How::measured}};
};

TEST_F(Energy, one_task_has_all_that_was_used_meanwhile) {
    const auto mark = ledger.enter();
    meter += 3'000'000;
    const auto used = ledger.leave(mark);
    EXPECT_EQ(used.millijoules, 3'000U);
    EXPECT_EQ(used.how, journal::Energy::How::measured);
}

TEST_F(Energy, tasks_side_by_side_share_and_together_have_all) {
    const auto first = ledger.enter();
    meter += 1'000'000;
    const auto second = ledger.enter();
    meter += 4'000'000;
    const auto of_first = ledger.leave(first).millijoules;
    meter += 2'000'000;
    const auto of_second = ledger.leave(second).millijoules;
    EXPECT_EQ(of_first, 3'000U);
    EXPECT_EQ(of_second, 4'000U);
}

TEST_F(Energy, what_is_used_while_nothing_runs_is_nobodys) {
    ledger.leave(ledger.enter());
    meter += 9'000'000;
    EXPECT_EQ(ledger.leave(ledger.enter()).millijoules, 0U);
}

TEST_F(Energy, a_meter_that_falls_costs_nobody_anything) {
    const auto mark = ledger.enter();
    meter = 0;
    EXPECT_EQ(ledger.leave(mark).millijoules, 0U);
}

}  // namespace
}  // namespace hanse::task
