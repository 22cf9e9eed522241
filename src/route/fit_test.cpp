// SPDX-License-Identifier: Apache-2.0
#include "route/fit.hpp"

#include <gtest/gtest.h>

#include <format>

namespace hanse::route {
namespace {

constexpr std::string_view law = "Der Antrag ist innerhalb eines Monats nach Bekanntgabe des Bescheides bei der Behoerde zu stellen. ";
constexpr std::string_view code = "def total(items):\n    return sum(item.price for item in items if item.price is not None)\n";
constexpr std::string_view question = "Innerhalb welcher Frist ist der Antrag bei der Behoerde zu stellen?";
constexpr label::Verdict permitted{.outcome = label::Outcome::permit};

catalog::NgramTable table(std::vector<std::pair<std::string, std::string_view>> owners) {
    catalog::NgramTable made;
    for (const auto& [owner, text] : owners) {
        catalog::NgramCounts counts;
        counts.add(text);
        EXPECT_TRUE(made.join(owner, std::move(counts)));
    }
    return made;
}

struct FitTest : testing::Test {
    std::vector<Candidate> snapshot{{.model = "general", .verdict = permitted},
                                    {.model = "code", .verdict = permitted},
                                    {.member = "bolt", .model = "law", .verdict = permitted, .latency = std::chrono::milliseconds(900)}};
    Fit fit;
    void SetUp() override {
        ASSERT_TRUE(fit.speak_for("code", table({{"anyone", code}})));
        ASSERT_TRUE(fit.add(table({{"bolt/law", law}})));
    }
    std::string first() const {
        const auto plan = choose(snapshot, {.model = "hanse/auto"});
        return snapshot[plan.order.front().candidate].name();
    }
};

TEST_F(FitTest, leads_a_request_to_the_owner_whose_texts_it_is_like) {
    EXPECT_EQ(first(), "code") << "without the request whoever is near";
    fit.weigh(snapshot, question);
    EXPECT_EQ(first(), "bolt/law") << "further away and slower, but its";
    fit.weigh(snapshot, "    return sum(price for price in items)");
    EXPECT_EQ(first(), "code");
    EXPECT_EQ(snapshot[1].fit, 1.0);
    EXPECT_LT(*snapshot[2].fit, 0.01);
    EXPECT_LT(*snapshot[1].nats_per_byte, *snapshot[2].nats_per_byte);
}

TEST_F(FitTest, compares_nothing_that_the_rule_forbids) {
    snapshot[2].verdict = {};
    fit.weigh(snapshot, question);
    EXPECT_FALSE(snapshot[2].nats_per_byte.has_value());
    EXPECT_FALSE(snapshot[1].fit.has_value()) << "one alone cannot be compared";
    EXPECT_TRUE(snapshot[1].nats_per_byte.has_value());
}

TEST_F(FitTest, leaves_who_has_no_table_in_the_middle) {
    fit.weigh(snapshot, question);
    EXPECT_FALSE(snapshot[0].fit.has_value());
    fit.weigh(snapshot, "");
    EXPECT_TRUE(snapshot[1].fit.has_value()) << "an empty text changes nothing";
}

TEST_F(FitTest, takes_the_best_of_several_owners_of_one_model) {
    ASSERT_TRUE(fit.speak_for("code", table({{"jurists", law}})));
    fit.weigh(snapshot, question);
    EXPECT_EQ(snapshot[1].fit, 1.0);
    EXPECT_EQ(snapshot[2].fit, 1.0);
}

TEST_F(FitTest, hardly_tells_them_apart_by_a_word) {
    fit.weigh(snapshot, "e");
    EXPECT_GT(*snapshot[1].fit, 0.2);
    EXPECT_GT(*snapshot[2].fit, 0.2);
}

TEST_F(FitTest, reads_the_end_of_a_long_text_and_less_the_more_tables_there_are) {
    fit.weigh(snapshot, std::string(5'000'000, '\n') + std::string(law) + std::string(law));
    const double at_the_end = *snapshot[2].nats_per_byte;
    fit.weigh(snapshot, std::string(1'000, '\n') + std::string(law) + std::string(law));
    EXPECT_EQ(*snapshot[2].nats_per_byte, at_the_end);
    EXPECT_EQ(Fit::bytes_read(2), Fit::text_most);
    for (std::size_t tables = 1; tables <= Fit::tables_max; ++tables) EXPECT_LE(tables * Fit::bytes_read(tables), Fit::looks);
    EXPECT_GE(Fit::bytes_read(Fit::tables_max), 128u);
}

TEST(FitLimitTest, takes_no_more_tables_than_it_can_weigh_in_time) {
    Fit fit;
    catalog::NgramTable many;
    for (std::size_t i = 0; i < 200; ++i) ASSERT_TRUE(many.join(std::format("owner {}", i), {}));
    EXPECT_TRUE(fit.add(many));
    EXPECT_FALSE(fit.add(many));
}

}  // namespace
}  // namespace hanse::route
