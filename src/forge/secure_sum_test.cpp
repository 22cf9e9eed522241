// SPDX-License-Identifier: Apache-2.0
#include "forge/secure_sum.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace hanse::forge {
namespace {

constexpr std::size_t length = 1001;
using Vector = std::vector<std::uint64_t>;

// Owners that have exchanged their shares, and the vector of each.
struct House {
    SumRound round;
    std::vector<SumMember> members;
    std::vector<Vector> vectors;

    House(std::uint32_t count, std::uint32_t threshold, std::string_view name = "round 1") : round{count, threshold, {}} {
        base::SeededRandom random(7);
        const auto bytes = base::bytes_of(name);
        round.name.assign(bytes.begin(), bytes.end());
        std::vector<std::vector<SumSecret>> secrets(count, std::vector<SumSecret>(count));
        for (std::uint32_t i = 0; i < count; ++i)
            for (std::uint32_t j = i + 1; j < count; ++j) {
                random.fill(secrets[i][j]);
                secrets[j][i] = secrets[i][j];
            }
        for (std::uint32_t i = 0; i < count; ++i) {
            members.push_back(SumMember::create(round, i, secrets[i], random).value());
            Vector vector(length);
            for (auto& one : vector) one = random.next();
            vectors.push_back(std::move(vector));
        }
        for (const auto& from : members)
            for (std::uint32_t to = 0; to < count; ++to) {
                if (&members[to] == &from) continue;
                EXPECT_TRUE(members[to].take(from.shares()[to]));
            }
    }

    Vector plain(std::span<const std::uint32_t> who) const {
        Vector sum(length);
        for (const auto one : who)
            for (std::size_t i = 0; i < length; ++i) sum[i] += vectors[one][i];
        return sum;
    }

    base::Result<Vector> sum(const std::vector<std::uint32_t>& senders, const std::vector<std::uint32_t>& survivors) {
        auto collector = SumCollector::create(round, length).value();
        for (const auto one : senders) EXPECT_TRUE(collector.add(one, members[one].masked(vectors[one]).value()));
        std::vector<SumReveal> reveals;
        for (const auto one : survivors) reveals.push_back(members[one].reveal(collector.sent()).value());
        return collector.finish(reveals);
    }
};

TEST(SecureSum, equals_the_plain_sum_bit_for_bit) {
    House house(5, 3);
    const auto sum = house.sum({0, 1, 2, 3, 4}, {0, 1, 2, 3, 4});
    ASSERT_TRUE(sum) << sum.error().message;
    EXPECT_EQ(*sum, house.plain(std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
}

TEST(SecureSum, survives_an_owner_that_drops_out_before_it_sends) {
    House house(4, 3);
    const auto sum = house.sum({3, 0, 2}, {0, 2, 3});
    ASSERT_TRUE(sum) << sum.error().message;
    EXPECT_EQ(*sum, house.plain(std::vector<std::uint32_t>{0, 2, 3}));
}

TEST(SecureSum, keeps_an_owner_that_drops_out_after_it_sent) {
    House house(4, 3);
    const auto sum = house.sum({0, 1, 2, 3}, {0, 1, 3});
    ASSERT_TRUE(sum) << sum.error().message;
    EXPECT_EQ(*sum, house.plain(std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(SecureSum, fails_loudly_when_too_few_answer) {
    House house(4, 3);
    EXPECT_FALSE(house.sum({0, 1, 2, 3}, {0, 1}));
    House other(4, 3);
    EXPECT_FALSE(other.sum({0, 1, 2}, {0, 1})) << "the survivor 2 shares a mask with 3 that nobody else can take off";
}

TEST(SecureSum, what_is_sent_looks_like_noise) {
    House house(3, 2);
    house.vectors[0].assign(length, 0);
    const auto masked = house.members[0].masked(house.vectors[0]).value();
    std::size_t ones = 0;
    for (const auto one : masked) ones += static_cast<std::size_t>(std::popcount(one));
    EXPECT_NEAR(static_cast<double>(ones) / (64.0 * length), 0.5, 0.02);
    // The masks of one pair differ from round to round.
    House later(3, 2, "round 2");
    EXPECT_NE(masked, later.members[0].masked(house.vectors[0]).value());
}

TEST(SecureSum, a_member_masks_and_reveals_only_once) {
    House house(3, 2);
    ASSERT_TRUE(house.members[0].masked(house.vectors[0]));
    EXPECT_FALSE(house.members[0].masked(house.vectors[0]));
    const std::uint32_t sent[] = {0, 1};
    ASSERT_TRUE(house.members[0].reveal(sent));
    const std::uint32_t other[] = {0, 2};
    EXPECT_FALSE(house.members[0].reveal(other)) << "both answers together would uncover an owner";
}

TEST(SecureSum, never_reveals_for_a_sum_of_fewer_than_the_threshold) {
    House house(4, 3);
    const std::uint32_t two[] = {0, 1}, others[] = {1, 2, 3}, twice[] = {0, 1, 1};
    EXPECT_FALSE(house.members[0].reveal(two));
    EXPECT_FALSE(house.members[0].reveal(others)) << "its own vector is not in it";
    EXPECT_FALSE(house.members[0].reveal(twice));
}

TEST(SecureSum, does_not_mask_before_every_share_is_there) {
    base::SeededRandom random(1);
    auto member = SumMember::create({3, 2, {}}, 0, std::vector<SumSecret>(3), random).value();
    EXPECT_FALSE(member.masked(Vector(3)));
}

TEST(SecureSum, any_threshold_of_shares_makes_the_secret_whole_and_fewer_do_not) {
    base::SeededRandom random(3);
    SumSecret secret;
    random.fill(secret);
    const auto shares = split_secret(secret, 6, 4, random);
    EXPECT_EQ(join_secret({{0, shares[0]}, {2, shares[2]}, {3, shares[3]}, {5, shares[5]}}), secret);
    EXPECT_EQ(join_secret({{1, shares[1]}, {2, shares[2]}, {4, shares[4]}, {5, shares[5]}}), secret);
    EXPECT_NE(join_secret({{0, shares[0]}, {2, shares[2]}, {3, shares[3]}}), secret);
}

TEST(SecureSum, refuses_rounds_that_hide_nothing) {
    base::SeededRandom random(1);
    EXPECT_FALSE(SumMember::create({1, 1, {}}, 0, std::vector<SumSecret>(1), random));
    EXPECT_FALSE(SumMember::create({3, 1, {}}, 0, std::vector<SumSecret>(3), random));
    EXPECT_FALSE(SumMember::create({3, 4, {}}, 0, std::vector<SumSecret>(3), random));
    EXPECT_FALSE(SumCollector::create({300, 2, {}}, 4));
}

}  // namespace
}  // namespace hanse::forge
