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
    auto quota = model.prefill_within(budget, {8, 0}, 0);
    EXPECT_GT(quota, 0U);
    auto with = [&](std::uint32_t tokens) { return model.predicted({8, tokens, 2, std::uint64_t{tokens} * tokens / 2}); };
    EXPECT_LE(with(quota), budget * 1.001);
    EXPECT_GT(with(quota + 1), budget);
    EXPECT_EQ(model.prefill_within(CostModel::Seconds(0), {8, 0}, 0), 0U);
}

TEST(CostModel, what_grows_with_the_depth_is_put_down_to_attention) {
    CostModel model;
    auto cost = [](const CostModel::Work& work) {
        return CostModel::Seconds(0.006 * work.passes + 0.004 * work.decode + 0.0035 * work.prefill +
                                  5e-6 * static_cast<double>(work.attended));
    };
    for (std::uint32_t i = 0; i < 50; ++i) {
        CostModel::Work alone{7, 0, 1, 7 * 100};
        model.measured(alone, cost(alone));
    }
    // One prompt is read, always as many tokens a step, beside the same seven answers.
    for (std::uint32_t depth = 0; depth < 3000; depth += 8) {
        CostModel::Work work{7, 8, 2, 7 * 100 + std::uint64_t{8} * depth};
        model.measured(work, cost(work));
    }
    CostModel::Work beside{7, 0, 1, 7 * 100};
    EXPECT_NEAR(model.predicted(beside) / cost(beside), 1.0, 0.15);
    auto budget = CostModel::Seconds(0.08);
    auto deep = model.prefill_within(budget, beside, 3000);
    EXPECT_LE(cost({7, deep, 2, 7 * 100 + std::uint64_t{deep} * 3000}), budget * 1.15);
    EXPECT_GE(cost({7, deep + 1, 2, 7 * 100 + std::uint64_t{deep + 1} * 3000}), budget * 0.85);
}

TEST(CostModel, a_machine_that_slows_down_is_followed_within_sixty_steps) {
    CostModel model;
    for (int i = 0; i < 100; ++i) model.measured({4, 0}, truth({4, 0}));
    for (int i = 0; i < 60; ++i) model.measured({4, 0}, truth({4, 0}) * 1.8);
    EXPECT_NEAR(model.predicted({4, 0}) / truth({4, 0}), 1.8, 0.1);
}

}  // namespace
}  // namespace hanse::engine
