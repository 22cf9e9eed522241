// SPDX-License-Identifier: Apache-2.0
#include "route/choose.hpp"

#include <gtest/gtest.h>

#include "route/attempts.hpp"

namespace hanse::route {
namespace {

using namespace std::chrono_literals;
using Next = Attempts::Next;

constexpr label::Verdict permitted{.outcome = label::Outcome::permit};

struct RouteTest : testing::Test {
    std::vector<Candidate> snapshot{
        {.model = "small", .languages = {"de", "en"}, .context = 4'096, .verdict = permitted, .latency = 100ms},
        {.member = "bolt",
         .model = "law",
         .skills = {"legal"},
         .languages = {"de-DE"},
         .context = 8'192,
         .prompt_price = 100'000,
         .answer_price = 400'000,
         .verdict = permitted,
         .latency = 300ms},
        {.member = "clinic",
         .model = "law",
         .skills = {"legal", "medicine"},
         .languages = {"fr"},
         .prompt_price = 50'000,
         .answer_price = 100'000,
         .verdict = permitted,
         .latency = 300ms},
    };
    Question question{.model = "hanse/auto", .prompt_tokens = 100, .answer_tokens = 100};
    std::vector<std::string> order() const {
        std::vector<std::string> names;
        for (const auto& each : choose(snapshot, question).order) names.push_back(snapshot[each.candidate].name());
        return names;
    }
    Exclusion exclusion(std::size_t candidate) const {
        for (const auto& each : choose(snapshot, question).excluded)
            if (each.candidate == candidate) return each.exclusion;
        return Exclusion::none;
    }
    using Names = std::vector<std::string>;
};

TEST_F(RouteTest, asks_nobody_whom_the_rule_forbids_however_good_it_is) {
    snapshot[1].verdict = {};
    snapshot[1].fit = 1.0;
    snapshot[1].latency = 0ms;
    snapshot[1].prompt_price = snapshot[1].answer_price = 0;
    EXPECT_EQ(order(), (Names{"small", "clinic/law"}));
    EXPECT_EQ(exclusion(1), Exclusion::rule);
    question.model = "bolt/law";
    EXPECT_TRUE(choose(snapshot, question).refused_by_rule());
    const auto plan = choose(snapshot, question);
    EXPECT_TRUE(plan.excluded[0].scores.empty()) << "what is forbidden is not weighed";
}

TEST_F(RouteTest, finds_plain_names_skills_and_names_of_members) {
    question.model = "law";
    EXPECT_EQ(order().size(), 2u);
    question.model = "clinic/law";
    EXPECT_EQ(order(), (Names{"clinic/law"}));
    question.model = "hanse/medicine";
    EXPECT_EQ(order(), (Names{"clinic/law"}));
    EXPECT_EQ(exclusion(1), Exclusion::lacks_skill);
    question.model = "hanse/cooking";
    EXPECT_TRUE(order().empty());
    EXPECT_FALSE(choose(snapshot, question).refused_by_rule());
    question.model = "unknown";
    EXPECT_EQ(exclusion(0), Exclusion::other_model);
}

TEST_F(RouteTest, takes_a_name_that_this_node_has_from_this_node) {
    snapshot.push_back({.model = "law", .verdict = permitted, .failure_share = 0.9, .latency = 5'000ms});
    question.model = "law";
    EXPECT_EQ(order()[0], "law");
}

TEST_F(RouteTest, prefers_the_language_the_price_and_the_fit) {
    question.model = "hanse/legal";
    question.language = "de";
    EXPECT_EQ(order()[0], "bolt/law");
    question.language = "";
    question.answer_tokens = 100'000;
    snapshot[2].context = snapshot[1].context = 0;
    EXPECT_EQ(order()[0], "clinic/law") << "a quarter of the price";
    question.answer_tokens = 100;
    snapshot[1].fit = 0.9;
    EXPECT_EQ(order()[0], "bolt/law");
}

TEST_F(RouteTest, leaves_out_what_does_not_fit_costs_too_much_or_fails) {
    question.prompt_tokens = 5'000;
    EXPECT_EQ(exclusion(0), Exclusion::context_too_small);
    question.price_max = 300;
    EXPECT_EQ(exclusion(1), Exclusion::too_dear);
    snapshot[2].may_be_asked = false;
    EXPECT_EQ(exclusion(2), Exclusion::unhealthy);
    EXPECT_TRUE(order().empty());
}

TEST_F(RouteTest, says_what_must_be_done_first_and_prefers_what_may_go_as_it_is) {
    snapshot[2] = snapshot[1];
    snapshot[2].member = "aaa";
    snapshot[2].verdict = {.outcome = label::Outcome::permit_after,
                           .after = label::Transformations::of(label::bit(label::Transformation::pseudonymise))};
    question.model = "hanse/legal";
    EXPECT_EQ(order(), (Names{"bolt/law", "aaa/law"}));
    EXPECT_EQ(choose(snapshot, question).order[1].after, snapshot[2].verdict.after);
}

TEST_F(RouteTest, explains_every_candidate) {
    const auto plan = choose(snapshot, question);
    EXPECT_EQ(plan.order.size() + plan.excluded.size(), snapshot.size());
    for (const auto& each : plan.order) {
        EXPECT_EQ(each.scores.size(), 7u);
        for (const auto& score : each.scores) {
            EXPECT_GE(score.value, 0.0);
            EXPECT_LE(score.value, 1.0);
        }
    }
}

TEST_F(RouteTest, gives_the_same_plan_in_whatever_order_it_learned_of_them) {
    snapshot[1].member = "b", snapshot[2] = snapshot[1], snapshot[2].member = "a";
    const auto first = order();
    std::ranges::reverse(snapshot);
    EXPECT_EQ(order(), first);
}

TEST(AttemptsTest, tries_the_next_before_the_first_token_and_tells_after_it) {
    Attempts attempts(3);
    attempts.begin();
    EXPECT_EQ(attempts.next(), Next::go);
    attempts.ended(TryEnd::not_taken, false);
    attempts.ended(TryEnd::broken, false);
    EXPECT_EQ(attempts.candidate(), 2u);
    attempts.ended(TryEnd::broken, true);
    EXPECT_EQ(attempts.next(), Next::cut_off);
}

TEST(AttemptsTest, ends_when_nobody_is_left_or_time_is_over) {
    Attempts none(0);
    none.begin();
    EXPECT_EQ(none.next(), Next::exhausted);
    Attempts two(9, 2);
    two.begin();
    two.ended(TryEnd::broken, false);
    two.ended(TryEnd::broken, false);
    EXPECT_EQ(two.next(), Next::exhausted);
    Attempts late(3);
    late.begin();
    late.ended(TryEnd::out_of_time, false);
    EXPECT_EQ(late.next(), Next::stopped);
}

}  // namespace
}  // namespace hanse::route
