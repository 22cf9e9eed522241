// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "privacy/finding.hpp"
#include "privacy/recogniser.hpp"
#include "task/rules.hpp"

namespace hanse::task {
namespace {

std::shared_ptr<const label::Policy> policy(const std::string& more) {
    auto read = label::Policy::read("version = 1\n[house]\nname = \"acme\"\nin = \"DE\"\n" + more, "policy.toml");
    if (!read) ADD_FAILURE() << read.error().message;
    return *read;
}
const std::string rule = "[[content]]\nname = \"accounts\"\nfinds = [\"iban\", \"person\"]\nkind = \"trade-secret\"\n";

// The policy file's words and the recognisers' are one list, kept in two rooms that do not know each other.
TEST(ContentRules, name_exactly_what_the_recognisers_find) {
    const auto words = label::finding_words();
    ASSERT_EQ(words.size(), privacy::kind_count);
    for (std::size_t kind = 0; kind < privacy::kind_count; ++kind) EXPECT_EQ(words[kind], privacy::name(static_cast<privacy::Kind>(kind)));
}

TEST(ContentRules, tighten_by_what_is_found_and_by_nothing_else) {
    const Rules rules(policy(rule));
    const label::Label before = rules.policy().standard().label;
    constexpr std::array other{privacy::Kind::email};
    constexpr std::array account{privacy::Kind::email, privacy::Kind::iban};
    EXPECT_EQ(rules.tightened(nullptr, before, other).value(), before);
    EXPECT_EQ(rules.tightened(nullptr, before, account).value(), label::join(before, rules.policy().label("trade-secret").value()));
}

TEST(ContentRules, do_not_lift_a_text_above_the_ceiling_of_its_key) {
    const Rules rules(policy(rule));
    const KeyFacts key{.id = "key_1", .name = "narrow", .ceiling = "internal"};
    constexpr std::array account{privacy::Kind::iban};
    EXPECT_EQ(rules.tightened(&key, rules.policy().standard().label, account).error().code, "label_denied");
}

TEST(ContentRules, let_a_text_pass_that_its_keys_ceiling_covers) {
    const Rules rules(policy(rule));
    const KeyFacts key{.id = "key_1", .name = "wide", .ceiling = "trade-secret"};
    constexpr std::array account{privacy::Kind::iban};
    const auto secret = rules.policy().label("trade-secret").value();
    EXPECT_EQ(rules.tightened(&key, label::Label::bottom(), account), label::join(label::Label::bottom(), secret));
}

TEST(ContentRules, are_read_with_the_recogniser_that_was_given) {
    const auto recogniser = privacy::Recogniser::create({});
    ASSERT_TRUE(recogniser) << recogniser.error().message;
    const Rules rules(policy(rule), {}, *recogniser);
    EXPECT_EQ(rules.recogniser().value(), recogniser->get());
}

TEST(ContentRules, ask_for_a_recogniser_and_get_none_out_of_nothing) {
    const auto looking = policy(rule);
    EXPECT_TRUE(Rules::needs_recogniser(*looking));
    EXPECT_EQ(Rules(looking).recogniser().error().kind, base::ErrorKind::unavailable);
    EXPECT_FALSE(Rules::needs_recogniser(*policy("")));
    EXPECT_TRUE(Rules::needs_recogniser(*policy("[[kinds]]\nname = \"customers\"\npreset = \"personal\"\nafter = [\"pseudonymise\"]\n")));
}

TEST(ContentRules, are_refused_with_a_word_that_nobody_finds) {
    for (const char* finds : {"[\"ibans\"]", "[]", "[\"iban\", \"iban\"]"}) {
        const auto read = label::Policy::read(
            std::string("version = 1\n[house]\nname = \"acme\"\nin = \"DE\"\n[[content]]\nname = \"x\"\nkind = \"personal\"\nfinds = ") +
                finds + "\n",
            "policy.toml");
        EXPECT_FALSE(read) << finds;
    }
    EXPECT_FALSE(label::Policy::read(
        "version = 1\n[house]\nname = \"acme\"\nin = \"DE\"\n[[content]]\nname = \"x\"\nkind = \"public\"\nfinds = [\"iban\"]\n",
        "policy.toml"));
}

}  // namespace
}  // namespace hanse::task
