// SPDX-License-Identifier: Apache-2.0
#include "task/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hanse::task {
namespace {

using label::Label;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01
constexpr Way here{.model = "m"}, there{.model = "m", .upstream = "eu-cloud"}, undeclared{.model = "m", .upstream = "gpu"};

std::shared_ptr<const label::Policy> policy(const std::string& more = "") {
    return label::Policy::read(label::profile_text(label::Profile::mittelstand, "acme", "DE") + more, "policy.toml").value();
}
Label kind(const Rules& rules, std::string_view name) { return rules.policy().kind(name)->label; }

TEST(Entry, is_the_standard_of_the_policy_or_the_key_and_can_only_be_tightened) {
    Rules rules(policy());
    const KeyFacts plain{.id = "a"}, payroll{.id = "b", .label = "personnel"};
    EXPECT_EQ(rules.enter(nullptr, ""), kind(rules, "internal"));
    EXPECT_EQ(rules.enter(&plain, ""), kind(rules, "internal"));
    EXPECT_EQ(rules.enter(&payroll, ""), kind(rules, "personnel"));
    EXPECT_EQ(rules.enter(&plain, "personnel"), join(kind(rules, "internal"), kind(rules, "personnel")));
    EXPECT_EQ(rules.enter(&payroll, "public"), kind(rules, "personnel"));
    EXPECT_TRUE(rules.enter(nullptr, "top")->is_top());
}

TEST(Entry, is_remembered_for_each_key_by_itself) {
    Rules rules(policy());
    const KeyFacts payroll{.id = "a", .label = "personnel"}, sales{.id = "b", .label = "customers"},
        capped{.id = "c", .ceiling = "internal"};
    for (int twice = 0; twice < 2; ++twice) {
        EXPECT_EQ(rules.enter(&payroll, "internal"), join(kind(rules, "personnel"), kind(rules, "internal")));
        EXPECT_EQ(rules.enter(&sales, "internal"), join(kind(rules, "customers"), kind(rules, "internal")));
        EXPECT_EQ(rules.enter(nullptr, "customers"), join(kind(rules, "customers"), kind(rules, "internal")));
        EXPECT_FALSE(rules.enter(&capped, "customers"));
    }
}

TEST(Entry, above_the_ceiling_of_the_key_is_denied) {
    Rules rules(policy());
    const KeyFacts key{.id = "a", .ceiling = "internal"};
    EXPECT_TRUE(rules.enter(&key, "public"));
    for (int twice = 0; twice < 2; ++twice) {
        const auto refused = rules.enter(&key, "personnel");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
        EXPECT_EQ(refused.error().code, "label_denied");
    }
}

TEST(Entry, an_unknown_word_is_the_callers_mistake_or_the_keys_and_never_skipped) {
    Rules rules(policy());
    const KeyFacts stale{.id = "a", .label = "of-last-year"}, stale_ceiling{.id = "a", .ceiling = "of-last-year"};
    const auto asked = rules.enter(nullptr, "internal+secret");
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().kind, base::ErrorKind::invalid);
    EXPECT_THAT(asked.error().message, HasSubstr("\"secret\" is unknown"));
    for (const KeyFacts* key : {&stale, &stale_ceiling}) {
        const auto refused = rules.enter(key, "");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
    }
}

TEST(Passage, is_decided_there_and_back) {
    Rules rules(
        policy("[[kinds]]\nname = \"vs\"\ncontent = [\"credentials\"]\n[[places]]\nname = \"vault\"\nsort = \"backend\"\nreceivers = "
               "[\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\n"
               "keep = \"none\"\nlearn = \"no\"\ncontents = [\"credentials\"]\n"));
    EXPECT_TRUE(rules.pass(kind(rules, "personnel"), here, noon)->permitted());
    EXPECT_TRUE(rules.pass(kind(rules, "internal"), there, noon)->permitted());
    const auto refused = rules.pass(kind(rules, "personnel"), there, noon);
    EXPECT_FALSE(refused->permitted());
    EXPECT_EQ(refused->denial(base::Language::english).code, "label_denied");
    EXPECT_THAT(refused->denial(base::Language::english).message,
                HasSubstr("acme keeps this inside house:acme; eu-cloud runs in EU; what would help: "));
    EXPECT_THAT(refused->denial(base::Language::german).message, HasSubstr("was helfen würde"));
    // The answer goes to a place that may not see it.
    const auto to_nobody = rules.pass(kind(rules, "internal"), {.model = "m", .caller = "partner"}, noon);
    EXPECT_TRUE(to_nobody->there.permit());
    EXPECT_FALSE(to_nobody->permitted());
    // Who gets it is not of this house: a refusal looks like a model that is not there.
    EXPECT_EQ(to_nobody->denial(base::Language::english).kind, base::ErrorKind::not_found);
    EXPECT_EQ(to_nobody->denial(base::Language::english).message, no_such_model("m").message);
    EXPECT_TRUE(rules.tells_own_people(""));
    EXPECT_FALSE(rules.tells_own_people("partner"));
    EXPECT_FALSE(rules.tells_own_people("nowhere-declared"));
    // The house's own people are told.
    const auto back_denied = rules.pass(kind(rules, "vs"), {.model = "m", .upstream = "vault"}, noon);
    EXPECT_TRUE(back_denied->there.permit());
    EXPECT_FALSE(back_denied->permitted());
    EXPECT_THAT(back_denied->denial(base::Language::english).message, HasSubstr("it may not go to answer"));
}

TEST(Passage, nothing_without_a_label_and_only_public_data_to_an_undeclared_place) {
    Rules rules(policy());
    EXPECT_FALSE(rules.pass(Label(), here, noon)->permitted());
    EXPECT_FALSE(rules.pass(kind(rules, "internal"), undeclared, noon)->permitted());
    EXPECT_TRUE(rules.pass(Label::bottom(), undeclared, noon)->permitted());
}

TEST(Passage, what_only_a_transformation_would_permit_is_not_permitted) {
    Rules rules(policy());
    const auto passage = rules.pass(kind(rules, "customers"), there, noon);
    EXPECT_FALSE(passage->permitted());
    EXPECT_THAT(passage->denial(base::Language::english).message, HasSubstr("after this: pseudonymise it first"));
    EXPECT_THAT(passage->denial(base::Language::english).message, HasSubstr("this node does not do that by itself here"));
    EXPECT_THAT(passage->denial(base::Language::german).message, HasSubstr("das tut dieser Knoten hier nicht von selbst"));
    EXPECT_THAT(rules.pass(kind(rules, "personnel"), there, noon)->denial(base::Language::english).message,
                testing::Not(HasSubstr("does not do that")));
}

TEST(Passage, what_only_a_transformation_would_permit_on_the_way_back_is_said_too) {
    Rules rules(
        policy("[[places]]\nname = \"branch\"\nsort = \"caller\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep = "
               "\"none\"\nlearn = \"no\"\n"));
    const auto passage = rules.pass(kind(rules, "customers"), {.model = "m", .caller = "branch"}, noon);
    EXPECT_TRUE(passage->there.permit());
    EXPECT_EQ(passage->back.outcome(), label::Outcome::permit_after);
    EXPECT_THAT(passage->denial(base::Language::english).message, HasSubstr("this node does not do that by itself here"));
}

TEST(Passage, the_answer_has_the_output_floor_of_the_model_besides) {
    Rules rules(
        policy("[[places]]\nname = \"clerk\"\nsort = \"model\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = "
               "\"none\"\nlearn = \"no\"\n"
               "floor = \"personnel\"\n"));
    const auto passage = rules.pass(Label::bottom(), {.model = "clerk"}, noon);
    EXPECT_EQ(passage->destination.name(), "clerk");
    EXPECT_EQ(passage->answer_label, kind(rules, "personnel"));
    EXPECT_EQ(passage->answer_text, text(kind(rules, "personnel"), rules.policy().words()));
    // The name of a back end is no clearance for a model of that name here.
    EXPECT_EQ(rules.pass(Label::bottom(), {.model = "eu-cloud"}, noon)->destination.name(), "local");
}

TEST(Passage, the_same_question_is_decided_once_until_a_release_expires) {
    const std::string vs = "[[kinds]]\nname = \"vs\"\npreset = \"vs-nfd\"\nreaders = [\"acme\"]\n";
    const std::string place =
        "[[places]]\nname = \"cleared\"\nsort = \"backend\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = "
        "\"none\"\nlearn = \"no\"\n"
        "releases = [\"VS-NfD@2026-06-01\"]\n[[places]]\nname = \"desk\"\nsort = \"caller\"\nreceivers = [\"acme\"]\nplace = "
        "\"house\"\ncontrol = \"house\"\nkeep = \"none\"\n"
        "learn = \"no\"\nreleases = [\"VS-NfD\"]\n";
    Rules rules(policy(vs + place));
    const Way way{.model = "m", .upstream = "cleared", .caller = "desk"};
    const auto first = rules.pass(kind(rules, "vs"), way, noon);
    EXPECT_TRUE(first->permitted());
    EXPECT_EQ(rules.pass(kind(rules, "vs"), way, noon + 3600), first);
    EXPECT_NE(rules.pass(kind(rules, "internal"), way, noon), first);
    const auto expired = rules.pass(kind(rules, "vs"), way, first->holds_until);
    EXPECT_FALSE(expired->permitted());
    // What has ended already ends nothing any more.
    EXPECT_EQ(rules.pass(kind(rules, "vs"), way, first->holds_until), expired);
    EXPECT_EQ(first->holds_until, noon + 12 * 3600);
}

TEST(Passage, an_answer_in_which_names_are_put_back_is_as_secret_as_what_they_came_from) {
    const auto record = std::make_shared<DecisionRecord>();
    Rules rules(policy(), record);
    const Label before = kind(rules, "personnel");
    const auto sent = rules.pass(kind(rules, "internal"), there, noon);
    (void)record->changed();
    const auto restored = rules.pass(kind(rules, "internal"), there, noon, &before);
    EXPECT_NE(restored, sent);
    EXPECT_EQ(restored->label, sent->label);
    EXPECT_EQ(restored->answer_label, before);
    EXPECT_TRUE(record->changed());
}

TEST(Passage, caches_are_parted_by_every_term_that_can_keep_data_from_a_place) {
    Rules rules(
        policy("[[kinds]]\nname = \"drafts\"\nafter = [\"drop\"]\n[[kinds]]\nname = \"short\"\nkeep = \"none\"\nlearn = "
               "\"no\"\n[[kinds]]\nname = \"unlearned\"\nlearn = \"no\"\n"));
    const auto partition = [&](std::string_view name) { return rules.pass(kind(rules, name), here, noon)->partition; };
    EXPECT_EQ(partition("internal"), partition("drafts"));
    for (const char* other : {"personal", "personnel", "public", "short", "unlearned"})
        EXPECT_NE(partition("internal"), partition(other)) << other;
    EXPECT_TRUE(rules.pass(kind(rules, "internal"), here, noon)->outlives_request);
    EXPECT_FALSE(rules.pass(kind(rules, "trade-secret"), here, noon)->outlives_request);
}

TEST(Record, has_each_question_once_and_only_those_of_requests) {
    const auto record = std::make_shared<DecisionRecord>();
    Rules rules(policy(), record);
    EXPECT_FALSE(record->changed());
    (void)rules.preview(kind(rules, "internal"), there, noon);
    EXPECT_FALSE(record->changed());
    for (int i = 0; i < 3; ++i) (void)rules.pass(kind(rules, "internal"), there, noon);
    const std::string internal = text(kind(rules, "internal"), rules.policy().words());
    EXPECT_THAT(record->changed().value(),
                ElementsAre(label::Asked{internal, "eu-cloud", "answer"}, label::Asked{internal, "answer", "answer"}));
    EXPECT_FALSE(record->changed());
}

TEST(Record, takes_the_same_again_as_nothing_new) {
    DecisionRecord record;
    for (int i = 0; i < 3; ++i) record.add({"public; integrity=own", "local", "answer"});
    EXPECT_EQ(record.changed().value().size(), 1U);
    record.add({"public; integrity=own", "local", "answer"});
    EXPECT_FALSE(record.changed());
}

TEST(Record, forgets_the_oldest) {
    DecisionRecord record;
    for (std::size_t i = 0; i <= DecisionRecord::size_max; ++i) record.add({"public; integrity=own", std::to_string(i), "answer"});
    const auto all = record.changed().value();
    EXPECT_EQ(all.size(), DecisionRecord::size_max);
    EXPECT_EQ(all.front().place, "1");
}

}  // namespace
}  // namespace hanse::task
