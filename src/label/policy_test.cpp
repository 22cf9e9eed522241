// SPDX-License-Identifier: Apache-2.0
#include "label/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "label/preset.hpp"
#include "label/prove.hpp"
#include "label/reasons.hpp"

namespace hanse::label {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01

std::shared_ptr<const Policy> policy(std::string_view text) {
    auto read = Policy::read(text, "policy.toml");
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : nullptr;
}
std::string refusal(std::string_view text) {
    const auto read = Policy::read(text, "policy.toml");
    return read ? "accepted" : read.error().message;
}

const std::string head = "version = 1\n[house]\nname = \"acme\"\nin = \"DE\"\npeople = [\"anna\"]\n";
const std::string local =
    "[[places]]\nname = \"local\"\nsort = \"model\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = "
    "\"none\"\nlearn = \"no\"\n"
    "contents = [\"personal\", \"pseudonymous\", \"trade-secret\"]\n";
const std::string cloud =
    "[[places]]\nname = \"cloud\"\nsort = \"backend\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep = \"none\"\nlearn = "
    "\"no\"\n"
    "contents = [\"pseudonymous\"]\n";
const std::string logs =
    "[[places]]\nname = \"logs\"\nsort = \"store\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep = \"days:30\"\nlearn = "
    "\"no\"\n";

TEST(Policy, a_kind_of_personal_data_accepts_only_what_it_names) {
    const auto read = policy(head +
                             "[[kinds]]\nname = \"files\"\npreset = \"internal\"\ncontent = [\"personal\"]\n[[kinds]]\nname = "
                             "\"notes\"\npreset = \"internal\"\nafter = []\n"
                             "[[kinds]]\nname = \"people\"\npreset = \"personal\"\nafter = [\"pseudonymise\"]\n");
    ASSERT_TRUE(read);
    const auto accepts = [&](std::string_view label) { return read->label(label)->owners().front().terms.accepts; };
    EXPECT_TRUE(accepts("files").empty());
    EXPECT_TRUE(accepts("notes").empty());
    // Internal data in which people are found may go under pseudonyms, as the kind of what was found says.
    EXPECT_EQ(accepts("internal+people"), Transformations::of(bit(Transformation::pseudonymise)));
    EXPECT_TRUE(accepts("internal+personal").empty());
    EXPECT_TRUE(accepts("notes+people").empty());
}

TEST(Policy, every_profile_reads_and_decides_as_its_table_says) {
    for (const char* word : {"mittelstand", "public-authority", "research-group", "open"}) {
        const auto read = policy(profile_text(*profile_named(word), "acme", "DE"));
        ASSERT_TRUE(read) << word;
        const std::string path = std::string("src/label/cases/profile-") + word + ".case";
        std::ifstream in(path);
        std::ostringstream table;
        table << in.rdbuf();
        const auto report = run_cases(table.str(), path, read->cases(noon));
        ASSERT_TRUE(report) << report.error().message;
        for (const auto& [line, expected, decided] : report->failures)
            ADD_FAILURE() << path << ":" << line << ": expected " << expected << ", decided " << decided;
    }
    EXPECT_FALSE(profile_named("closed"));
}

TEST(Policy, presets_are_the_rows_of_the_model) {
    const auto read =
        policy(head +
               "[[members]]\nname = \"bolt\"\nin = \"FR\"\n[[kinds]]\nname = \"partner\"\npreset = \"partner\"\nreaders = [\"bolt\"]\n"
               "[[kinds]]\nname = \"vs\"\npreset = \"vs-nfd\"\nreaders = [\"acme/anna\"]\n");
    ASSERT_TRUE(read);
    const auto line = [&](std::string_view kind) { return text(read->kind(kind)->label, read->words()); };
    EXPECT_EQ(line("public"), "public; integrity=own");
    EXPECT_EQ(line("internal"),
              "owner=acme readers=acme place=EU control=EU handling=none content=none purpose=answer+quality keep=session "
              "learn=own-adapter after=pseudonymise; integrity=own");
    EXPECT_EQ(line("partner"),
              "owner=acme readers=acme+bolt place=EU control=EU handling=NDA content=none purpose=answer+support keep=contract learn=no "
              "after=pseudonymise; integrity=own");
    EXPECT_EQ(line("personal"),
              "owner=acme readers=acme place=EU control=EU handling=none content=personal purpose=answer keep=session learn=no after=none; "
              "integrity=own");
    EXPECT_EQ(line("trade-secret"),
              "owner=acme readers=acme place=house control=house handling=none content=trade-secret purpose=answer keep=none learn=no "
              "after=none; integrity=own");
    EXPECT_EQ(line("vs"),
              "owner=acme readers=acme/anna place=DE control=DE handling=VS-NfD content=none purpose=answer keep=none learn=no after=none; "
              "integrity=own");
    EXPECT_EQ(read->standard().name, "internal");
}

TEST(Policy, unknown_words_are_refused_with_their_line) {
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nplace = \"Mars\"\n"),
                HasSubstr("policy.toml:8: kinds.k.place has the unknown word \"Mars\""));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\npreset = \"secret\"\n"),
                HasSubstr("policy.toml:8: kinds.k.preset has the unknown word \"secret\""));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nreaders = [\"acme\", \"evil\"]\n"),
                HasSubstr("policy.toml:8: kinds.k.readers has the unknown word \"evil\""));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\npurpose = [\"spy\"]\n"), HasSubstr("\"spy\""));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nafter = [\"pray\"]\n"), HasSubstr("\"pray\""));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\ncolour = \"red\"\n"), HasSubstr("policy.toml:8: unknown key kinds.k.colour"));
    EXPECT_THAT(refusal("standard = \"nothing\"\n" + head), HasSubstr("standard has the unknown word \"nothing\""));
    EXPECT_THAT(refusal(head + local + "releases = [\"VS-NfD@2026-13-01\"]\n"), HasSubstr("2026-13-01"));
    EXPECT_THAT(refusal(head + local + "hands_on = [\"moon\"]\n"), HasSubstr("hands on to \"moon\""));
    EXPECT_THAT(refusal(head + local + "floor = \"deep\"\n"), HasSubstr("\"deep\" is unknown"));
    EXPECT_THAT(refusal(head + local + "[[rules]]\nname = \"r\"\nkinds = [\"personal\"]\nplaces = [\"moon\"]\n"),
                HasSubstr("rules.r.places has the unknown word \"moon\""));
    EXPECT_THAT(refusal("version = 2\n" + head.substr(12)), HasSubstr("version"));
    EXPECT_THAT(refusal(head.substr(12)), HasSubstr("version is missing"));
    EXPECT_THAT(refusal("version = 1\n"), HasSubstr("house is missing"));
}

TEST(Policy, empty_rules_and_contradictions_are_refused) {
    EXPECT_THAT(refusal(head + local + "[[rules]]\nname = \"r\"\nplaces = [\"local\"]\n"), HasSubstr("names neither kinds nor contents"));
    EXPECT_THAT(refusal(head + local + "[[rules]]\nname = \"r\"\nkinds = [\"personal\"]\n"), HasSubstr("names no places"));
    EXPECT_THAT(refusal(head + local + "[[rules]]\nname = \"r\"\nkinds = []\nplaces = [\"local\"]\n"), HasSubstr("is an empty list"));
    EXPECT_THAT(refusal(head + local + "[[rules]]\nname = \"r\"\nkinds = [\"public\"]\nplaces = [\"local\"]\n"),
                HasSubstr("stop everything"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nreaders = []\n"), HasSubstr("is an empty list"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nreaders = [\"nobody\"]\n"), HasSubstr("nobody"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nplace = \"nowhere\"\n"), HasSubstr("no place could ever see"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\nkeep = \"none\"\n"), HasSubstr("what is learned is kept"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\ncontent = [\"special-category\"]\n"), HasSubstr("special-category"));
    EXPECT_THAT(refusal(head + "[[places]]\nname = \"p\"\nsort = \"model\"\nkeep = \"none\"\nlearn = \"any\"\n"),
                HasSubstr("contradict each other"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\n[[kinds]]\nname = \"k\"\n"), HasSubstr("twice"));
    EXPECT_THAT(refusal(head + "[[groups]]\nname = \"g\"\nmembers = []\n"), HasSubstr("group of nobody"));
    EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"k\"\npreset = \"partner\"\n"), HasSubstr("needs its readers"));
    EXPECT_THAT(refusal(head + local + "[[proofs]]\nname = \"p\"\nkind = \"personal\"\nnever_reaches = \"local\"\n"),
                HasSubstr("contradicts the rest of the file; not so: personal -> local (for answer)"));
}

TEST(Policy, a_vocabulary_that_cannot_be_is_the_one_mistake_told) {
    const std::string told = refusal(profile_text(Profile::public_authority, "all", "DE"));
    EXPECT_THAT(told, HasSubstr("\"all\" has a name that is reserved"));
    EXPECT_THAT(told, testing::Not(HasSubstr("unknown key")));
}

TEST(Policy, all_mistakes_are_reported_at_once) {
    const std::string all = refusal(head + "[[kinds]]\nname = \"k\"\nplace = \"Mars\"\ncontrol = \"Moon\"\n");
    EXPECT_THAT(all, HasSubstr("Mars"));
    EXPECT_THAT(all, HasSubstr("Moon"));
}

TEST(Policy, a_label_is_named_by_kinds_or_written_out) {
    const auto read = policy(head);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read->label("internal"), read->kind("internal")->label);
    EXPECT_EQ(*read->label("internal+personal"), join(read->kind("internal")->label, read->kind("personal")->label));
    EXPECT_EQ(*read->label(text(read->kind("personal")->label, read->words())), read->kind("personal")->label);
    EXPECT_EQ(*read->label("top"), Label::top());
    EXPECT_THAT(read->label("internal+secret").error().message, HasSubstr("\"secret\" is unknown"));
    EXPECT_FALSE(read->label(""));
}

TEST(Policy, what_is_not_said_of_a_place_counts_against_it) {
    const auto read = policy(head + "[[places]]\nname = \"p\"\nsort = \"tool\"\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->clearance("p").terms(), Clearance::none("p").terms());
    EXPECT_EQ(read->clearance("unheard-of").terms(), Clearance::none("unheard-of").terms());
}

TEST(Policy, a_rule_forbids_what_the_terms_would_allow) {
    const std::string kinds = "[[kinds]]\nname = \"customers\"\npreset = \"personal\"\nafter = [\"pseudonymise\"]\n";
    const auto without = policy(head + kinds + cloud);
    const auto with_kind = policy(head + kinds + cloud + "[[rules]]\nname = \"r\"\nkinds = [\"customers\"]\nplaces = [\"cloud\"]\n");
    const auto with_content =
        policy(head + kinds + cloud + "[[rules]]\nname = \"r\"\ncontents = [\"pseudonymous\"]\nplaces = [\"cloud\"]\n");
    ASSERT_TRUE(without && with_kind && with_content);
    const Use use{.purpose = *without->words().purpose("answer"), .now = noon};
    const Label names = without->kind("customers")->label, pseudonyms = after(names, Transformation::pseudonymise);
    EXPECT_EQ(text(judge(names, without->clearance("cloud"), use), without->words()), "permit after pseudonymise");
    EXPECT_EQ(text(judge(pseudonyms, without->clearance("cloud"), use), without->words()), "permit");
    for (const auto& each : {with_kind, with_content})
        EXPECT_EQ(text(judge(pseudonyms, each->clearance("cloud"), use), each->words()), "deny rule");
    EXPECT_EQ(text(judge(names, with_kind->clearance("cloud"), use), with_kind->words()), "deny rule");
    // Stricter data is stopped as well, other data is not.
    EXPECT_EQ(text(judge(join(pseudonyms, Label::open_data(Integrity::outside)), with_kind->clearance("cloud"), use), with_kind->words()),
              "deny rule");
    EXPECT_EQ(text(judge(with_kind->kind("internal")->label, with_kind->clearance("cloud"), use), with_kind->words()), "permit");
    EXPECT_EQ(text(judge(Label::bottom(), with_kind->clearance("cloud"), use), with_kind->words()), "permit");
}

TEST(Policy, a_place_is_cleared_for_no_more_than_those_it_hands_on_to) {
    const auto read = policy(head + cloud + "hands_on = [\"logs\"]\n" + logs);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->clearance("cloud").terms().retention, Retention::days(30));
    EXPECT_TRUE(read->clearance("cloud").terms().contents.empty());
    const auto circle = policy(head + cloud + "hands_on = [\"logs\"]\n" + logs + "hands_on = [\"cloud\"]\n");
    ASSERT_TRUE(circle);
    EXPECT_EQ(circle->clearance("cloud").terms().retention, circle->clearance("logs").terms().retention);
}

TEST(Clearance, the_weaker_of_two_holds_what_both_hold_and_obeys_the_rules_of_both) {
    constexpr HandlingWord first{0}, second{1};
    const Bar persons{.contents = Contents::of(bit(personal))}, secrets{.contents = Contents::of(bit(trade_secret))};
    const Clearance a(ClearanceTerms{.name = "a", .releases = {{first, 100}, {second, 50}}, .bars = {persons}});
    const Clearance b(ClearanceTerms{.name = "b", .releases = {{first, 70}}, .bars = {secrets}});
    EXPECT_THAT(weaker(a, b).terms().releases, ElementsAre(Release{first, 70}));
    EXPECT_THAT(weaker(b, a).terms().releases, ElementsAre(Release{first, 70}));
    EXPECT_THAT(weaker(a, b).terms().bars, ElementsAre(persons, secrets));
    EXPECT_EQ(weaker(a, b).name(), "a");
}

TEST(Prove, shows_the_shortest_way_or_that_there_is_none) {
    const std::string kinds = "[[kinds]]\nname = \"customers\"\npreset = \"personal\"\nkeep = \"days:30\"\nafter = [\"pseudonymise\"]\n";
    const auto read =
        policy(head + kinds + local + cloud +
               "hands_on = [\"mirror\"]\n[[places]]\nname = \"mirror\"\nsort = \"store\"\nreceivers = [\"acme\"]\nplace = \"DE\"\n"
               "control = \"DE\"\nkeep = \"none\"\nlearn = \"no\"\ncontents = [\"pseudonymous\"]\nhands_on = [\"archive\"]\n"
               "[[places]]\nname = \"archive\"\nsort = \"store\"\nreceivers = [\"acme\"]\nplace = \"DE\"\ncontrol = \"DE\"\nkeep = "
               "\"none\"\nlearn = \"no\"\ncontents = [\"pseudonymous\"]\n");
    ASSERT_TRUE(read);
    const auto said = [&](std::string_view kind, std::string_view place) {
        return text(prove(*read, *read->kind(kind), place), kind, place);
    };
    EXPECT_EQ(said("customers", "cloud"), "not so: customers -> cloud (for answer, after pseudonymise)");
    EXPECT_EQ(said("customers", "local"), "not so: customers -> local (for answer)");
    EXPECT_EQ(said("public", "elsewhere"), "not so: public -> elsewhere (for answer)");
    EXPECT_THAT(said("trade-secret", "cloud"), HasSubstr("proved: data of kind trade-secret never reaches cloud (1 label, 4 places"));
    EXPECT_THAT(said("personal", "archive"), HasSubstr("proved"));
    EXPECT_THAT(said("customers", "elsewhere"), HasSubstr("proved: data of kind customers never reaches elsewhere (2 labels, 5 places"));
}

TEST(Prove, a_step_says_by_which_decision_or_by_whom) {
    EXPECT_EQ(text(Step{.place = "cloud", .purpose = "answer", .after = Transformation::pseudonymise}, base::Language::english),
              "for answer, after pseudonymise");
    EXPECT_EQ(text(Step{.place = "logs", .handed_on_by = "cloud"}, base::Language::english), "handed on by cloud");
    EXPECT_EQ(text(Step{.place = "logs", .handed_on_by = "cloud"}, base::Language::german), "weitergegeben von cloud");
}

TEST(Prove, says_it_in_german_too) {
    const auto read = policy(head + local + cloud + "hands_on = [\"logs\"]\n" + logs);
    ASSERT_TRUE(read);
    const auto said = [&](std::string_view kind, std::string_view place) {
        return text(prove(*read, *read->kind(kind), place), kind, place, base::Language::german);
    };
    EXPECT_EQ(said("personal", "local"), "nicht so: personal -> local (für answer)");
    EXPECT_THAT(said("trade-secret", "cloud"), HasSubstr("bewiesen: Daten der Art trade-secret erreichen cloud nie (1 Etikett"));
}

TEST(Prove, a_release_that_has_expired_proves_nothing_for_ever) {
    const auto read = policy(head + "[[kinds]]\nname = \"vs\"\npreset = \"vs-nfd\"\nreaders = [\"acme\"]\n" + local +
                             "releases = [\"VS-NfD@2001-01-01\"]\n");
    ASSERT_TRUE(read);
    EXPECT_FALSE(prove(*read, *read->kind("vs"), "local").holds());
}

TEST(Prove, says_nothing_that_decisions_contradict) {
    for (const char* word : {"mittelstand", "public-authority", "research-group", "open"}) {
        const auto read = policy(profile_text(*profile_named(word), "acme", "DE"));
        ASSERT_TRUE(read);
        for (const Kind& kind : read->kinds())
            for (const PolicyPlace& place : read->places()) {
                const bool proved = prove(*read, kind, place.name).holds();
                bool permitted = false;
                for (std::size_t purpose = 0; purpose < read->words().source().purposes.size(); ++purpose)
                    for (const Label& label :
                         {kind.label, after(kind.label, Transformation::pseudonymise), join(kind.label, read->standard().label)})
                        permitted |= judge(label, place.clearance, {.purpose = static_cast<PurposeWord>(purpose), .now = noon}).outcome ==
                                     Outcome::permit;
                EXPECT_FALSE(proved && permitted) << word << " " << kind.name << " " << place.name;
            }
    }
}

TEST(Policy, remarks_on_kinds_that_nobody_may_see) {
    const auto read = policy(profile_text(Profile::public_authority, "amt", "DE"));
    ASSERT_TRUE(read);
    EXPECT_THAT(read->unseen_kinds(), ElementsAre("social-data", "classified"));
}

TEST(Policy, what_comes_in_beside_internal_data_can_still_be_pseudonymised) {
    for (const auto& [word, labels, place] :
         {std::tuple("mittelstand", "internal+customers", "eu-cloud"), std::tuple("research-group", "draft+study", "university")}) {
        const auto read = policy(profile_text(*profile_named(word), "acme", "DE"));
        ASSERT_TRUE(read);
        const Use use{.purpose = *read->words().purpose("answer"), .now = noon};
        EXPECT_EQ(text(judge(*read->label(labels), read->clearance(place), use), read->words()), "permit after pseudonymise") << word;
    }
}

TEST(Policy, what_enters_without_saying_may_be_wanted_to_go_nowhere) {
    const auto read = policy("standard = \"top\"\n" + head + local);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->standard().label.is_top());
}

TEST(Policy, names_that_a_label_or_record_could_not_hold_are_refused) {
    for (const char* name : {"top", "a+b", "a=b", "a b"})
        EXPECT_THAT(refusal(head + "[[kinds]]\nname = \"" + name + "\"\n"), HasSubstr("must not be"));
    EXPECT_THAT(refusal(head + "[[places]]\nname = \"a\\tb\"\nsort = \"model\"\n"), HasSubstr("without tabs"));
}

TEST(Policy, without_a_file_nothing_but_public_data_leaves_this_machine) {
    const std::string here[] = {"gpu \"1\""};
    const auto read = policy(policy_without_file(here));
    ASSERT_TRUE(read);
    const Use use{.purpose = *read->words().purpose("answer"), .now = noon};
    const auto decided = [&](const Label& label, std::string_view place) { return judge(label, read->clearance(place), use).outcome; };
    for (const char* place : {"local", "answer", "gpu \"1\""}) EXPECT_EQ(decided(read->standard().label, place), Outcome::permit) << place;
    EXPECT_EQ(decided(read->standard().label, "elsewhere"), Outcome::deny);
    EXPECT_EQ(decided(Label::bottom(), "elsewhere"), Outcome::permit);
    EXPECT_EQ(decided(read->kind("trade-secret")->label, "gpu \"1\""), Outcome::deny);
}

TEST(Policy, a_record_reads_as_it_was_written) {
    const std::vector<Asked> record{{"top", "local", "answer"}, {"public; integrity=own", "a place", "answer, acting"}};
    EXPECT_EQ(read_record(record_text(record), "r"), record);
    EXPECT_THAT(read_record("top\tlocal\tanswer\ntop local\n", "r").error().message, HasSubstr("r:2: expected"));
    EXPECT_THAT(*read_record("", "r"), IsEmpty());
}

TEST(Policy, differences_show_which_decisions_of_the_traffic_turn_out_otherwise) {
    const auto before = policy(head + local),
               after = policy(head + local + "[[rules]]\nname = \"r\"\nkinds = [\"personal\"]\nplaces = [\"local\"]\n");
    ASSERT_TRUE(before && after);
    const Asked traffic[] = {{"personal", "local", "answer"}, {"internal", "local", "answer"}, {"gone", "local", "answer"}};
    const auto found = differences(*before, *after, traffic, noon);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].asked.label, "personal");
    EXPECT_EQ(found[0].before, "permit");
    EXPECT_EQ(found[0].after, "deny rule");
    EXPECT_THAT(differences(*before, *before, traffic, noon), IsEmpty());
}

TEST(Reasons, say_what_stands_in_the_way_and_what_would_help) {
    const auto read = policy(profile_text(Profile::mittelstand, "acme", "DE"));
    ASSERT_TRUE(read);
    const Use use{.purpose = *read->words().purpose("answer"), .now = noon};
    const Label& personnel = read->kind("personnel")->label;
    EXPECT_EQ(explanation(personnel, read->clearance("eu-cloud"), use, read->words(), Language::english),
              "denied: it may not go to eu-cloud\n"
              "- place: acme keeps this inside house:acme; eu-cloud runs in EU\n"
              "  what would help: choose a place inside house:acme, or ask acme to declassify\n"
              "- control: acme wants nobody outside house:acme to command the operator; eu-cloud is controlled from EU\n"
              "  what would help: choose an operator inside house:acme, or ask acme to declassify\n"
              "- content: this holds data of acme for which eu-cloud is not cleared: personal; it is cleared for pseudonymous\n"
              "  what would help: clear eu-cloud for personal, or choose a place that is\n");
    EXPECT_THAT(explanation(personnel, read->clearance("eu-cloud"), use, read->words(), Language::german),
                HasSubstr("abgelehnt: es darf nicht zu eu-cloud\n- place: acme hält dies innerhalb von house:acme; eu-cloud läuft in EU\n  "
                          "was helfen würde: einen Ort innerhalb"));
    EXPECT_THAT(explanation(read->kind("customers")->label, read->clearance("eu-cloud"), use, read->words(), Language::english),
                HasSubstr("permitted to eu-cloud after this: pseudonymise it first"));
    EXPECT_EQ(explanation(read->kind("customers")->label, read->clearance("local"), use, read->words(), Language::german),
              "erlaubt: es darf zu local\n");
}

TEST(Reasons, a_refusal_is_one_line_with_the_reason_that_decided) {
    const auto read = policy(profile_text(Profile::mittelstand, "acme", "DE"));
    ASSERT_TRUE(read);
    const Use use{.purpose = *read->words().purpose("answer"), .now = noon};
    EXPECT_EQ(refusal(read->kind("personnel")->label, read->clearance("eu-cloud"), use, read->words(), Language::english),
              "denied: it may not go to eu-cloud: acme keeps this inside house:acme; eu-cloud runs in EU; what would help: choose a place "
              "inside house:acme, or ask acme to declassify");
    EXPECT_EQ(refusal(Label::top(), read->clearance("local"), use, read->words(), Language::german)
                  .find("abgelehnt: es darf nicht zu local: die Daten tragen kein Etikett"),
              0U);
    EXPECT_EQ(refusal(read->kind("customers")->label, read->clearance("eu-cloud"), use, read->words(), Language::english),
              "permitted to eu-cloud after this: pseudonymise it first: names out before sending, in again in the answer");
}

TEST(Reasons, every_obstacle_has_a_whole_sentence_in_both_languages) {
    const auto read = policy(head + local);
    ASSERT_TRUE(read);
    const Label strictest = read_label(
                                "owner=acme readers=nobody place=nowhere control=nowhere handling=VS-NfD content=credentials purpose=none "
                                "keep=none learn=no after=none; integrity=outside",
                                read->words())
                                .value();
    const Use use{.purpose = *read->words().purpose("answer"), .effect = Effect::acts, .now = noon};
    for (const Language language : {Language::english, Language::german}) {
        const auto all = reasons(strictest, Clearance::none("worst"), use, read->words(), language);
        EXPECT_EQ(all.size(), 9U);
        for (const Reason& reason : all) {
            EXPECT_FALSE(reason.has.empty() || reason.needs.empty()) << name(reason.obstacle.term);
            EXPECT_EQ(reason.sentence.find('{'), std::string::npos);
            EXPECT_GT(reason.remedy.size(), 10U);
        }
        EXPECT_EQ(reasons(Label::top(), Clearance::none("worst"), use, read->words(), language).size(), 1U);
    }
}

TEST(Reasons, programs_get_them_as_json) {
    const auto read = policy(profile_text(Profile::mittelstand, "acme", "DE"));
    ASSERT_TRUE(read);
    const Use use{.purpose = *read->words().purpose("answer"), .now = noon};
    EXPECT_EQ(
        explanation_json(Label::top(), read->clearance("local"), use, read->words(), Language::english),
        R"({"outcome":"deny","after":[],"label":"top","place":"local","obstacles":[{"owner":null,"term":"label","has":"","needs":"","cure":null,)"
        R"("reason":"the data has no label, and what has none goes nowhere","remedy":"give the data a label: by the key, the document it came from, or the header Hanse-Label"}]})");
    EXPECT_THAT(explanation_json(read->kind("customers")->label, read->clearance("eu-cloud"), use, read->words(), Language::english),
                HasSubstr(R"("outcome":"permit after","after":["pseudonymise"])"));
    EXPECT_EQ(json_text("a\"b\\c\n"), R"("a\"b\\c\u000a")");
}

}  // namespace
}  // namespace hanse::label
