// SPDX-License-Identifier: Apache-2.0
#include "label/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "label/cases.hpp"
#include "sample.hpp"

namespace hanse::label {
namespace {

using testing::ElementsAre;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01

void run_table(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    const auto words = sample::federation();
    const auto report = run_cases(all.str(), path, CaseWorld{.words = *words, .now = noon});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->decisions, 20U);
    for (const auto& [line, expected, decided] : report->failures) ADD_FAILURE() << path << ":" << line << ": expected " << expected << ", decided " << decided;
}

TEST(Decide, each_term_decides_as_its_table_says) { run_table("src/label/cases/terms.case"); }
TEST(Decide, transformations_open_what_their_table_says) { run_table("src/label/cases/transformations.case"); }

Label labelled(std::string_view text) {
    auto label = read_label(text, *sample::federation());
    EXPECT_TRUE(label) << label.error().message;
    return label.value_or(Label::top());
}
Clearance place(std::string_view text) {
    auto read = read_clearance("place", text, *sample::federation());
    EXPECT_TRUE(read) << read.error().message;
    return read.value_or(Clearance::none("place"));
}
const char* const letter =
    "owner=acme readers=acme place=EU control=EU handling=none content=personal purpose=answer keep=session learn=no after=pseudonymise; integrity=own";
const char* const cloud = "receivers=acme place=DE control=DE releases=none contents=pseudonymous keep=none learn=no acts-on=own";
Use answer() { return {.purpose = *sample::federation()->purpose("answer"), .now = noon}; }

TEST(Decide, an_undeclared_place_gets_public_data_only) {
    sample::Drawing draw(1, sample::federation());
    const Clearance unknown = Clearance::none("unknown");
    for (int i = 0; i < 5'000; ++i) {
        const Label label = draw.label();
        const Verdict verdict = judge(label, unknown, answer());
        // Public, or with terms that restrict nothing in this use.
        const bool open = !label.is_top() && std::ranges::all_of(label.owners(), [](Label::Owned owned) {
            owned.terms.accepts = every_transformation;
            if (owned.terms.purpose.has(bit(answer().purpose))) owned.terms.purpose = Purposes::full();
            return owned.terms == Terms{};
        });
        EXPECT_EQ(verdict.outcome == Outcome::permit, open) << text(label, *sample::federation());
    }
}

TEST(Decide, saying_nothing_of_a_place_never_helps) {
    const Clearance silent(ClearanceTerms{.name = "silent", .receivers = {}, .place = Place::nowhere(), .control = Place::nowhere()});
    EXPECT_EQ(silent.terms().receivers, Readers::full());
    EXPECT_EQ(silent.terms().place, Place::world());
    EXPECT_EQ(silent.terms().control, Place::world());
}

// The order of labels and the decision must tell the same story: stricter data goes to fewer places.
TEST(Decide, what_a_stricter_label_may_do_a_looser_one_may) {
    sample::Drawing draw(2, sample::federation());
    int permitted = 0;
    for (int i = 0; i < 100'000; ++i) {
        const Label loose = draw.label(), strict = join(loose, draw.label());
        const Clearance clearance = draw.clearance("place");
        const Use use = draw.use();
        if (judge(strict, clearance, use).outcome != Outcome::permit) continue;
        ++permitted;
        EXPECT_EQ(judge(loose, clearance, use).outcome, Outcome::permit) << text(loose, *sample::federation()) << "\n" << text(strict, *sample::federation());
    }
    EXPECT_GT(permitted, 1'000);
}

TEST(Decide, joined_data_may_go_exactly_where_each_part_may) {
    sample::Drawing draw(3, sample::federation());
    int permitted = 0;
    for (int i = 0; i < 100'000; ++i) {
        const Label a = draw.label(), b = draw.label();
        const Clearance clearance = draw.clearance("place");
        const Use use = draw.use();
        const bool both = judge(a, clearance, use).outcome == Outcome::permit && judge(b, clearance, use).outcome == Outcome::permit;
        permitted += both ? 1 : 0;
        EXPECT_EQ(judge(join(a, b), clearance, use).outcome == Outcome::permit, both);
    }
    EXPECT_GT(permitted, 1'000);
}

TEST(Decide, a_place_that_hands_on_is_cleared_for_no_more_than_either) {
    sample::Drawing draw(4, sample::federation());
    for (int i = 0; i < 50'000; ++i) {
        const Label label = draw.label();
        const Clearance a = draw.clearance("a"), b = draw.clearance("b");
        const Use use = draw.use();
        if (judge(label, weaker(a, b), use).outcome != Outcome::permit) continue;
        EXPECT_EQ(judge(label, a, use).outcome, Outcome::permit);
        EXPECT_EQ(judge(label, b, use).outcome, Outcome::permit);
    }
    EXPECT_EQ(weaker(place(cloud), place(cloud)).terms(), place(cloud).terms());
}

TEST(Decide, obstacles_verdict_and_permit_agree) {
    sample::Drawing draw(5, sample::federation());
    std::array<int, 3> seen{};
    for (int i = 0; i < 50'000; ++i) {
        const Label label = draw.label();
        const Clearance clearance = draw.clearance("place");
        const Use use = draw.use();
        const auto all = obstacles(label, clearance, use);
        const Verdict verdict = judge(label, clearance, use);
        const Decision decision = decide(label, clearance, use);
        ++seen[static_cast<std::size_t>(verdict.outcome)];
        EXPECT_EQ(decision.outcome(), verdict.outcome);
        EXPECT_EQ(all.empty(), verdict.outcome == Outcome::permit);
        EXPECT_EQ(decision.permit().has_value(), verdict.outcome == Outcome::permit);
        EXPECT_EQ(verdict.after.empty(), verdict.outcome != Outcome::permit_after);
        if (verdict.outcome == Outcome::deny) {
            const auto first = std::ranges::find_if(all, [](const Obstacle& each) { return !each.cure; });
            ASSERT_NE(first, all.end());
            EXPECT_EQ(*first, verdict.obstacle);
        }
    }
    for (const int count : seen) EXPECT_GT(count, 1'000);
}

TEST(Decide, obstacles_name_every_term_in_order) {
    const auto words = sample::federation();
    const auto acme = words->member("acme");
    const Label strictest = labelled("owner=acme readers=nobody place=nowhere control=nowhere handling=VS-NfD content=credentials purpose=none keep=none learn=no after=none; integrity=outside");
    const Clearance worst = Clearance::none("worst");
    Use acting = answer();
    acting.effect = Effect::acts;
    std::vector<Term> terms;
    for (const Obstacle& each : obstacles(strictest, worst, acting)) {
        terms.push_back(each.term);
        EXPECT_EQ(each.owner, each.term == Term::integrity ? std::nullopt : acme);
    }
    EXPECT_THAT(terms, ElementsAre(Term::integrity, Term::readers, Term::place, Term::control, Term::handling, Term::content, Term::purpose, Term::retention, Term::learning));
    EXPECT_THAT(obstacles(Label::top(), worst, acting), ElementsAre(Obstacle{Term::label}));
}

TEST(Decide, a_transformation_permitted_after_leads_to_a_permit) {
    const Label before = labelled(letter);
    ASSERT_EQ(judge(before, place(cloud), answer()).outcome, Outcome::permit_after);
    const Label now = after(before, Transformation::pseudonymise);
    EXPECT_EQ(judge(now, place(cloud), answer()).outcome, Outcome::permit);
    EXPECT_FALSE(now.owners()[0].terms.content.has(bit(personal)));
    EXPECT_TRUE(now.owners()[0].terms.content.has(bit(pseudonymous)));
}

TEST(Decide, pseudonymising_always_leads_where_it_was_promised_to) {
    sample::Drawing draw(6, sample::federation());
    int promised = 0;
    for (int i = 0; i < 100'000; ++i) {
        const Label label = draw.label();
        const Clearance clearance = draw.clearance("place");
        const Use use = draw.use();
        if (judge(label, clearance, use).after != Transformations::of(bit(Transformation::pseudonymise))) continue;
        ++promised;
        EXPECT_EQ(judge(after(label, Transformation::pseudonymise), clearance, use).outcome, Outcome::permit);
    }
    EXPECT_GT(promised, 100);
}

TEST(Decide, pseudonymising_touches_only_owners_who_accept_it_and_have_personal_data) {
    const Label two = labelled(
        "owner=acme readers=all place=world control=world handling=none content=personal+copyrighted purpose=all keep=contract learn=any after=none; "
        "owner=bolt readers=all place=world control=world handling=none content=copyrighted purpose=all keep=contract learn=any after=pseudonymise; integrity=member");
    EXPECT_EQ(after(two, Transformation::pseudonymise), two);
    EXPECT_EQ(after(labelled(letter), Transformation::drop), labelled(letter));
    EXPECT_EQ(after(labelled(letter), Transformation::branch), labelled(letter));
    EXPECT_TRUE(after(Label::top(), Transformation::pseudonymise).is_top());
}

TEST(Decide, selection_leaves_out_what_would_push_the_label_past_the_target) {
    const Label fine = labelled("owner=acme readers=acme place=EU control=EU handling=none content=none purpose=answer keep=session learn=no after=none; integrity=own");
    const Label droppable = labelled("owner=acme readers=acme place=house control=EU handling=none content=none purpose=answer keep=session learn=no after=drop; integrity=own");
    const Label pieces[] = {fine, droppable, labelled(letter), Label::top(), Label::open_data(Integrity::outside)};
    const Selection selection = select_pieces(pieces, place(cloud), answer());
    ASSERT_EQ(selection.pieces.size(), 5U);
    EXPECT_THAT(selection.going, ElementsAre(0U, 4U));
    EXPECT_EQ(selection.pieces[1].after, Transformations::of(bit(Transformation::drop)));
    EXPECT_EQ(selection.pieces[2].outcome, Outcome::permit_after);
    EXPECT_EQ(selection.pieces[3].outcome, Outcome::deny);
    EXPECT_EQ(selection.joined, join(fine, Label::open_data(Integrity::outside)));
    EXPECT_EQ(judge(selection.joined, place(cloud), answer()).outcome, Outcome::permit);
}

TEST(Decide, outcomes_have_names) {
    EXPECT_EQ(name(Outcome::permit), "permit");
    EXPECT_EQ(name(Outcome::permit_after), "permit after");
    EXPECT_EQ(name(Outcome::deny), "deny");
}

TEST(Clearance, its_text_comes_back_as_the_same_clearance) {
    const auto words = sample::federation();
    sample::Drawing draw(11, words);
    for (int i = 0; i < 2'000; ++i) {
        const Clearance clearance = draw.clearance("place");
        const std::string line = text(clearance, *words);
        const auto read = read_clearance("place", line, *words);
        ASSERT_TRUE(read) << line << ": " << read.error().message;
        EXPECT_EQ(text(*read, *words), line);
    }
}

TEST(Clearance, refuses_what_it_does_not_know) {
    const auto refusal = [](std::string_view line) {
        const auto read = read_clearance("place", line, *sample::federation());
        return read ? "accepted" : read.error().message;
    };
    const std::string good = cloud;
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string line = good;
        return line.replace(line.find(from), from.size(), to);
    };
    EXPECT_EQ(refusal(good), "accepted");
    EXPECT_THAT(refusal(with("place=DE", "place=nowhere")), testing::HasSubstr("nowhere"));
    EXPECT_THAT(refusal(with("receivers=acme", "receivers=nobody")), testing::HasSubstr("nobody"));
    EXPECT_THAT(refusal(with("releases=none", "releases=VS-NfD@2026-02-30")), testing::HasSubstr("2026-02-30"));
    EXPECT_THAT(refusal(with("releases=none", "releases=NATO")), testing::HasSubstr("NATO"));
    EXPECT_THAT(refusal(with("keep=none ", "")), testing::HasSubstr("keep is missing"));
    EXPECT_THAT(refusal(good + " mood=good"), testing::HasSubstr("mood=good"));
    EXPECT_THAT(refusal(good + " learn=no"), testing::HasSubstr("twice"));
}

TEST(Cases, refuses_tables_that_prove_nothing) {
    const auto words = sample::federation();
    const auto refusal = [&](std::string_view table) {
        const auto report = run_cases(table, "t.case", CaseWorld{.words = *words});
        return report ? "accepted" : report.error().message;
    };
    EXPECT_EQ(refusal("# nothing\n"), "t.case: the table expects no decision");
    EXPECT_EQ(refusal("\na -> b for answer: deny\n"), "t.case:2: the label \"a\" is unknown");
    EXPECT_EQ(refusal("label a top\na -> b for answer: deny\n"), "t.case:2: the place \"b\" is unknown");
    EXPECT_EQ(refusal("label a top\nplace b undeclared\na -> b for nothing: deny\n"), "t.case:3: the use has the unknown word \"nothing\"");
    EXPECT_EQ(refusal("label a top\nplace b undeclared\na -> b for answer, slowly: deny\n"), "t.case:3: the use has the unknown word \"slowly\"");
    EXPECT_EQ(refusal("label a top\nlabel a top\n"), "t.case:2: the label a is there already");
    EXPECT_EQ(refusal("label a top\nplace b undeclared\na - b: deny\n"), "t.case:3: expected \"LABEL -> PLACE for PURPOSE: DECISION\"");
}

TEST(Cases, a_wrong_expectation_is_reported_with_its_line) {
    const auto words = sample::federation();
    const auto report = run_cases("label a top\nplace b undeclared\na -> b for answer: permit\na -> b for answer: deny\n", "t.case", CaseWorld{.words = *words});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->decisions, 2U);
    ASSERT_EQ(report->failures.size(), 1U);
    EXPECT_EQ(report->failures[0].line, 3U);
    EXPECT_EQ(report->failures[0].decided, "deny label");
}

}  // namespace
}  // namespace hanse::label
