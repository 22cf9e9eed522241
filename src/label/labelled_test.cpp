// SPDX-License-Identifier: Apache-2.0
#include "label/labelled.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sample.hpp"

namespace hanse::label {
namespace {

struct LabelledValue : testing::Test {
    std::shared_ptr<const Vocabulary> words = sample::federation();
    Use use{.purpose = *words->purpose("answer"), .now = sample::Drawing::now};
    Label acme = Label::of(*words->member("acme"), Terms{.readers = *words->readers("acme"), .accepts = {}}, Integrity::own);
    Label person = Label::of(*words->member("acme"), Terms{.content = Contents::of(bit(personal))}, Integrity::own);
    Clearance home = place("home"), cloud = place("cloud");

    Clearance place(std::string name) {
        return Clearance(ClearanceTerms{.name = std::move(name), .receivers = *words->readers("acme"), .place = *words->place("DE"), .control = *words->place("DE"),
                                        .contents = Contents::of(bit(personal)), .retention = Retention::none(), .learning = Learning::no});
    }
    Permit permit(const Label& label, const Clearance& to) { return decide(label, to, use).permit().value(); }
};

const PlaintextAccess boundary = PlaintextAccess::at_boundary();

TEST_F(LabelledValue, opens_to_the_permit_for_its_own_label_and_place) {
    Labelled<std::string> letter("Moin", acme);
    auto copy = letter.open(permit(acme, home), home);
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy->plaintext(boundary), "Moin");
    EXPECT_EQ(copy->permit().destination().name(), "home");
    auto moved = std::move(letter).open(permit(acme, home), home);
    ASSERT_TRUE(moved);
    EXPECT_EQ(std::move(*moved).plaintext(boundary), "Moin");
}

TEST_F(LabelledValue, stays_shut_to_the_permit_for_another_label_or_another_place) {
    Labelled<std::string> letter("Moin", acme);
    for (const auto& [for_label, for_place] : {std::pair{person, home}, {acme, cloud}, {Label::bottom(), home}}) {
        const auto refused = letter.open(permit(for_label, for_place), home);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
        EXPECT_EQ(refused.error().code, "permit_mismatch");
        Labelled<std::string> other("Moin", acme);
        EXPECT_FALSE(std::move(other).open(permit(for_label, for_place), home));
    }
}

TEST_F(LabelledValue, what_is_made_of_it_keeps_its_label_and_what_is_made_of_two_has_the_join) {
    const Labelled<std::string> letter("Moin", acme), name("Anna", person);
    const auto size = letter.derive([](const std::string& text) { return text.size(); });
    EXPECT_EQ(size.label(), acme);
    EXPECT_EQ(size.open(permit(acme, home), home)->plaintext(boundary), 4U);
    const auto both = letter.derive(name, [](const std::string& a, const std::string& b) { return a + b; });
    EXPECT_EQ(both.label(), join(acme, person));
    EXPECT_EQ(both.open(permit(join(acme, person), home), home)->plaintext(boundary), "MoinAnna");
    EXPECT_EQ(letter.under(person).label(), join(acme, person));
    EXPECT_EQ(letter.under(Label::bottom()).label(), acme);
}

TEST_F(LabelledValue, a_transformation_changes_the_value_and_the_label_together) {
    const Labelled<std::string> name("Anna", person);
    const auto hidden = name.transformed(Transformation::pseudonymise, [](const std::string&) { return std::string("PERSON_1"); });
    EXPECT_EQ(hidden.label(), after(person, Transformation::pseudonymise));
    EXPECT_FALSE(hidden.open(permit(person, home), home));
}

}  // namespace
}  // namespace hanse::label
