// SPDX-License-Identifier: Apache-2.0
#include "task/declassifications.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/sim_disk.hpp"
#include "task/fake_signer.hpp"

namespace hanse::task {
namespace {

using testing::HasSubstr;

constexpr std::int64_t noon = 1'780'315'200;  // 2026-06-01
const std::filesystem::path used_up = "/data/declassified.tsv";
constexpr std::string_view payload = "the customer's letter";

// Keys are slow to make and always the same.
const FakeSigner& key_of(int person) {
    static const FakeSigner all[] = {FakeSigner(1), FakeSigner(2), FakeSigner(3)};
    return all[person];
}
enum : int { anna, bert, eve };

std::shared_ptr<const label::Policy> policy(bool with_bert = true) {
    std::string text = "version = 1\n[house]\nname = \"acme\"\nin = \"DE\"\npeople = [\"anna\", \"bert\"]\n" + key_of(anna).toml("anna");
    if (with_bert) text += key_of(bert).toml("bert");
    return label::Policy::read(text, "policy.toml").value();
}

struct Case {
    std::shared_ptr<const label::Policy> rules = policy();
    std::string from = "personal", to = "internal";
    label::Scope scope = label::Scope::once;
    std::vector<std::pair<std::string, int>> signers = {{"acme/anna", anna}};  // name, whose key

    label::Label label(std::string_view kind) const { return rules->label(kind).value(); }
    std::string text(std::string_view of = payload) const {
        label::SignedDeclassification all{{.digest = digest_of(of),
                                           .from = label(from),
                                           .to = label(to),
                                           .reason = "the customer asked for it",
                                           .scope = scope,
                                           .expiry = noon + 60,
                                           .signer = rules->house()}};
        for (const auto& [name, key] : signers) key_of(key).sign(all, name, rules->words());
        return label::text(all, rules->words());
    }
};

struct Book {
    base::SimDisk disk;
    std::unique_ptr<Declassifications> book;
    Book() {
        EXPECT_TRUE(disk.make_folders("/data"));
        open();
    }
    void open() { book = Declassifications::open({.disk = disk, .used_up = used_up}).value(); }
    std::string present(const Case& given, std::int64_t now = noon) {
        const auto held = book->present(given.text(), *given.rules, now);
        return held ? held->id : held.error().message;
    }
    std::string loosen(const Case& given, std::string_view id, std::string_view of = payload, std::int64_t now = noon) {
        const auto loosened = book->loosen(id, digest_of(of), given.label(given.from), *given.rules, now);
        if (!loosened) return loosened.error().message;
        EXPECT_EQ(loosened->label, given.label(given.to));
        return "loosened";
    }
};

TEST(Declassifications, a_signed_statement_loosens_its_payload_until_it_expires) {
    Book book;
    Case one;
    one.scope = label::Scope::standing;
    const std::string id = book.present(one);
    ASSERT_THAT(id, testing::StartsWith("dcl_"));
    EXPECT_EQ(book.present(one), id);
    EXPECT_EQ(book.loosen(one, id), "loosened");
    EXPECT_EQ(book.loosen(one, id), "loosened");
    EXPECT_THAT(book.loosen(one, id, "another letter"), HasSubstr("another payload"));
    EXPECT_THAT(book.loosen(one, id, payload, noon + 60), HasSubstr("expired"));
    EXPECT_THAT(book.loosen(one, "dcl_00"), HasSubstr("no such declassification"));
    EXPECT_THAT(book.present(one, noon + 60), HasSubstr("expired"));
    Case other = one;
    other.from = "personal+trade-secret";
    EXPECT_THAT(book.loosen(other, id), HasSubstr("another label"));
}

TEST(Declassifications, count_only_with_the_key_of_the_person) {
    Book book;
    for (const auto& signers : std::vector<std::vector<std::pair<std::string, int>>>{
             {{"acme/anna", eve}}, {{"acme/anna", bert}}, {{"acme/bert", anna}}, {{"acme", anna}}}) {
        Case one;
        one.signers = signers;
        EXPECT_THAT(book.present(one), HasSubstr("signature is not good")) << signers.front().first;
    }
    Case nobody;
    nobody.signers.clear();
    EXPECT_THAT(book.present(nobody), HasSubstr("nobody signed it"));
    // A text with another line, each half and each bit of which was changed.
    const Case one;
    const std::string good = one.text();
    for (std::size_t at = good.find("signed ") + 17; at < good.size() - 1; at += 97) {
        std::string text = good;
        text[at] = text[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(book.book->present(text, *one.rules, noon)) << at;
    }
    for (const std::string line : {"x", "a b", "a b c", "ed25519:AAAA ml-dsa-65:AAAA x"}) {
        std::string text = good.substr(0, good.find("signed ")) + "signed acme/anna " + line + "\n";
        EXPECT_FALSE(book.book->present(text, *one.rules, noon)) << line;
    }
}

TEST(Declassifications, of_trade_secrets_take_two_people) {
    Book book;
    Case secret;
    secret.from = "trade-secret";
    EXPECT_THAT(book.present(secret), HasSubstr("two people must sign"));
    secret.signers = {{"acme/anna", anna}, {"acme/anna", anna}};
    EXPECT_THAT(book.present(secret), HasSubstr("two people must sign"));
    secret.signers = {{"acme/anna", anna}, {"acme/bert", bert}};
    EXPECT_EQ(book.loosen(secret, book.present(secret)), "loosened");
}

TEST(Declassifications, of_a_signer_who_left_the_policy_hold_no_longer) {
    Book book;
    Case one;
    one.signers = {{"acme/bert", bert}};
    const std::string id = book.present(one);
    EXPECT_EQ(book.loosen(one, id), "loosened");
    one.rules = policy(false);
    EXPECT_THAT(book.loosen(one, id), HasSubstr("signature is not good"));
}

TEST(Declassifications, for_one_answer_are_used_up_also_across_a_restart) {
    Book book;
    const Case one;
    const std::string id = book.present(one);
    const auto by = std::vector{book.book->loosen(id, digest_of(payload), one.label(one.from), *one.rules, noon)->by};
    EXPECT_TRUE(book.book->use_up(by, noon));
    const auto again = book.book->use_up(by, noon);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, "declassification_refused");
    EXPECT_THAT(book.loosen(one, id), HasSubstr("has been used"));
    EXPECT_THAT(book.present(one), HasSubstr("has been used"));
    base::SeededRandom random(1);
    book.disk.cut_power_after(0);
    EXPECT_FALSE(book.disk.sync_folder("/data"));
    book.disk.restart(random);
    book.open();
    EXPECT_THAT(book.present(one), HasSubstr("has been used"));
    EXPECT_THAT(book.loosen(one, id), HasSubstr("has been used"));
}

TEST(Declassifications, that_stand_are_not_used_up_and_write_nothing) {
    Book book;
    Case one;
    one.scope = label::Scope::standing;
    const std::string id = book.present(one);
    const auto by = std::vector{book.book->loosen(id, digest_of(payload), one.label(one.from), *one.rules, noon)->by};
    EXPECT_TRUE(book.book->use_up(by, noon));
    EXPECT_TRUE(book.book->use_up(by, noon));
    EXPECT_FALSE(book.disk.read_whole(used_up, 1000));
}

TEST(Declassifications, nothing_goes_where_the_use_cannot_be_written_down) {
    Book book;
    const Case one;
    const std::string id = book.present(one);
    const auto by = std::vector{book.book->loosen(id, digest_of(payload), one.label(one.from), *one.rules, noon)->by};
    book.disk.limit(0);
    const auto used = book.book->use_up(by, noon);
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().kind, base::ErrorKind::unavailable);
    EXPECT_EQ(book.loosen(one, id), "loosened");  // it was not used
}

TEST(Declassifications, a_damaged_file_of_used_ones_is_told) {
    base::SimDisk disk;
    ASSERT_TRUE(disk.make_folder("/data"));
    for (const char* damaged : {"dcl_1", "dcl_1\n", "dcl_1\t12x\n", "dcl_1\t12"}) {
        ASSERT_TRUE(disk.write_whole(used_up, base::bytes_of(damaged)));
        EXPECT_EQ(Declassifications::open({.disk = disk, .used_up = used_up}).error().kind, base::ErrorKind::corrupt) << damaged;
    }
}

TEST(Declassifications, for_answers_of_a_form_are_refused_with_a_sentence) {
    Book book;
    Case one;
    one.scope = label::Scope::form;
    EXPECT_THAT(book.present(one), HasSubstr("is not carried out by this node"));
}

}  // namespace
}  // namespace hanse::task
