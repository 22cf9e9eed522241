// SPDX-License-Identifier: Apache-2.0
#include "federation/offers.hpp"

#include <gtest/gtest.h>

#include "sample.hpp"

namespace hanse::federation {
namespace {

using News = OfferMirror::News;

struct OffersTest : testing::Test {
    CharterChain chain = sample::chain();
    OfferMirror mirror{verify_with_keys()};
    OfferList list{
        .member = "acme",
        .node = "acme-1",
        .sequence = 5,
        .issued = sample::now,
        .expires = sample::now + 3'600,
        .offers = {{.model = "law-7b",
                    .skills = {"legal"},
                    .languages = {"de", "en"},
                    .context = 8'192,
                    .prompt_price = 100'000,
                    .answer_price = 400'000,
                    .clearance = "receivers=acme place=DE control=DE releases=none contents=personal keep=session learn=no acts-on=outside",
                    .only = {"bolt"}}}};
    News take(const OfferList& offers, const std::string& signer = "acme", std::int64_t now = sample::now) {
        return mirror.take(offers.signed_text(sample::sign_as(signer)), chain.charter(), now);
    }
    label::Clearance policy() const {
        const auto& words = *chain.current().words();
        label::ClearanceTerms terms{.name = "acme",
                                    .receivers = *words.readers("acme"),
                                    .place = *words.place("DE"),
                                    .control = *words.place("DE"),
                                    .contents = label::Contents::full()};
        for (const auto* handling : {"VS-NfD", "NDA:bolt"}) terms.releases.push_back({*words.handling(handling), label::always_valid});
        return label::Clearance(std::move(terms));
    }
    label::Clearance believed(const OfferList& offers, std::int64_t now = sample::now) const {
        return believed_clearance(chain.current(), chain.federation(), offers, offers.offers[0], policy(), verify_with_keys(), now);
    }
};

TEST_F(OffersTest, have_one_text_that_is_read_back) {
    const auto document = list.signed_text(sample::sign_as("acme"));
    const auto again = SignedOffers::parse(document);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->list, list);
    EXPECT_FALSE(SignedOffers::parse(document + "x"));
    EXPECT_FALSE(SignedOffers::parse("hanse-offers v1\n"));
}

TEST_F(OffersTest, are_read_as_every_version_wrote_them) {
    const auto sample = SignedOffers::parse(sample::written_sample("offers.txt", list.signed_text(sample::sign_as("acme"))));
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_EQ(sample->list, list);
}

TEST_F(OffersTest, take_the_place_of_older_ones) {
    EXPECT_EQ(take(list), News::accepted);
    EXPECT_EQ(take(list), News::known);
    list.sequence = 4;
    EXPECT_EQ(take(list), News::older);
    list.sequence = 6;
    list.offers.clear();
    EXPECT_EQ(take(list), News::accepted);
    EXPECT_TRUE(mirror.find("acme")->list.offers.empty());
}

TEST_F(OffersTest, are_believed_only_from_their_member) {
    EXPECT_EQ(take(list, "bolt"), News::refused);
    list.member = "drone";
    EXPECT_EQ(take(list, "drone"), News::stranger);
}

TEST_F(OffersTest, expire_and_bear_clocks_that_are_minutes_apart) {
    EXPECT_EQ(take(list, "acme", list.expires + 300), News::accepted);
    EXPECT_EQ(mirror.valid(list.expires + 300).size(), 1u);
    EXPECT_TRUE(mirror.valid(list.expires + 700).empty());
    list.sequence = 6;
    EXPECT_EQ(take(list, "acme", list.expires + 700), News::untimely);
    EXPECT_EQ(take(list, "acme", list.issued - 700), News::untimely);
}

TEST_F(OffersTest, go_with_their_member) {
    ASSERT_EQ(take(list), News::accepted);
    Charter charter = sample::next(chain.current());
    charter.members[0].standing = Standing::suspended;
    charter.amenders = {"bolt", "clinic"};
    mirror.charter_changed(charter);
    EXPECT_FALSE(mirror.find("acme"));
}

TEST_F(OffersTest, clear_nobody_for_more_than_the_charter_says_of_its_member) {
    list.member = "bolt";
    const auto clearance = believed(list);
    EXPECT_EQ(clearance.terms().control, *chain.current().words()->place("EU")) << "whatever bolt says, the EU can order it";
    EXPECT_TRUE(clearance.terms().receivers.has(label::bit(*chain.current().words()->member("bolt"))));
}

TEST_F(OffersTest, clear_nobody_for_more_than_the_own_policy_says) {
    const auto& words = *chain.current().words();
    const auto none = believed_clearance(chain.current(), chain.federation(), list, list.offers[0], label::Clearance::none("acme"),
                                         verify_with_keys(), sample::now);
    EXPECT_TRUE(none.terms().contents.empty());
    EXPECT_EQ(none.terms().place, label::Place::world());
    EXPECT_EQ(believed(list).terms().place, *words.place("DE"));
}

TEST_F(OffersTest, hold_a_release_only_by_the_word_of_one_who_may_grant_it) {
    list.offers[0].clearance = "receivers=acme place=DE control=DE releases=NDA:bolt contents=none keep=session learn=no acts-on=outside";
    EXPECT_TRUE(believed(list).terms().releases.empty()) << "its own word is not enough";
    Grant grant{.handling = "NDA:bolt", .granter = "bolt", .until = sample::now + 1'000};
    const auto signed_by = [&](const std::string& signer, const std::string& holder) {
        grant.signature = sample::sign_as(signer)(Grant::context, base::bytes_of(grant.message(chain.federation(), holder))).text();
        list.grants = {grant};
        return believed(list).terms().releases.size();
    };
    EXPECT_EQ(signed_by("acme", "acme"), 0u);
    EXPECT_EQ(signed_by("bolt", "clinic"), 0u) << "it is another's";
    EXPECT_EQ(signed_by("bolt", "acme"), 1u);
    EXPECT_EQ(believed(list).terms().releases[0].valid_until, grant.until);
    EXPECT_TRUE(believed(list, grant.until).terms().releases.empty());
}

}  // namespace
}  // namespace hanse::federation
