// SPDX-License-Identifier: Apache-2.0
#include "forge/router.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace hanse::forge {
namespace {

constexpr std::uint32_t layers = 2;
constexpr std::uint32_t width = 24;

// Tokens of an owner: noise around a direction of its own.
std::vector<float> tokens_of(std::uint64_t owner, std::size_t count, std::uint64_t seed) {
    base::SeededRandom random(seed * 100 + owner);
    std::vector<float> rows;
    for (std::size_t i = 0; i < count * width; ++i)
        rows.push_back(static_cast<float>(random.next() >> 40) * 0x1p-23F - 1.0F + (i % width == owner ? 2.0F : 0.0F));
    return rows;
}

Statistics statistics_of(std::uint64_t owner, std::uint64_t seed = 1) {
    StatisticsCollector collector(layers, width);
    for (std::size_t layer = 0; layer < layers; ++layer) collector.add(layer, tokens_of(owner, 500, seed + layer));
    return collector.finish().value();
}

Statistics sum_of(std::span<const Statistics* const> owners) {
    Statistics total(layers, width);
    for (const auto* one : owners) EXPECT_TRUE(total.add(*one));
    return total;
}

std::size_t chosen(const Router& router, std::span<const float> x) {
    std::size_t best = 0;
    float most = -INFINITY;
    for (std::size_t e = 0; e < router.experts; ++e) {
        float logit = 0;
        for (std::size_t i = 0; i < width; ++i) logit += router.layers[0][e * width + i] * x[i];
        if (logit > most) best = e;
        most = std::max(most, logit);
    }
    return best;
}

double share_found(const Router& router, std::uint64_t owner) {
    const auto rows = tokens_of(owner, 200, 77);
    double found = 0;
    for (std::size_t i = 0; i < rows.size(); i += width) found += chosen(router, std::span(rows).subspan(i, width)) == owner ? 1 : 0;
    return found / 200;
}

TEST(Router, ridge_sends_tokens_to_the_owner_they_are_like) {
    const auto a = statistics_of(0), b = statistics_of(1), c = statistics_of(2);
    const Statistics* owners[] = {&a, &b, &c};
    const auto router = ridge_router(sum_of(owners), owners);
    ASSERT_TRUE(router) << router.error().message;
    for (std::uint64_t owner = 0; owner < 3; ++owner) EXPECT_GT(share_found(*router, owner), 0.9) << owner;
}

TEST(Router, ridge_as_solved_estimates_the_probability_of_an_owner) {
    const auto a = statistics_of(0), b = statistics_of(1);
    const Statistics* owners[] = {&a, &b};
    const auto router = ridge_router(sum_of(owners), owners, {.length = RowLength::as_solved}).value();
    // Least squares with the intercept left out: below 1 for the own tokens, but much above that for another's.
    const auto rows = tokens_of(0, 200, 77);
    double own = 0, other = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        own += rows[i] * router.layers[0][i % width] / 200;
        other += rows[i] * router.layers[0][width + i % width] / 200;
    }
    EXPECT_GT(own, 0.6);
    EXPECT_LT(own, 1.1);
    EXPECT_LT(std::abs(other), 0.3);
}

TEST(Router, ridge_solves_the_normal_equations) {
    const auto a = statistics_of(0), b = statistics_of(1);
    const Statistics* owners[] = {&a, &b};
    const auto total = sum_of(owners);
    const auto router = ridge_router(total, owners, {.penalty = 0.5, .length = RowLength::as_solved}).value();
    const auto product = total.products_of(1);
    auto at = [&](std::size_t i, std::size_t j) {
        const auto row = std::min(i, j);
        return from_fixed(product[row * width - row * (row + 1) / 2 + std::max(i, j)]) + (i == j ? 0.5 : 0.0);
    };
    for (std::size_t e = 0; e < 2; ++e) {
        for (std::size_t i = 0; i < width; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < width; ++j) sum += at(i, j) * router.layers[1][e * width + j];
            EXPECT_NEAR(sum, from_fixed(owners[e]->sums_of(1)[i]), 1e-2);
        }
    }
}

TEST(Router, having_left_is_never_having_joined_bit_for_bit) {
    const auto a = statistics_of(0), b = statistics_of(1), c = statistics_of(2);
    const Statistics* all[] = {&a, &b, &c};
    auto total = sum_of(all);
    const Statistics* rest[] = {&a, &c};
    const auto never = ridge_router(sum_of(rest), rest).value();
    // The numbers are whole, so taking away is exact as well.
    for (std::size_t i = 0; i < total.products.size(); ++i) total.products[i] -= b.products[i];
    EXPECT_EQ(ridge_router(total, rest).value(), never);
}

TEST(Router, a_row_of_means_depends_on_its_owner_alone) {
    const auto a = statistics_of(0), b = statistics_of(1), c = statistics_of(2);
    const Statistics* three[] = {&a, &b, &c};
    const Statistics* two[] = {&a, &b};
    const auto with = means_router(three).value(), without = means_router(two).value();
    for (std::size_t layer = 0; layer < layers; ++layer)
        EXPECT_EQ(std::memcmp(with.layers[layer].data(), without.layers[layer].data(), 2 * width * sizeof(float)), 0);
}

TEST(Router, statistics_do_not_depend_on_how_the_tokens_arrive) {
    const auto rows = tokens_of(1, 512, 5);
    StatisticsCollector whole(1, width), parts(1, width);
    whole.add(0, rows);
    parts.add(0, std::span(rows).first(256 * width));
    parts.add(0, std::span(rows).subspan(256 * width));
    EXPECT_EQ(whole.finish().value(), parts.finish().value());
}

TEST(Router, statistics_are_the_products_and_sums_of_the_tokens) {
    const auto rows = tokens_of(1, 300, 5);
    StatisticsCollector collector(1, width);
    collector.add(0, rows);
    const auto statistics = collector.finish().value();
    double product = 0, sum = 0;
    for (std::size_t i = 0; i < rows.size(); i += width) {
        product += static_cast<double>(rows[i + 2]) * rows[i + 5];
        sum += rows[i + 3];
    }
    EXPECT_NEAR(from_fixed(statistics.products[2 * width - 3 + 5]), product, 1e-3);
    EXPECT_NEAR(from_fixed(statistics.sums[3]), sum, 1e-4);
    EXPECT_EQ(statistics.tokens, 300U);
}

TEST(Router, refuses_statistics_that_are_no_numbers_or_too_large) {
    StatisticsCollector collector(1, 2);
    collector.add(0, std::vector<float>{1e30F, 1});
    EXPECT_FALSE(collector.finish());
    StatisticsCollector missing(2, 2);
    missing.add(0, std::vector<float>{1, 1});
    EXPECT_FALSE(missing.finish()) << "the second layer has seen nothing";
}

TEST(Router, refuses_owners_of_other_shapes_and_an_empty_house) {
    const auto a = statistics_of(0);
    const Statistics other(layers, width + 1);
    const Statistics* mixed[] = {&a, &other};
    EXPECT_FALSE(ridge_router(a, mixed));
    EXPECT_FALSE(means_router(mixed));
    EXPECT_FALSE(ridge_router(a, {}));
}

TEST(Router, asks_for_a_penalty_where_the_tokens_span_too_little) {
    StatisticsCollector collector(1, 4);
    collector.add(0, std::vector<float>{1, 0, 0, 0});
    const auto poor = collector.finish().value();
    const Statistics* owners[] = {&poor};
    EXPECT_FALSE(ridge_router(poor, owners, {.penalty = 0}));
    EXPECT_TRUE(ridge_router(poor, owners));
}

TEST(Router, prompts_make_a_row_of_length_one_that_points_away_from_negative_ones) {
    const auto row = prompt_row({{{2, 0, 1}, {4, 0, 1}}, {{0, 2, 1}}}, 3).value();
    EXPECT_NEAR(row[0] * row[0] + row[1] * row[1] + row[2] * row[2], 1, 1e-6);
    EXPECT_NEAR(row[0] / row[1], -1.5, 1e-6);
    EXPECT_NEAR(row[2], 0, 1e-6);
    EXPECT_FALSE(prompt_row({}, 3));
    EXPECT_FALSE(prompt_row({{{1, 2}}, {}}, 3));
}

TEST(Router, random_rows_repeat_with_their_seed) {
    base::SeededRandom one(3), two(3);
    const auto router = random_router(2, 3, 8, RandomRows::normal, one);
    EXPECT_EQ(router, random_router(2, 3, 8, RandomRows::normal, two));
    EXPECT_NE(router.layers[0], router.layers[1]);
}

}  // namespace
}  // namespace hanse::forge
