// SPDX-License-Identifier: Apache-2.0
#include "label/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hanse::label {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

VocabularySource two_members() {
    VocabularySource source = builtin_words();
    source.members = {{"acme", "DE", {"works", "works/lab"}, {"anna", "bert"}}, {"bolt", "FR", {}, {"zoe"}}};
    source.groups = {{"board", {"acme/anna", "abroad"}}, {"abroad", {"bolt"}}};
    return source;
}

std::shared_ptr<const Vocabulary> make(VocabularySource source = two_members()) {
    auto made = Vocabulary::create(std::move(source));
    return made ? *made : nullptr;
}

std::string refusal(const VocabularySource& source) {
    const auto made = Vocabulary::create(source);
    return made ? "accepted" : made.error().message;
}

TEST(Vocabulary, places_nest_from_the_lab_to_the_world) {
    const auto words = make();
    ASSERT_TRUE(words);
    const auto acme = words->member("acme");
    const char* chain[] = {"house/works/lab", "house/works", "house", "DE", "EU", "EEA", "adequate", "world"};
    for (std::size_t inner = 0; inner < std::size(chain); ++inner)
        for (std::size_t outer = 0; outer < std::size(chain); ++outer)
            EXPECT_EQ(words->place(chain[inner], acme)->inside(*words->place(chain[outer], acme)), inner <= outer) << chain[inner] << " " << chain[outer];
    EXPECT_FALSE(words->place("NO")->inside(*words->place("EU")));
    EXPECT_TRUE(words->place("NO")->inside(*words->place("EEA")));
    EXPECT_TRUE(words->place("CH")->inside(*words->place("adequate")));
    EXPECT_FALSE(words->place("US")->inside(*words->place("adequate")));
}

TEST(Vocabulary, what_two_places_have_in_common_is_the_inner_or_nowhere) {
    const auto words = make();
    const Place de = *words->place("DE"), fr = *words->place("FR"), eu = *words->place("EU"), nowhere = Place::nowhere();
    EXPECT_EQ(de.common(eu), de);
    EXPECT_EQ(eu.common(de), de);
    EXPECT_EQ(de.common(fr), nowhere);
    EXPECT_EQ(nowhere.common(de), nowhere);
    EXPECT_EQ(de.around(fr), eu);
    EXPECT_EQ(de.around(eu), eu);
    EXPECT_EQ(de.around(*words->place("US")), Place::world());
    EXPECT_EQ(words->place("house:acme/works")->around(*words->place("house:acme/works/lab")), *words->place("house:acme/works"));
    EXPECT_TRUE(nowhere.inside(de));
    EXPECT_FALSE(de.inside(nowhere));
}

TEST(Vocabulary, every_pair_of_places_agrees_with_the_words_parents) {
    const auto words = make();
    std::map<std::string, std::string> parents;
    for (const auto& region : words->source().regions) parents[region.name] = region.parent;
    parents["house:acme"] = "DE";
    parents["house:bolt"] = "FR";
    parents["house:acme/works"] = "house:acme";
    parents["house:acme/works/lab"] = "house:acme/works";
    for (const auto& [a, inner] : words->places())
        for (const auto& [b, outer] : words->places()) {
            if (inner == "nowhere" || outer == "nowhere") continue;
            bool below = false;
            for (std::string up = inner; !up.empty() && !below; up = up == "world" ? "" : parents.at(up)) below = up == outer;
            EXPECT_EQ(a.inside(b), below) << inner << " " << outer;
        }
}

TEST(Vocabulary, a_member_means_its_people_and_a_group_what_it_nests) {
    const auto words = make();
    EXPECT_TRUE(words->readers("acme")->has(bit(*words->principal("acme/anna"))));
    EXPECT_THAT(words->words(*words->readers("board")), ElementsAre("acme/anna", "bolt"));
    EXPECT_THAT(words->words(*words->readers("acme") & *words->readers("board")), ElementsAre("acme/anna"));
    EXPECT_THAT(words->words(*words->readers("federation")), ElementsAre("federation"));
    EXPECT_THAT(words->words(*words->readers("federation") & *words->readers("bolt")), ElementsAre("bolt"));
    EXPECT_THAT(words->words(*words->readers("nobody")), ElementsAre("nobody"));
}

TEST(Vocabulary, all_members_by_name_are_less_than_the_federation) {
    const auto words = make();
    const Readers everyone = *words->readers("acme") | *words->readers("bolt");
    EXPECT_TRUE(everyone.within(*words->readers("federation")));
    EXPECT_FALSE(words->readers("federation")->within(everyone));
    EXPECT_FALSE(words->readers("all")->within(*words->readers("federation")));
}

TEST(Vocabulary, houses_are_written_as_their_owner_sees_them) {
    const auto words = make();
    const auto acme = words->member("acme"), bolt = words->member("bolt");
    EXPECT_EQ(words->word(*words->place("house", acme), acme), "house");
    EXPECT_EQ(words->word(*words->place("house", acme), bolt), "house:acme");
    EXPECT_EQ(words->word(*words->place("house:acme/works/lab"), acme), "house/works/lab");
    EXPECT_FALSE(words->place("house"));
    EXPECT_FALSE(words->place("house/cellar", acme));
}

TEST(Vocabulary, refuses_what_it_cannot_mean) {
    VocabularySource source = two_members();
    source.members[1].name = "acme";
    EXPECT_THAT(refusal(source), HasSubstr("\"acme\" is there twice"));
    source = two_members();
    source.groups[1].members = {"board"};
    EXPECT_THAT(refusal(source), HasSubstr("member of itself"));
    source = two_members();
    source.groups[0].members = {"carol"};
    EXPECT_THAT(refusal(source), HasSubstr("\"carol\", which is unknown"));
    source = two_members();
    source.members[0].house_in = "Atlantis";
    EXPECT_THAT(refusal(source), HasSubstr("Atlantis"));
    source = two_members();
    source.members[0].name = "federation";
    EXPECT_THAT(refusal(source), HasSubstr("reserved"));
    source = two_members();
    source.purposes.push_back("a b");
    EXPECT_THAT(refusal(source), HasSubstr("is no name"));
    source = two_members();
    source.contents.erase(source.contents.begin());
    EXPECT_THAT(refusal(source), HasSubstr("begin with personal"));
    source = two_members();
    for (int i = 0; i < 600; ++i) source.members.push_back({"member" + std::to_string(i)});
    EXPECT_THAT(refusal(source), HasSubstr("one too many"));
}

TEST(Vocabulary, takes_256_members_with_houses) {
    VocabularySource source = builtin_words();
    for (int i = 0; i < 256; ++i) source.members.push_back({"member" + std::to_string(i), "DE", {"one", "two"}, {}});
    EXPECT_TRUE(make(source));
}

}  // namespace
}  // namespace hanse::label
