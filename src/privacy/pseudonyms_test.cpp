// SPDX-License-Identifier: Apache-2.0
#include "privacy/pseudonyms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <regex>
#include <string>

#include "locked_memory.hpp"
#include "privacy/recogniser.hpp"

namespace hanse::privacy {
namespace {

using testing::HasSubstr;
using testing::Not;

const Recogniser& recogniser() {
    static const auto made = Recogniser::create(
        {.directory = {.people = {{.given = "Anna-Lena", .family = "Brinkmann"}, {.given = "Jürgen", .family = "Müller"}},
                       .projects = {{.name = "Seepferd"}}}});
    return **made;
}

struct Task {
    explicit Task(std::uint64_t seed = 7, Pseudonyms::Options options = {})
        : random(seed),
          table(Pseudonyms::open(random, options).value()) {}
    std::string out(std::string_view text) {
        auto replaced = table->replace(text, recogniser().scan(text).value());
        EXPECT_TRUE(replaced);
        kept = replaced->kept.size();
        return replaced->text;
    }
    std::string in(std::string_view text, Within within = Within::text) {
        Restorer restorer(*table, within);
        std::string back = restorer.feed(text);
        return back + restorer.finish();
    }
    base::SeededRandom random;
    std::unique_ptr<Pseudonyms> table;
    std::size_t kept = 0;
};

TEST(Pseudonyms, the_same_person_is_the_same_throughout_a_conversation) {
    Task task;
    const std::string first = task.out("Frau Brinkmann fragt."), second = task.out("Antwort an Frau Brinkmann.");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(first, match, std::regex("PERSON_1_[A-Z2-9]{10}"))) << first;
    EXPECT_THAT(second, HasSubstr(match.str()));
    EXPECT_THAT(first, Not(HasSubstr("Brinkmann")));
}

TEST(Pseudonyms, forms_of_one_name_share_its_number_and_keep_their_endings) {
    Task task;
    const std::string text = task.out("Anna-Lena Brinkmann kam. Brinkmanns Auto stand da. Jürgen Müller nicht.");
    EXPECT_TRUE(std::regex_match(text, std::regex("PERSON_1_\\w{10} kam\\. PERSON_1_\\w{10}s Auto stand da\\. PERSON_2_\\w{10} nicht\\.")))
        << text;
}

TEST(Pseudonyms, of_two_tasks_have_nothing_in_common) {
    Task one(1), other(2);
    const std::string ours = one.out("Frau Brinkmann"), theirs = other.out("Frau Brinkmann");
    EXPECT_NE(ours, theirs);
    EXPECT_EQ(one.in(theirs), theirs) << "a foreign pseudonym is a text like any other";
}

TEST(Pseudonyms, invented_ones_stay_text) {
    Task task;
    const std::string ours = task.out("Frau Brinkmann");
    std::string changed = ours;
    changed.back() = changed.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(task.in(changed), changed);
    EXPECT_EQ(task.in("PERSON_1_AAAAAAAAAA and PERSON_1_"), "PERSON_1_AAAAAAAAAA and PERSON_1_");
    std::string renumbered = ours;
    renumbered.replace(renumbered.find("_1_"), 3, "_2_");
    EXPECT_EQ(task.in(renumbered), renumbered);
}

TEST(Pseudonyms, models_may_change_case_and_escape_for_markdown) {
    Task task;
    const std::string pseudonym = task.out("Brinkmann");
    std::string small = pseudonym, escaped;
    std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const char c : pseudonym) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
    EXPECT_EQ(task.in(small), "Brinkmann");
    EXPECT_EQ(task.in("**" + escaped + "s** Auto"), "**Brinkmanns** Auto");
}

TEST(Pseudonyms, leave_code_urls_and_quotations_alone_and_say_so) {
    Task task;
    for (const std::string text :
         {"```\nuser = \"brinkmann@example.org\"\n```", "`anna@example.org` ist es", "https://example.org/?password=geheim123",
          "> Frau Brinkmann schrieb dies", "Er sagte: „Frau Brinkmann kommt“."}) {
        EXPECT_EQ(task.out(text), text);
        EXPECT_EQ(task.kept, 1U) << text;
    }
    EXPECT_THAT(task.table->evidence().text(), HasSubstr("kept "));
    Task thorough(3, {.verbatim = Pseudonyms::Options::Verbatim::replace});
    EXPECT_THAT(thorough.out("> Frau Brinkmann schrieb dies"), Not(HasSubstr("Brinkmann")));
    EXPECT_EQ(thorough.kept, 0U);
}

TEST(Pseudonyms, evidence_counts_kinds_and_holds_no_text) {
    Task task;
    task.in(task.out("Brinkmann, Müller und Brinkmann zahlen auf DE89370400440532013000."));
    EXPECT_EQ(task.table->evidence().text(), "replaced iban 1, person 3; 3 pseudonyms, 4 restored");
}

TEST(Pseudonyms, refuse_findings_of_another_text) {
    Task task;
    const auto findings = recogniser().scan("irgendein langer Text von Frau Brinkmann").value();
    EXPECT_EQ(task.table->replace("kurz", findings).error().kind, base::ErrorKind::bug);
}

TEST(Pseudonyms, stop_at_their_limit_of_memory) {
    Task task(5, {.memory_max = 8});
    const std::string text = "Frau Brinkmann";
    EXPECT_EQ(task.table->replace(text, recogniser().scan(text).value()).error().kind, base::ErrorKind::too_large);
}

// The superuser may lock whatever the limit says; while this lives, this thread may not.
class WithoutLockingPrivilege {
public:
    WithoutLockingPrivilege() {
        EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0);
        __user_cap_data_struct fewer[2] = {before_[0], before_[1]};
        fewer[0].effective &= ~(1U << CAP_IPC_LOCK);
        EXPECT_EQ(syscall(SYS_capset, &header_, fewer), 0);
    }
    ~WithoutLockingPrivilege() { EXPECT_EQ(syscall(SYS_capset, &header_, before_), 0); }

private:
    __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct before_[2] = {};
};

TEST(Pseudonyms, are_not_made_where_no_memory_can_be_locked) {
    const WithoutLockingPrivilege user;
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    LockedMemory memory(1024);
    const auto refused = memory.prepare();
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &before), 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::unavailable);
}

TEST(Restorer, escapes_what_it_puts_into_json_strings) {
    const std::string name = "Zum \"Lotsen\"\n\x01";
    const Finding whole{.kind = Kind::organisation, .end = static_cast<std::uint32_t>(name.size()), .score = 1};
    Task verbatim(3, {.verbatim = Pseudonyms::Options::Verbatim::replace});
    const std::string pseudonym = verbatim.table->replace(name, std::span(&whole, 1))->text;
    EXPECT_EQ(verbatim.in("{\"to\":\"" + pseudonym + "\"}", Within::json_string), "{\"to\":\"Zum \\\"Lotsen\\\"\\n\\u0001\"}");
}

TEST(Restorer, holds_back_no_more_than_a_pseudonym_could_need) {
    Task task;
    task.out("Brinkmann wohnt Hauptstr. 3, 28195 Bremen, Tel. 0421/123456");
    Restorer restorer(*task.table);
    std::size_t given = 0, fed = 0;
    base::SeededRandom random(9);
    for (int i = 0; i < 20'000; ++i) {
        const char letter = "PERSON_1AX2 \\"[random.next() % 13];
        given += restorer.feed(std::string_view(&letter, 1)).size();
        ++fed;
        ASSERT_LE(fed - given, Restorer::held_max);
    }
}

// Texts of names, numbers, marks and things that look like pseudonyms.
std::string any_text(base::SeededRandom& random, const std::vector<std::string>& seen) {
    static const std::vector<std::string> pieces{"Frau ",
                                                 "Anna-Lena Brinkmann",
                                                 "Brinkmanns",
                                                 "Jürgen Müller",
                                                 "JÜRGEN MÜLLER",
                                                 "DE89 3704 0044 0532 0130 00",
                                                 "anna@example.org",
                                                 "Hauptstr. 3, 28195 Bremen",
                                                 "PERSON_",
                                                 "PERSON_1_",
                                                 "person\\_1\\_",
                                                 "ABCDEFGHJK",
                                                 "_",
                                                 "\\",
                                                 "\"",
                                                 "\n",
                                                 "`",
                                                 "> ",
                                                 " ",
                                                 "„",
                                                 "“",
                                                 "Seepferd-Projekt",
                                                 "\xff",
                                                 "ü",
                                                 "0421/123456",
                                                 "A",
                                                 "1",
                                                 "P",
                                                 "PERS",
                                                 "EMAIL_1_"};
    std::string text;
    for (std::uint64_t i = random.next() % 24; i > 0; --i) {
        const auto pick = random.next() % (pieces.size() + seen.size());
        text += pick < pieces.size() ? pieces[pick] : seen[pick - pieces.size()];
    }
    return text;
}

TEST(Restorer, gives_back_every_text_whatever_the_pieces) {
    for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
        Task task(seed, {.verbatim = seed % 2 == 0 ? Pseudonyms::Options::Verbatim::keep : Pseudonyms::Options::Verbatim::replace});
        base::SeededRandom random(seed * 31);
        const std::string text = any_text(random, {"PERSON_1_K7QM2XRTB4", "IBAN_1_ZZZZZZZZZZ"});
        const std::string replaced = task.out(text);
        Restorer restorer(*task.table);
        std::string back;
        for (std::size_t at = 0; at < replaced.size();) {
            const std::size_t size = std::min<std::size_t>(replaced.size() - at, random.next() % 9);
            back += restorer.feed(std::string_view(replaced).substr(at, size));
            at += size;
        }
        back += restorer.finish();
        ASSERT_EQ(back, text) << "seed " << seed << " through " << replaced;
    }
}

}  // namespace
}  // namespace hanse::privacy
