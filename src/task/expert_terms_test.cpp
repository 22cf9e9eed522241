// SPDX-License-Identifier: Apache-2.0
#include "expert_terms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hanse::task {
namespace {

using engine::ExpertFacts;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01

class ExpertTermsTest : public ::testing::Test {
protected:
    std::shared_ptr<const Passage> passage(std::string_view kind) {
        auto made = rules_.pass(rules_.policy().kind(kind)->label, {.model = "m"}, noon);
        EXPECT_TRUE(made->permitted());
        return made;
    }
    Rules rules_{label::Policy::read(label::profile_text(label::Profile::mittelstand, "acme", "DE"), "policy.toml").value()};
};

TEST_F(ExpertTermsTest, experts_without_terms_all_take_part) {
    const auto before = passage("internal");
    const auto choice = choose_experts(before, std::vector<ExpertFacts>{{.name = "public"}, {.name = "law"}}).value();
    EXPECT_THAT(choice.left_out, IsEmpty());
    EXPECT_EQ(choice.passage, before);
}

TEST_F(ExpertTermsTest, an_expert_whose_answers_may_not_reach_the_caller_is_left_out) {
    const auto before = passage("internal");
    const std::vector<ExpertFacts> experts{
        {.name = "public"}, {.name = "secret", .output_floor = "top"}, {.name = "law", .output_floor = "public"}};
    EXPECT_THAT(choose_experts(before, experts).value().left_out, ElementsAre(1));
}

TEST_F(ExpertTermsTest, an_expert_whose_weights_may_not_lie_here_is_left_out) {
    const std::vector<ExpertFacts> experts{{.name = "public"}, {.name = "elsewhere", .label = "top"}};
    EXPECT_THAT(choose_experts(passage("internal"), experts).value().left_out, ElementsAre(1));
}

TEST_F(ExpertTermsTest, words_that_the_policy_does_not_know_keep_an_expert_out) {
    const std::vector<ExpertFacts> experts{
        {.name = "public"}, {.name = "a", .label = "of-another-house"}, {.name = "b", .output_floor = "of-another-house"}};
    EXPECT_THAT(choose_experts(passage("internal"), experts).value().left_out, ElementsAre(1, 2));
}

TEST_F(ExpertTermsTest, the_answer_carries_the_floors_of_those_that_take_part) {
    const auto before = passage("public");
    const std::vector<ExpertFacts> experts{
        {.name = "public"}, {.name = "law", .output_floor = "internal"}, {.name = "secret", .output_floor = "top"}};
    const auto choice = choose_experts(before, experts).value();
    EXPECT_THAT(choice.left_out, ElementsAre(2));
    EXPECT_EQ(choice.passage->answer_label, join(before->answer_label, rules_.policy().kind("internal")->label));
    EXPECT_NE(choice.passage->answer_text, before->answer_text);
    ASSERT_TRUE(choice.passage->permitted());
    EXPECT_EQ(choice.passage->back.permit()->label(), choice.passage->answer_label);
    EXPECT_EQ(choice.passage->label, before->label);
}

TEST_F(ExpertTermsTest, where_none_may_take_part_the_request_is_denied) {
    const auto refused = choose_experts(passage("internal"), std::vector<ExpertFacts>{{.name = "secret", .output_floor = "top"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
    EXPECT_EQ(refused.error().code, "label_denied");
}

}  // namespace
}  // namespace hanse::task
