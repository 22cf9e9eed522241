// SPDX-License-Identifier: Apache-2.0
#include "cost_model.hpp"

#include <gtest/gtest.h>

#include <random>

namespace hanse::engine {
namespace {

CostModel::Seconds truth(CostModel::Work work) {
    return CostModel::Seconds(0.004 + 0.0008 * work.decode + 0.0003 * work.prefill + (work.decode > 0 && work.prefill > 0 ? 0.002 : 0.0));
}

TEST(CostModel, learns_what_steps_cost) {
    CostModel model;
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        CostModel::Work work{static_cast<std::uint32_t>(random() % 32), random() % 3 == 0 ? static_cast<std::uint32_t>(random() % 200) : 0};
        model.measured(work, truth(work));
    }
    for (CostModel::Work work : {CostModel::Work{1, 0}, {8, 0}, {32, 0}, {0, 200}, {16, 50}}) {
        auto ratio = model.predicted(work) / truth(work);
        EXPECT_GT(ratio, 0.75);
        EXPECT_LT(ratio, 1.35);
    }
}

TEST(CostModel, one_odd_step_changes_little) {
    CostModel model;
    for (int i = 0; i < 100; ++i) model.measured({4, 0}, truth({4, 0}));
    auto before = model.predicted({4, 0});
    model.measured({4, 0}, CostModel::Seconds(10));
    EXPECT_LT(model.predicted({4, 0}), before * 1.2);
}

TEST(CostModel, a_quota_keeps_the_step_within_its_budget) {
    CostModel model;
    for (int i = 0; i < 300; ++i) {
        model.measured({8, 0}, truth({8, 0}));
        model.measured({8, 40}, truth({8, 40}));
    }
    auto budget = model.predicted({8, 0}) * 2.0;
    auto quota = model.prefill_within(budget, 8);
    EXPECT_GT(quota, 0U);
    EXPECT_LE(model.predicted({8, quota}), budget);
    EXPECT_GT(model.predicted({8, quota + 1}), budget);
    EXPECT_EQ(model.prefill_within(CostModel::Seconds(0), 8), 0U);
}

}  // namespace
}  // namespace hanse::engine
