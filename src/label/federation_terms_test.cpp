// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "label/policy.hpp"
#include "label/prove.hpp"

namespace hanse::label {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01
const std::string fingerprint(64, 'a');

// Two members with a word of their own, and a place of the other one.
FederationTerms charter() {
    FederationTerms terms;
    terms.words.version = 7;
    terms.words.members = {{.name = "acme", .house_in = "DE", .people = {"anna"}}, {.name = "bolt", .house_in = "FR", .people = {"ben"}}};
    terms.words.groups = {{"council", {"acme/anna", "bolt"}}};
    terms.words.purposes.push_back("drill");
    terms.words.handling.push_back("NDA:bolt");
    terms.partners = {
        {.name = "bolt/gpu-1",
         .clearance =
             "receivers=acme+bolt place=house:bolt control=house:bolt releases=NDA:bolt contents=personal keep=none learn=no acts-on=own"}};
    terms.signers = {{"bolt/ben", fingerprint}};
    return terms;
}
const std::string head = "version = 1\n[house]\nname = \"acme\"\n";
const std::string shared = "[[kinds]]\nname = \"shared\"\npreset = \"partner\"\nreaders = [\"bolt\"]\nagreement = \"NDA:bolt\"\n";

std::shared_ptr<const Policy> policy(const std::string& text, const FederationTerms& terms) {
    auto read = Policy::read(text, "policy.toml", terms);
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : nullptr;
}
std::string refusal(const std::string& text, const FederationTerms& terms) {
    const auto read = Policy::read(text, "policy.toml", terms);
    return read ? "accepted" : read.error().message;
}
std::string decided(const Policy& policy, std::string_view kind, std::string_view place) {
    return text(judge(policy.kind(kind)->label, policy.clearance(place), *read_use("answer", policy.words(), noon)), policy.words());
}

TEST(FederationTerms, give_a_policy_the_words_and_places_of_the_charter) {
    const auto read = policy(head + shared + "[[kinds]]\nname = \"minutes\"\nreaders = [\"council\"]\npurpose = [\"drill\"]\n", charter());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->words().version(), 7U);
    EXPECT_EQ(decided(*read, "shared", "bolt/gpu-1"), "permit");
    EXPECT_EQ(decided(*read, "internal", "bolt/gpu-1"), "deny acme readers");
    EXPECT_EQ(decided(*read, "shared", "bolt/gpu-2"), "deny acme readers");  // nobody declared it
    EXPECT_EQ(read->place("bolt/gpu-1")->sort, PlaceSort::peer);
}

TEST(FederationTerms, a_label_means_the_same_at_both_ends) {
    const auto here = policy(head + "people = [\"zoe\"]\n" + shared, charter());
    const auto there = policy("version = 1\n[house]\nname = \"bolt\"\nsites = [\"works\"]\n", charter());
    ASSERT_TRUE(here && there);
    const Label& sent = here->kind("shared")->label;
    const auto bytes = binary(sent, here->words());
    const auto arrived = read_binary(bytes, there->words());
    ASSERT_TRUE(arrived) << arrived.error().message;
    EXPECT_EQ(text(*arrived, there->words()), text(sent, here->words()));
    EXPECT_EQ(binary(*arrived, there->words()), bytes);
}

TEST(FederationTerms, a_policy_can_only_make_a_partners_place_weaker) {
    const std::string own =
        "[[places]]\nname = \"bolt/gpu-1\"\nsort = \"peer\"\nreceivers = [\"bolt\"]\nplace = \"house:bolt\"\ncontrol = "
        "\"house:bolt\"\nreleases = [\"NDA:bolt\"]\n"
        "contents = [\"personal\", \"trade-secret\"]\nkeep = \"none\"\nlearn = \"no\"\nfloor = \"internal\"\n";
    const auto read = policy(head + shared + own, charter());
    ASSERT_TRUE(read);
    EXPECT_EQ(decided(*read, "shared", "bolt/gpu-1"), "permit");
    // Cleared by the file for trade secrets, but not by the partner itself; seen by acme too, as the partner says.
    EXPECT_FALSE(read->clearance("bolt/gpu-1").terms().contents.has(bit(trade_secret)));
    EXPECT_EQ(read->words().words(read->clearance("bolt/gpu-1").terms().receivers), (std::vector<std::string>{"acme", "bolt"}));
    EXPECT_EQ(read->place("bolt/gpu-1")->floor, read->kind("internal")->label);
    const auto stricter = policy(head + shared + "[[places]]\nname = \"bolt/gpu-1\"\nsort = \"peer\"\n", charter());
    ASSERT_TRUE(stricter);
    EXPECT_EQ(decided(*stricter, "shared", "bolt/gpu-1"), "deny acme readers");
}

TEST(FederationTerms, rules_and_proofs_reach_partners_places) {
    const std::string rule = "[[rules]]\nname = \"not-there\"\nkinds = [\"shared\"]\nplaces = [\"bolt/gpu-1\"]\n";
    const auto read = policy(head + shared + rule, charter());
    ASSERT_TRUE(read);
    EXPECT_EQ(decided(*read, "shared", "bolt/gpu-1"), "deny rule");
    EXPECT_THAT(refusal(head + shared + "[[proofs]]\nname = \"p\"\nkind = \"shared\"\nnever_reaches = \"bolt/gpu-1\"\n", charter()),
                HasSubstr("contradicts the rest of the file"));
}

TEST(FederationTerms, are_not_for_a_policy_to_change) {
    EXPECT_THAT(refusal("version = 1\n[house]\nname = \"cog\"\n", charter()), HasSubstr("which is no member of the federation"));
    EXPECT_THAT(refusal(head + "in = \"FR\"\n", charter()), HasSubstr("the federation's charter says DE"));
    EXPECT_EQ(refusal(head + "in = \"DE\"\n", charter()), "accepted");
    EXPECT_THAT(refusal(head + "[[members]]\nname = \"bolt\"\nin = \"DE\"\n", charter()),
                HasSubstr("is a member by the federation's charter"));
    EXPECT_EQ(refusal(head + "[[members]]\nname = \"bolt\"\nin = \"FR\"\n", charter()), "accepted") << "what the charter says too";
    EXPECT_THAT(refusal(head + "[[groups]]\nname = \"council\"\nmembers = [\"acme\"]\n", charter()), HasSubstr("council"));
    EXPECT_THAT(refusal(head + "[[places]]\nname = \"bolt/gpu-1\"\nsort = \"backend\"\n", charter()), HasSubstr("of sort \"peer\""));
}

TEST(FederationTerms, with_an_unknown_word_are_refused_as_a_whole) {
    auto terms = charter();
    terms.partners.front().clearance = "receivers=cog place=EU control=EU releases=none contents=none keep=none learn=no acts-on=own";
    EXPECT_THAT(refusal(head, terms), HasSubstr("the charter's place bolt/gpu-1"));
    terms = charter();
    terms.partners.front().floor = "owner=cog";
    EXPECT_THAT(refusal(head, terms), HasSubstr("the charter's place bolt/gpu-1"));
    terms = charter();
    terms.signers = {{"cog", fingerprint}};
    EXPECT_THAT(refusal(head, terms), HasSubstr("cog is no member"));
}

TEST(Signers, are_people_of_the_house_and_those_of_the_charter) {
    const auto signs = [](const std::string& person, const std::string& print) {
        return "[[signers]]\nperson = \"" + person + "\"\nfingerprint = \"" + print + "\"\n";
    };
    const auto read = policy(head + signs("anna", fingerprint) + signs("acme", std::string(64, 'b')), charter());
    ASSERT_TRUE(read);
    const auto who = [&](std::string_view name) { return *read->words().principal(name); };
    EXPECT_THAT(read->signers(), ElementsAre(Signer{who("acme/anna"), fingerprint}, Signer{who("acme"), std::string(64, 'b')},
                                             Signer{who("bolt/ben"), fingerprint}));
    EXPECT_THAT(refusal(head + signs("zoe", fingerprint), charter()), HasSubstr("unknown word \"zoe\""));
    EXPECT_THAT(refusal(head + signs("bolt/ben", fingerprint), charter()), HasSubstr("is not of this house"));
    EXPECT_THAT(refusal(head + signs("anna", "abc"), charter()), HasSubstr("64 hexadecimal digits"));
    EXPECT_THAT(refusal(head + signs("anna", std::string(64, 'A')), charter()), HasSubstr("64 hexadecimal digits"));
}

}  // namespace
}  // namespace hanse::label
