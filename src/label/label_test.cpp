// SPDX-License-Identifier: Apache-2.0
#include "label/label.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample.hpp"

namespace hanse::label {
namespace {

using testing::HasSubstr;

constexpr const char* internal =
    "owner=acme readers=acme place=EU control=EU handling=none content=none purpose=answer+quality keep=session learn=own-adapter after=none; integrity=own";

std::string refusal(std::string_view text) {
    const auto label = read_label(text, *sample::federation());
    return label ? "accepted" : label.error().message;
}

TEST(Label, a_label_that_nobody_set_is_top) {
    EXPECT_TRUE(Label().is_top());
    EXPECT_EQ(Label(), Label::top());
    EXPECT_FALSE(Label::bottom().is_top());
}

TEST(Label, terms_that_restrict_nothing_leave_no_owner) {
    const auto acme = *sample::federation()->member("acme");
    EXPECT_TRUE(Label::of(acme, Terms{}, Integrity::own).is_public());
    EXPECT_EQ(Label::of(acme, Terms{}, Integrity::own), Label::bottom());
}

TEST(Label, the_terms_of_an_owner_given_twice_are_joined) {
    const auto words = sample::federation();
    const auto acme = *words->member("acme");
    Terms in_eu, kept_short;
    in_eu.place = *words->place("EU");
    kept_short.retention = Retention::session();
    const Label label = Label::of({{acme, in_eu}, {acme, kept_short}}, Integrity::member);
    ASSERT_EQ(label.owners().size(), 1U);
    EXPECT_EQ(label.owners()[0].terms, join(in_eu, kept_short));
}

TEST(Label, each_term_joins_to_the_stricter) {
    const auto words = sample::federation();
    Terms a, b;
    a.readers = *words->readers("trust");
    b.readers = *words->readers("bolt") | *words->readers("acme");
    a.place = *words->place("EU");
    b.place = *words->place("DE");
    a.control = *words->place("FR");
    b.control = *words->place("DE");
    a.handling = Handling::of(0);
    b.handling = Handling::of(1);
    a.content = Contents::of(bit(personal));
    b.content = Contents::of(bit(trade_secret));
    a.purpose = Purposes::of(0) | Purposes::of(1);
    b.purpose = Purposes::of(1) | Purposes::of(2);
    a.retention = Retention::days(30);
    b.retention = Retention::days(7);
    a.learning = Learning::federation;
    b.learning = Learning::own_adapter;
    a.accepts = Transformations::of(0) | Transformations::of(1);
    b.accepts = Transformations::of(1);
    const Terms both = join(a, b);
    EXPECT_THAT(words->words(both.readers), testing::ElementsAre("acme", "bolt/zoe"));
    EXPECT_EQ(both.place, b.place);
    EXPECT_EQ(both.control, Place::nowhere());
    EXPECT_EQ(both.handling, Handling::of(0) | Handling::of(1));
    EXPECT_EQ(both.content, Contents::of(bit(personal)) | Contents::of(bit(trade_secret)));
    EXPECT_EQ(both.purpose, Purposes::of(1));
    EXPECT_EQ(both.retention, Retention::days(7));
    EXPECT_EQ(both.learning, Learning::own_adapter);
    EXPECT_EQ(both.accepts, Transformations::of(1));
}

TEST(Label, each_term_alone_decides_whether_it_flows) {
    const auto words = sample::federation();
    const auto acme = *words->member("acme");
    const Label loose = Label::of(acme, {.readers = *words->readers("trust"), .place = *words->place("EU"), .control = *words->place("EU"), .handling = {},
                                         .content = {}, .purpose = Purposes::of(0) | Purposes::of(1), .retention = Retention::days(9),
                                         .learning = Learning::federation, .accepts = Transformations::of(0)}, Integrity::member);
    const auto tighter = [&](auto change) {
        Terms terms = loose.owners()[0].terms;
        change(terms);
        return Label::of(acme, terms, Integrity::member);
    };
    const Label tight[] = {tighter([&](Terms& t) { t.readers = *words->readers("acme"); }), tighter([&](Terms& t) { t.place = *words->place("DE"); }),
                           tighter([&](Terms& t) { t.control = *words->place("DE"); }),     tighter([&](Terms& t) { t.handling.add(0); }),
                           tighter([&](Terms& t) { t.content.add(0); }),                    tighter([&](Terms& t) { t.purpose.remove(0); }),
                           tighter([&](Terms& t) { t.retention = Retention::days(8); }),    tighter([&](Terms& t) { t.learning = Learning::no; }),
                           tighter([&](Terms& t) { t.accepts = {}; }),                      Label::of(acme, loose.owners()[0].terms, Integrity::outside)};
    for (const Label& label : tight) {
        EXPECT_TRUE(flows_to(loose, label)) << text(label, *words);
        EXPECT_FALSE(flows_to(label, loose)) << text(label, *words);
    }
}

// Random labels by the pool; a triple is three draws from it. See docs/labels.md for the laws.
TEST(Label, everything_flows_to_top_and_top_to_nothing_else) {
    const auto words = sample::federation();
    const Label acme = Label::of(*words->member("acme"), Terms{.accepts = {}}, Integrity::own);
    for (const Label& each : {Label::bottom(), acme, Label::top()}) EXPECT_TRUE(flows_to(each, Label::top()));
    for (const Label& each : {Label::bottom(), Label::open_data(Integrity::outside), acme}) EXPECT_FALSE(flows_to(Label::top(), each));
}

TEST(Label, is_equal_by_owners_terms_and_integrity) {
    const auto words = sample::federation();
    const Principal acme = *words->member("acme"), bolt = *words->member("bolt");
    const Terms terms{.accepts = {}}, others{.content = Contents::of(bit(personal)), .accepts = {}};
    EXPECT_EQ(Label::of(acme, terms, Integrity::own), Label::of(acme, terms, Integrity::own));
    EXPECT_NE(Label::of(acme, terms, Integrity::own), Label::of(bolt, terms, Integrity::own));
    EXPECT_NE(Label::of(acme, terms, Integrity::own), Label::of(acme, others, Integrity::own));
    EXPECT_NE(Label::of(acme, terms, Integrity::own), Label::of(acme, terms, Integrity::member));
    EXPECT_NE(Label::of(acme, terms, Integrity::own), Label::bottom());
    EXPECT_NE(Label::open_data(Integrity::outside), Label::top());
}

TEST(Label, the_laws_of_the_lattice_hold_on_random_triples) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
    constexpr std::size_t triples = 200'000;
#else
    constexpr std::size_t triples = 10'000'000;
#endif
    constexpr std::uint64_t seed = 20'260'301;
    constexpr std::size_t pool_size = 2'000, triples_a_pool = 100'000;
    sample::Drawing draw(seed, sample::federation());
    std::vector<Label> pool;
    std::size_t broken = 0, ordered = 0;
    for (std::size_t i = 0; i < triples; ++i) {
        if (i % triples_a_pool == 0) {
            pool = {Label::top(), Label::bottom()};
            while (pool.size() < pool_size) pool.push_back(draw.label());
            // Joins of drawn labels, so that ordered pairs are common.
            for (std::size_t k = 0; k < pool_size; ++k) pool.push_back(join(pool[draw.chance().below(pool.size())], pool[draw.chance().below(pool.size())]));
        }
        const Label& a = pool[draw.chance().below(pool.size())];
        const Label& b = pool[draw.chance().below(pool.size())];
        const Label& c = pool[draw.chance().below(pool.size())];
        const Label ab = join(a, b);
        const bool a_to_b = flows_to(a, b);
        ordered += a_to_b ? 1 : 0;
        const bool laws = ab == join(b, a) && join(ab, c) == join(a, join(b, c)) && join(a, a) == a  //
                          && flows_to(a, ab) && flows_to(b, ab) && flows_to(a, a)                    //
                          && a_to_b == (ab == b)                                    // the order is that of the join
                          && (!(a_to_b && flows_to(b, a)) || a == b)                // antisymmetric
                          && (!(a_to_b && flows_to(b, c)) || flows_to(a, c))        // transitive
                          && (!(flows_to(a, c) && flows_to(b, c)) || flows_to(ab, c))  // the least of the upper bounds
                          && flows_to(a, Label::top()) && flows_to(Label::bottom(), a);
        broken += laws ? 0 : 1;
    }
    EXPECT_EQ(broken, 0U) << "seed " << seed;
    EXPECT_GT(ordered, triples / 100);
    RecordProperty("triples", static_cast<int>(triples));
}

TEST(Label, text_and_bytes_come_back_as_the_same_label) {
    const auto words = sample::federation();
    sample::Drawing draw(7, words);
    for (int i = 0; i < 5'000; ++i) {
        const Label label = i == 0 ? Label::top() : i == 1 ? Label::bottom() : draw.label();
        const std::string line = text(label, *words);
        const auto from_text = read_label(line, *words);
        ASSERT_TRUE(from_text) << line << ": " << from_text.error().message;
        EXPECT_EQ(*from_text, label) << line;
        EXPECT_EQ(text(*from_text, *words), line);
        const auto bytes = binary(label, *words);
        const auto from_bytes = read_binary(bytes, *words);
        ASSERT_TRUE(from_bytes) << line << ": " << from_bytes.error().message;
        EXPECT_EQ(*from_bytes, label) << line;
    }
}

TEST(Label, bytes_do_not_depend_on_the_numbers_of_a_vocabulary) {
    VocabularySource other = sample::federation_words();
    std::ranges::reverse(other.members);
    std::ranges::reverse(other.purposes);
    std::ranges::reverse(other.handling);
    const auto here = sample::federation();
    const auto there = Vocabulary::create(other).value();
    sample::Drawing draw(8, here);
    for (int i = 0; i < 1'000; ++i) {
        const Label label = draw.label();
        const auto read = read_binary(binary(label, *here), *there);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(binary(*read, *there), binary(label, *here));
        EXPECT_EQ(text(*read, *there), text(label, *here));
    }
}

TEST(Label, the_known_bytes_of_a_label_do_not_change) {
    const auto words = sample::federation();
    EXPECT_EQ(base::hex(binary(Label::top(), *words)), "484c0100");
    EXPECT_EQ(base::hex(binary(Label::bottom(), *words)), "484c0101020000");
    EXPECT_EQ(base::hex(binary(read_label(internal, *words).value(), *words)),
              "484c010102000104" "61636d65" "000104" "61636d65" "00024555" "00024555" "0000" "0000" "000206" "616e73776572" "07" "7175616c697479" "0000"
              "00000001" "01");
}

TEST(Label, a_label_of_three_owners_fits_a_header) {
    const auto words = sample::federation();
    const Label one = read_label(internal, *words).value();
    Terms terms = one.owners()[0].terms;
    const Label three = Label::of({{*words->member("acme"), terms}, {*words->member("bolt"), terms}, {*words->member("clinic"), terms}}, Integrity::own);
    EXPECT_LE(text(three, *words).size(), 512U);
    for (const char c : text(three, *words)) EXPECT_TRUE(c >= ' ' && c <= '~' && c != ',');
}

TEST(Label, readers_may_be_written_as_groups) {
    std::string line = internal;
    line.replace(line.find("readers=acme"), 12, "readers=trust");
    const auto words = sample::federation();
    EXPECT_THAT(text(read_label(line, *words).value(), *words), HasSubstr("readers=acme+bolt/zoe+clinic "));
}

TEST(Label, an_unknown_word_is_an_error_that_names_it) {
    const auto with = [](std::string_view from, std::string_view to) {
        std::string line = internal;
        return line.replace(line.find(from), from.size(), to);
    };
    EXPECT_THAT(refusal(with("owner=acme", "owner=akme")), HasSubstr("\"akme\""));
    EXPECT_THAT(refusal(with("owner=acme", "owner=acme/anna")), HasSubstr("\"acme/anna\""));
    EXPECT_THAT(refusal(with("readers=acme", "readers=acme+evil")), HasSubstr("readers has the unknown word \"evil\""));
    EXPECT_THAT(refusal(with("place=EU", "place=Mars")), HasSubstr("\"Mars\""));
    EXPECT_THAT(refusal(with("purpose=answer", "purpose=train")), HasSubstr("\"train\""));
    EXPECT_THAT(refusal(with("keep=session", "keep=days:0")), HasSubstr("\"days:0\""));
    EXPECT_THAT(refusal(with("learn=own-adapter", "learn=yes")), HasSubstr("\"yes\""));
    EXPECT_THAT(refusal(with("content=none", "content=none+personal")), HasSubstr("\"none\""));
    EXPECT_THAT(refusal(with("content=none", "colour=red")), HasSubstr("colour=red"));
    EXPECT_THAT(refusal(with("integrity=own", "integrity=high")), HasSubstr("\"high\""));
}

TEST(Label, a_term_left_out_or_written_twice_is_refused) {
    const auto with = [](std::string_view from, std::string_view to) {
        std::string line = internal;
        return line.replace(line.find(from), from.size(), to);
    };
    EXPECT_THAT(refusal(with("readers=acme ", "")), HasSubstr("readers of acme is missing"));
    EXPECT_THAT(refusal(with(" after=none", "")), HasSubstr("after of acme is missing"));
    EXPECT_THAT(refusal(with("place=EU", "place=EU place=EU")), HasSubstr("twice"));
    EXPECT_THAT(refusal(with("; integrity=own", "")), HasSubstr("integrity"));
    EXPECT_THAT(refusal(std::string(internal).insert(std::string(internal).find("; integrity"), "; " + std::string(internal).substr(0, std::string(internal).find("; integrity")))),
                HasSubstr("acme is there twice"));
    EXPECT_THAT(refusal(""), HasSubstr("integrity"));
    EXPECT_THAT(refusal("public"), HasSubstr("integrity"));
    EXPECT_THAT(refusal(std::string(9'000, 'x')), HasSubstr("at most"));
}

TEST(Label, bytes_in_any_other_form_are_refused) {
    const auto words = sample::federation();
    sample::Drawing draw(9, words);
    for (int i = 0; i < 2'000; ++i) {
        auto bytes = binary(draw.label(), *words);
        const auto original = bytes;
        if (i % 3 == 0) bytes.push_back(std::byte{0});
        else if (i % 3 == 1) bytes.pop_back();
        else bytes[draw.chance().below(bytes.size())] ^= static_cast<std::byte>(1 + draw.chance().below(255));
        const auto read = read_binary(bytes, *words);
        EXPECT_TRUE(!read || binary(*read, *words) == bytes);
        EXPECT_TRUE(!read || i % 3 == 2) << base::hex(original);
    }
}

TEST(Label, a_caller_can_tighten_but_not_pass_the_ceiling) {
    const auto words = sample::federation();
    const Label standard = read_label(internal, *words).value();
    Terms strict = standard.owners()[0].terms;
    strict.retention = Retention::none();
    const Label tighter = Label::of(standard.owners()[0].owner, strict, Integrity::own);
    EXPECT_EQ(entry_label(standard, Label::bottom(), tighter).value(), standard);
    EXPECT_EQ(entry_label(standard, tighter, tighter).value(), tighter);
    EXPECT_EQ(entry_label(tighter, standard, tighter).value(), tighter);
    ASSERT_FALSE(entry_label(standard, tighter, standard));
    EXPECT_EQ(entry_label(standard, Label::top(), tighter).error().kind, base::ErrorKind::denied);
}

}  // namespace
}  // namespace hanse::label
