// SPDX-License-Identifier: Apache-2.0
#include "forge/score.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hanse::forge {
namespace {

TEST(Score, nats_are_the_mean_of_the_negative_logarithms) {
    TextScore score;
    score.add(std::vector<float>{0, 0, 0, 0}, 2);
    EXPECT_NEAR(score.nats(), std::log(4), 1e-12);
    EXPECT_NEAR(score.perplexity(), 4, 1e-9);
    score.add(std::vector<float>{1000, 0, 0, 0}, 0);
    EXPECT_NEAR(score.nats(), std::log(4) / 2, 1e-12);
    EXPECT_EQ(score.hits(), 0.5);
    EXPECT_EQ(score.tokens(), 2U);
}

TEST(Score, an_empty_text_costs_nothing) {
    EXPECT_EQ(TextScore().nats(), 0);
    EXPECT_EQ(ExtractionProbe().verbatim(), 0);
}

TEST(Score, a_probe_counts_tokens_until_the_first_wrong_one) {
    ExtractionProbe probe;
    const std::int32_t truth[] = {1, 2, 3, 4}, right[] = {1, 2, 3, 4}, half[] = {1, 2, 9, 4}, short_one[] = {1};
    probe.add(right, truth);
    probe.add(half, truth);
    probe.add(short_one, truth);
    EXPECT_EQ(probe.probes(), 3U);
    EXPECT_NEAR(probe.verbatim(), 1.0 / 3, 1e-12);
    EXPECT_NEAR(probe.matched(), 7.0 / 3, 1e-12);
    EXPECT_EQ(probe.longest(), 4U);
}

TEST(Score, the_search_finds_the_bottom_of_a_bowl) {
    const auto bowl = [](std::span<const double> w) -> base::Result<double> {
        return std::pow(w[0] - 0.7, 2) + std::pow(w[1] - 1.2, 2) + w[0] * w[1] * 0.1;
    };
    const auto found = search_weights({0.5, 0.5}, {.least_step = 0.01, .evaluations = 200}, bowl).value();
    EXPECT_NEAR(found.weights[0], 0.64, 0.02);
    EXPECT_NEAR(found.weights[1], 1.17, 0.02);
    EXPECT_LT(found.loss, found.start_loss);
}

TEST(Score, the_search_stays_within_its_bounds_and_its_evaluations) {
    std::size_t calls = 0;
    const auto slope = [&](std::span<const double> w) -> base::Result<double> {
        ++calls;
        EXPECT_LE(w[0], 2.0);
        return -w[0];
    };
    EXPECT_NEAR(search_weights({0.5}, {}, slope).value().weights[0], 2.0, 1e-12);
    calls = 0;
    EXPECT_EQ(search_weights({0.5}, {.evaluations = 3}, slope).value().evaluations, 3U);
    EXPECT_EQ(calls, 3U);
}

TEST(Score, the_search_ends_with_the_first_error) {
    const auto broken = [](std::span<const double>) -> base::Result<double> { return base::fail(base::ErrorKind::unavailable, "no"); };
    EXPECT_FALSE(search_weights({1}, {}, broken));
}

}  // namespace
}  // namespace hanse::forge
