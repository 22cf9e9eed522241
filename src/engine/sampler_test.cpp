// SPDX-License-Identifier: Apache-2.0
#include "sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

namespace hanse::engine {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::map<TokenId, int> drawn(SamplingOptions options, std::vector<float> logits, int times = 20'000, std::vector<std::uint64_t> mask = {}) {
    Sampler sampler(std::move(options), 42);
    std::map<TokenId, int> counts;
    for (int i = 0; i < times; ++i) ++counts[sampler.draw(logits, mask)];
    return counts;
}

TEST(Likeliest, is_the_first_of_the_largest) {
    std::vector<float> logits(1000, 0.0F);
    logits[700] = logits[901] = 3.0F;
    EXPECT_EQ(likeliest(logits), 700);
    for (std::size_t at = 0; at < logits.size(); ++at) {
        std::vector<float> other(1000, -1.0F);
        other[at] = 2.0F;
        ASSERT_EQ(likeliest(other), static_cast<TokenId>(at));
    }
}

TEST(Likeliest, passes_over_what_is_no_number) {
    EXPECT_EQ(likeliest(std::vector<float>{NAN, 1.0F, NAN, 2.0F, NAN}), 3);
    EXPECT_EQ(likeliest(std::vector<float>(40, NAN)), -1);
    EXPECT_EQ(likeliest(std::vector<float>(40, -infinity)), -1);
    EXPECT_EQ(likeliest({}), -1);
}

TEST(Sampler, draws_by_probability) {
    auto counts = drawn({}, {std::log(1.0F), std::log(2.0F), std::log(7.0F)});
    EXPECT_NEAR(counts[0], 2000, 250);
    EXPECT_NEAR(counts[1], 4000, 350);
    EXPECT_NEAR(counts[2], 14000, 500);
}

TEST(Sampler, temperature_flattens_and_sharpens) {
    std::vector<float> logits{std::log(1.0F), std::log(4.0F)};
    EXPECT_NEAR(drawn({.temperature = 2.0F}, logits)[1] / 20'000.0, 2.0 / 3.0, 0.02);
    EXPECT_NEAR(drawn({.temperature = 0.5F}, logits)[1] / 20'000.0, 16.0 / 17.0, 0.02);
    EXPECT_EQ(drawn({.temperature = 0.0F}, logits)[1], 20'000);
}

TEST(Sampler, top_k_keeps_the_k_likeliest) {
    std::vector<float> logits(5000);
    std::mt19937 random(3);
    for (auto& logit : logits) logit = static_cast<float>(random() % 1000) / 100.0F;
    std::vector<TokenId> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<TokenId>(i);
    std::ranges::stable_sort(order, [&](TokenId a, TokenId b) { return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)]; });
    for (const auto& [token, count] : drawn({.temperature = 3.0F, .top_k = 40}, logits, 3000))
        EXPECT_LT(std::ranges::find(order, token) - order.begin(), 40);
}

TEST(Sampler, top_p_keeps_the_smallest_set_that_weighs_enough) {
    auto counts = drawn({.top_p = 0.75F}, {std::log(0.5F), std::log(0.3F), std::log(0.15F), std::log(0.05F)});
    EXPECT_EQ(counts.size(), 2U);
    EXPECT_NEAR(counts[0] / 20'000.0, 0.625, 0.02);
    EXPECT_EQ(drawn({.top_p = 0.0F}, {1.0F, 2.0F}).size(), 1U);
}

TEST(Sampler, min_p_is_relative_to_the_likeliest) {
    auto counts = drawn({.min_p = 0.4F}, {std::log(0.5F), std::log(0.25F), std::log(0.15F), std::log(0.1F)});
    EXPECT_EQ(counts.size(), 2U);
}

TEST(Sampler, a_mask_allows_only_what_it_names) {
    std::vector<float> logits(130, 0.0F);
    logits[5] = 10.0F;
    std::vector<std::uint64_t> mask{0, 1ULL << 3, 1ULL << 1};
    auto counts = drawn({}, logits, 1000, mask);
    EXPECT_EQ(counts.size(), 2U);
    EXPECT_GT(counts[67], 0);
    EXPECT_GT(counts[129], 0);
    EXPECT_EQ(drawn({.temperature = 0.0F}, logits, 1, mask).begin()->first, 67);
    EXPECT_EQ(drawn({}, logits, 1, {0, 0, 0}).begin()->first, -1);
}

TEST(Sampler, penalties_follow_the_window) {
    Sampler sampler({.presence_penalty = 1.0F, .frequency_penalty = 0.5F, .penalty_window = 2}, 1);
    sampler.accept(1);
    sampler.accept(1);
    std::vector<float> logits{0.0F, 0.0F, 0.0F};
    sampler.prepare(logits);
    EXPECT_FLOAT_EQ(logits[1], -2.0F);
    sampler.accept(2);
    sampler.accept(2);  // the ones have left the window
    logits = {0.0F, 0.0F, 0.0F};
    sampler.prepare(logits);
    EXPECT_FLOAT_EQ(logits[1], 0.0F);
    EXPECT_FLOAT_EQ(logits[2], -2.0F);
}

TEST(Sampler, repeat_penalty_minds_the_sign) {
    Sampler sampler({.repeat_penalty = 2.0F}, 1);
    sampler.accept(0);
    sampler.accept(1);
    std::vector<float> logits{4.0F, -4.0F};
    sampler.prepare(logits);
    EXPECT_FLOAT_EQ(logits[0], 2.0F);
    EXPECT_FLOAT_EQ(logits[1], -8.0F);
}

TEST(Sampler, bias_names_tokens_and_ignores_unknown_ones) {
    Sampler sampler({.logit_bias = {{1, 5.0F}, {-3, 1.0F}, {99, 1.0F}}}, 1);
    std::vector<float> logits{0.0F, 0.0F};
    sampler.prepare(logits);
    EXPECT_FLOAT_EQ(logits[1], 5.0F);
}

TEST(Sampler, a_seed_repeats_itself) {
    std::vector<float> logits(100, 0.0F);
    Sampler a({.seed = 5}, 1), b({.seed = 5}, 2), c({.seed = 6}, 1);
    std::vector<TokenId> from_a, from_b, from_c;
    for (int i = 0; i < 20; ++i) from_a.push_back(a.draw(logits)), from_b.push_back(b.draw(logits)), from_c.push_back(c.draw(logits));
    EXPECT_EQ(from_a, from_b);
    EXPECT_NE(from_a, from_c);
}

TEST(Sampler, logprobs_sum_to_one) {
    std::vector<float> logits{1.0F, 2.0F, 3.0F};
    Sampler sampler({.top_logprobs = 3}, 1);
    Sampler::Scored chosen{};
    std::vector<Sampler::Scored> top;
    sampler.logprobs(logits, 0, chosen, top);
    double sum = 0;
    for (const auto& one : top) sum += std::exp(static_cast<double>(one.logprob));
    EXPECT_NEAR(sum, 1.0, 1e-5);
    EXPECT_EQ(top[0].token, 2);
    EXPECT_FLOAT_EQ(chosen.logprob, top[2].logprob);
}

}  // namespace
}  // namespace hanse::engine
