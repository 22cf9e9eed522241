// SPDX-License-Identifier: Apache-2.0
#include "privacy/recogniser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hanse::privacy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Directory house() {
    return {.people = {{.given = "Anna-Lena", .family = "Brinkmann", .initials = "ALB"},
                       {.given = "Peter", .family = "Koch"},
                       {.given = "Jürgen", .family = "Müller"},
                       {.given = "Ines", .family = "von der Heide", .initials = "IH"},
                       {.given = "Katharina", .family = "Tiedemann-Richter"},
                       {.given = "Søren", .family = "Öztürk"}},
            .organisations = {{.name = "Nordische Ankerwerft GmbH & Co. KG", .aliases = {"NAW"}}, {.name = "Deich & Düne Ltd"}},
            .projects = {{.name = "Seepferd"}, {.name = "Luchs 2"}}};
}

const Recogniser& recogniser() {
    static const auto made = Recogniser::create({.directory = house()});
    if (!made) ADD_FAILURE() << made.error().message;
    return **made;
}

// "kind:text", in order.
std::vector<std::string> found(std::string_view text) {
    std::vector<std::string> out;
    const auto findings = recogniser().scan(text);
    if (!findings) return {"error"};
    for (const Finding& f : *findings) out.push_back(std::string(name(f.kind)) + ":" + std::string(text.substr(f.begin, f.end - f.begin)));
    return out;
}

TEST(Recogniser, passes_its_own_check) {
    const auto made = Recogniser::create({});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE((*made)->self_check());
}

TEST(Recogniser, finds_inflected_and_shortened_names_of_the_directory) {
    EXPECT_THAT(found("Frau Brinkmanns Notiz"), ElementsAre("person:Brinkmanns"));
    EXPECT_THAT(found("von A.-L. Brinkmann"), ElementsAre("person:A.-L. Brinkmann"));
    EXPECT_THAT(found("BRINKMANN, ANNA-LENA"), ElementsAre("person:BRINKMANN, ANNA-LENA"));
    EXPECT_THAT(found("Brinkmann's desk and J. Mueller"), ElementsAre("person:Brinkmann's", "person:J. Mueller"));
    EXPECT_THAT(found("Dr. I. von der Heide, gez. IH"), ElementsAre("person:I. von der Heide", "person:IH"));
    EXPECT_THAT(found("freigegeben (ALB)"), ElementsAre("person:ALB"));
}

TEST(Recogniser, finds_names_in_decomposed_unicode_and_with_hidden_characters) {
    EXPECT_THAT(found("Ju\xcc\x88rgen Mu\xcc\x88ller"), ElementsAre("person:Ju\xcc\x88rgen Mu\xcc\x88ller"));
    EXPECT_THAT(found("Brink\xc2\xadmann"), ElementsAre("person:Brink\xc2\xadmann"));
}

TEST(Recogniser, knows_people_by_their_short_names_and_halves_of_double_names) {
    EXPECT_THAT(found("mit Kathi Tiedemann-Richter"), ElementsAre("person:Kathi Tiedemann-Richter"));
    EXPECT_THAT(found("Frau Richter rief an"), ElementsAre("person:Richter"));
    EXPECT_THAT(found("K. Tiedemann; später Tiedemann allein"), ElementsAre("person:K. Tiedemann", "person:Tiedemann"));
    EXPECT_THAT(found("Der Richter vertagte."), IsEmpty());
    EXPECT_THAT(found("Annalena Brinkmann, AL Brinkmann, Lena Brinkmann"),
                ElementsAre("person:Annalena Brinkmann", "person:AL Brinkmann", "person:Lena Brinkmann"));
    EXPECT_THAT(found("I. v. d. Heide geht, Ines vd Heide kommt"), ElementsAre("person:I. v. d. Heide", "person:Ines vd Heide"));
    EXPECT_THAT(found("gez. A. L. B."), ElementsAre("person:A. L. B"));
}

TEST(Recogniser, reads_names_across_the_ends_of_lines_and_cells) {
    EXPECT_THAT(found("Frau Brink-\nmann kommt"), ElementsAre("person:Brink-\nmann"));
    EXPECT_THAT(found("> von Anna-Lena\n> Brinkmann"), ElementsAre("person:Anna-Lena\n> Brinkmann"));
    EXPECT_THAT(found("| Koch | Peter |"), ElementsAre("person:Koch | Peter"));
    EXPECT_THAT(found("Koch;Peter;4711"), ElementsAre("person:Koch;Peter"));
    EXPECT_THAT(found("**Peter** Koch"), ElementsAre("person:Peter** Koch"));
    EXPECT_THAT(found("Der Heim-\nleiter kommt"), IsEmpty());
}

TEST(Recogniser, reads_letters_as_keyboards_without_them_have_it) {
    for (const std::string name : {"Soeren Öztürk", "Soren Ozturk", "Søren Oeztürk", "SØREN ÖZTÜRK", "Søren Oztuerk"})
        EXPECT_THAT(found("mit " + name), ElementsAre("person:" + name));
}

TEST(Recogniser, knows_a_common_word_as_a_name_by_what_it_does) {
    EXPECT_THAT(found("[09:12] Koch: moin, ist jemand da?"), ElementsAre("person:Koch"));
    EXPECT_THAT(found("Koch sagt zu."), ElementsAre("person:Koch"));
    EXPECT_THAT(found("Koch hat Urlaub."), ElementsAre("person:Koch"));
    EXPECT_THAT(found("Anwesend: Brinkmann, Koch"), ElementsAre("person:Brinkmann", "person:Koch"));
    EXPECT_THAT(found("Koch: 12 Stunden"), IsEmpty());
    EXPECT_THAT(found("Ein Koch hat Urlaub."), IsEmpty());
    EXPECT_THAT(found("frag mal peter"), ElementsAre("person:peter"));
}

TEST(Recogniser, tells_a_cook_from_mister_cook) {
    EXPECT_THAT(found("Der Koch salzt die Suppe."), IsEmpty());
    EXPECT_THAT(found("Herr Koch salzt die Suppe."), ElementsAre("person:Koch"));
    EXPECT_THAT(found("Peter Koch kam. Danach ging Koch wieder."), ElementsAre("person:Peter Koch", "person:Koch"));
}

TEST(Recogniser, finds_firms_and_projects_in_all_their_forms) {
    EXPECT_THAT(found("Angebot der Nordischen Ankerwerft"), ElementsAre("organisation:Nordischen Ankerwerft"));
    EXPECT_THAT(found("NAW und naw"), ElementsAre("organisation:NAW"));
    EXPECT_THAT(found("das Seepferd-Budget, Projekt Seepferds, Seepferdprojekt"),
                ElementsAre("project:Seepferd", "project:Seepferds", "project:Seepferdprojekt"));
}

TEST(Recogniser, finds_firms_and_projects_written_otherwise) {
    EXPECT_THAT(found("Deich und Düne, Deich & Duene Ltd"), ElementsAre("organisation:Deich und Düne", "organisation:Deich & Duene Ltd"));
    EXPECT_THAT(found("in Luchs II"), ElementsAre("project:Luchs II"));
}

TEST(Recogniser, takes_the_whole_name_where_the_directory_knows_only_the_first) {
    EXPECT_THAT(found("Ich sprach mit Peter Sandmann darüber."), ElementsAre("name:Peter Sandmann"));
}

TEST(Recogniser, finds_unknown_persons_by_what_stands_around) {
    EXPECT_THAT(found("Sehr geehrte Frau Dr. Wiśniewska-Klee,"), ElementsAre("name:Wiśniewska-Klee"));
    EXPECT_THAT(found("Dear Mr Okonkwo,"), ElementsAre("name:Okonkwo"));
    EXPECT_THAT(found("Mit freundlichen Grüßen\n\nOlaf Tjarks\nEinkauf"), ElementsAre("name:Olaf Tjarks"));
    EXPECT_THAT(found("Sehr geehrte Damen und Herren,"), IsEmpty());
    EXPECT_THAT(found("Liebe Kolleginnen und Kollegen,"), IsEmpty());
}

TEST(Recogniser, believes_check_digits_and_not_their_likes) {
    EXPECT_THAT(found("IBAN DE89370400440532013000."), ElementsAre("iban:DE89370400440532013000"));
    EXPECT_THAT(found("IBAN de89 3704 0044 0532 0130 00"), ElementsAre("iban:de89 3704 0044 0532 0130 00"));
    EXPECT_THAT(found("Artikel DE12370400440532013000"), IsEmpty());
    EXPECT_THAT(found("Bestellnummer 4111111111111111"), IsEmpty());
    EXPECT_THAT(found("USt-IdNr.: ATU13585627, BE0428759497"), ElementsAre("vat-id:ATU13585627", "vat-id:BE0428759497"));
}

TEST(Recogniser, reads_number_plates_with_any_separator) {
    EXPECT_THAT(found("Kennzeichen HB AB 123"), ElementsAre("number-plate:HB AB 123"));
    EXPECT_THAT(found("Kennzeichen HB\xc2\xb7"
                      "AB\xc2\xb7"
                      "123E"),
                ElementsAre("number-plate:HB\xc2\xb7"
                            "AB\xc2\xb7"
                            "123E"));
    EXPECT_THAT(found("Kennzeichen HBAB123"), ElementsAre("number-plate:HBAB123"));
    EXPECT_THAT(found("das Kennzeichen lautet LÖ-X 7"), ElementsAre("number-plate:LÖ-X 7"));
    EXPECT_THAT(found("DIN A 4, ISO 9001, Schraube M 8, USB-C 3"), IsEmpty());
}

TEST(Recogniser, reads_addresses_as_people_write_them) {
    EXPECT_THAT(found("Am Alten Hafen 3a\n27568 Bremerhaven"), ElementsAre("address:Am Alten Hafen 3a\n27568 Bremerhaven"));
    EXPECT_THAT(found("wohnt in der Berliner Str. 12-14, D-60311 Frankfurt am Main seit"),
                ElementsAre("address:Berliner Str. 12-14, D-60311 Frankfurt am Main"));
    EXPECT_THAT(found("Unter den Linden 77, 10117 Berlin"), ElementsAre("address:Unter den Linden 77, 10117 Berlin"));
    EXPECT_THAT(found("12 High Street, Little Marlow, SL7 3RX"), ElementsAre("address:12 High Street, Little Marlow, SL7 3RX"));
    EXPECT_THAT(found("Im Jahr 2024 auf Seite 12, auf Platz 3"), IsEmpty());
    EXPECT_THAT(found("Es kamen 10000 Besucher und 12500 Euro."), IsEmpty());
}

TEST(Recogniser, reads_dates_as_birthdays_only_where_the_words_say_so) {
    EXPECT_THAT(found("geb. 03.05.1975 in Husum"), ElementsAre("birth-date:03.05.1975"));
    EXPECT_THAT(found("born on May 3, 1975"), ElementsAre("birth-date:May 3, 1975"));
    EXPECT_THAT(found("Rechnung vom 03.05.2024, fällig am 17.05.2024"), IsEmpty());
}

TEST(Recogniser, finds_what_opens_doors) {
    EXPECT_THAT(found("curl -H 'Authorization: Bearer abcdEFGH1234ijklMNOP'"), ElementsAre("credential:abcdEFGH1234ijklMNOP"));
    EXPECT_THAT(found("password = os.environ['PW']\npassword: str\npassword: ********"), IsEmpty());
    EXPECT_THAT(found("postgres://app:geheim1@db.example/x"), ElementsAre("secret-url:postgres://app:geheim1@db.example/x"));
    EXPECT_THAT(found("https://example.org/page?keyword=anchor&monkey=banana7"), IsEmpty());
}

TEST(Recogniser, finds_the_same_in_text_that_is_no_utf8) {
    EXPECT_THAT(found("\xff\xfe IBAN DE89370400440532013000 \xc3"), ElementsAre("iban:DE89370400440532013000"));
}

TEST(Recogniser, reports_findings_in_order_and_apart) {
    const std::string text = "Herr Brinkmann, Tel. 0421/12345, anna@example.org, Hauptstr. 3, 28195 Bremen, IBAN DE89370400440532013000";
    const auto findings = recogniser().scan(text);
    ASSERT_TRUE(findings);
    EXPECT_EQ(findings->size(), 5U);
    for (std::size_t i = 1; i < findings->size(); ++i) EXPECT_LE((*findings)[i - 1].end, (*findings)[i].begin);
}

}  // namespace
}  // namespace hanse::privacy
