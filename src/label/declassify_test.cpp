// SPDX-License-Identifier: Apache-2.0
#include "label/declassify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample.hpp"

namespace hanse::label {
namespace {

using testing::HasSubstr;

constexpr std::int64_t now = sample::Drawing::now;

// A signature is the signer's number and the message; good enough where the mathematics is somebody else's.
base::Bytes sign(Principal person, std::span<const std::byte> message) {
    base::Bytes bytes{static_cast<std::byte>(bit(person))};
    bytes.insert(bytes.end(), message.begin(), message.end());
    return bytes;
}
bool verify(Principal person, std::span<const std::byte> message, std::span<const std::byte> signature) {
    return std::ranges::equal(sign(person, message), signature);
}

struct Approval {
    std::shared_ptr<const Vocabulary> words = sample::federation();
    Principal acme = *words->member("acme"), anna = *words->principal("acme/anna"), bert = *words->principal("acme/bert"),
              bolt = *words->member("bolt");
    Declassification statement;
    Label at_hand;
    PayloadDigest payload{std::byte{1}, std::byte{2}};
    std::vector<Principal> signers{anna};
    std::int64_t when = now;

    Approval() {
        at_hand = with(
            Terms{.readers = *words->readers("acme"), .place = *words->place("EU"), .content = Contents::of(bit(personal)), .accepts = {}});
        statement = {
            .digest = payload,
            .from = at_hand,
            .to = with(Terms{.readers = *words->readers("acme") | *words->readers("clinic"), .place = *words->place("EEA"), .accepts = {}}),
            .reason = "the patient asked for it",
            .scope = Scope::once,
            .expiry = now + 60,
            .signer = acme};
    }
    // With terms of bolt beside, which must stay.
    Label with(const Terms& terms) const {
        return Label::of({{acme, terms}, {bolt, Terms{.place = *words->place("EEA"), .accepts = {}}}}, Integrity::member);
    }
    std::string outcome() const {
        const auto message = signed_bytes(statement, *words);
        std::vector<OwnerSignature> signatures;
        for (const Principal person : signers) signatures.push_back({person, sign(person, message)});
        const auto label = declassified(statement, signatures, payload, at_hand, when, *words, verify);
        EXPECT_TRUE(!label || *label == statement.to);
        return label ? "holds" : label.error().message;
    }
};

TEST(Declassification, an_owner_loosens_its_own_terms) { EXPECT_EQ(Approval().outcome(), "holds"); }

TEST(Declassification, holds_for_one_payload_label_and_time) {
    Approval approval;
    approval.payload[0] = std::byte{9};
    EXPECT_THAT(approval.outcome(), HasSubstr("another payload"));
    approval = {};
    approval.at_hand = join(approval.at_hand, Label::open_data(Integrity::outside));
    EXPECT_THAT(approval.outcome(), HasSubstr("another label"));
    approval = {};
    approval.when = approval.statement.expiry;
    EXPECT_THAT(approval.outcome(), HasSubstr("expired"));
    approval.when -= 1;
    EXPECT_EQ(approval.outcome(), "holds");
    approval = {};
    approval.statement.reason.clear();
    EXPECT_THAT(approval.outcome(), HasSubstr("no reason"));
    approval = {};
    approval.at_hand = approval.statement.from = Label::top();
    EXPECT_THAT(approval.outcome(), HasSubstr("no owner"));
}

TEST(Declassification, touches_nobody_elses_terms_and_tightens_nothing) {
    Approval approval;
    approval.statement.to = Label::of(approval.acme, Terms{.place = *approval.words->place("EEA"), .accepts = {}}, Integrity::member);
    EXPECT_THAT(approval.outcome(), HasSubstr("more than its signer's own"));
    approval = {};
    approval.statement.to = Label::of(
        {{approval.acme, Terms{.accepts = {}}}, {approval.bolt, Terms{.place = *approval.words->place("adequate"), .accepts = {}}}},
        Integrity::member);
    EXPECT_THAT(approval.outcome(), HasSubstr("more than its signer's own"));
    approval = {};
    approval.statement.to =
        approval.with(Terms{.readers = *approval.words->readers("acme"), .place = *approval.words->place("DE"), .accepts = {}});
    EXPECT_THAT(approval.outcome(), HasSubstr("or tightens"));
    approval = {};
    approval.statement.to = Label::of({approval.statement.to.owners().begin(), approval.statement.to.owners().end()}, Integrity::own);
    EXPECT_THAT(approval.outcome(), HasSubstr("more than"));
    approval = {};
    approval.statement.to = Label::top();
    EXPECT_THAT(approval.outcome(), HasSubstr("more than"));
    approval = {};
    approval.statement.signer = *approval.words->member("clinic");
    EXPECT_THAT(approval.outcome(), HasSubstr("owns none"));
}

TEST(Declassification, must_be_signed_by_the_owners_people) {
    Approval approval;
    approval.signers = {};
    EXPECT_THAT(approval.outcome(), HasSubstr("nobody signed"));
    approval.signers = {*approval.words->principal("bolt/zoe")};
    EXPECT_THAT(approval.outcome(), HasSubstr("not of the signer"));
    approval.signers = {approval.anna, approval.bolt};
    EXPECT_THAT(approval.outcome(), HasSubstr("not of the signer"));
    approval.signers = {approval.acme};
    EXPECT_EQ(approval.outcome(), "holds");
}

TEST(Declassification, releases_and_trade_secrets_take_two_people) {
    for (const bool secret : {true, false}) {
        Approval approval;
        Terms from{.place = *approval.words->place("DE"), .accepts = {}};
        if (secret) from.content.add(bit(trade_secret));
        else from.handling.add(0);
        Terms to = from;
        to.place = Place::world();
        approval.at_hand = approval.statement.from = approval.with(from);
        approval.statement.to = approval.with(to);
        EXPECT_THAT(approval.outcome(), HasSubstr("two people"));
        approval.signers = {approval.anna, approval.anna};
        EXPECT_THAT(approval.outcome(), HasSubstr("two people"));
        approval.signers = {approval.anna, approval.bert};
        EXPECT_EQ(approval.outcome(), "holds");
    }
}

TEST(Declassification, a_signature_covers_every_field) {
    Approval approval;
    const auto message = signed_bytes(approval.statement, *approval.words);
    const OwnerSignature signature{approval.anna, sign(approval.anna, message)};
    const auto tampered = [&](auto change) {
        Approval other;
        change(other.statement);
        return declassified(other.statement, std::span(&signature, 1), other.statement.digest, other.statement.from, now, *other.words,
                            verify)
            .has_value();
    };
    EXPECT_TRUE(tampered([](Declassification&) {}));
    EXPECT_FALSE(tampered([](Declassification& s) { s.digest[5] = std::byte{1}; }));
    EXPECT_FALSE(tampered([](Declassification& s) { s.reason += "!"; }));
    EXPECT_FALSE(tampered([](Declassification& s) { s.scope = Scope::standing; }));
    EXPECT_FALSE(tampered([](Declassification& s) { s.expiry += 1; }));
    EXPECT_FALSE(tampered([](Declassification& s) { s.to = s.from; }));
    EXPECT_FALSE(tampered([](Declassification& s) { s.from = s.to; }));
}

// Whatever is stated: if it holds, it loosened the signer's terms and nothing else.
TEST(Declassification, only_ever_loosens_the_signers_own_terms) {
    const auto words = sample::federation();
    sample::Drawing draw(12, words);
    int held = 0;
    for (int i = 0; i < 200'000; ++i) {
        Declassification statement{
            .from = draw.label(), .reason = "random", .expiry = now + 1, .signer = *words->member(i % 2 == 0 ? "acme" : "bolt")};
        // Half of them aim at what could hold: the signer's terms replaced by drawn ones.
        std::vector<Label::Owned> owners(statement.from.owners().begin(), statement.from.owners().end());
        for (auto& [owner, terms] : owners)
            if (owner == statement.signer) terms = draw.mild_terms();
        statement.to = draw.chance().one_in(2) ? Label::of(owners, statement.from.integrity()) : draw.label();
        const auto message = signed_bytes(statement, *words);
        std::vector<OwnerSignature> signatures;
        for (const char* person : {"acme", "acme/anna", "bolt", "bolt/zoe"})
            if (words->member_of(*words->principal(person)) == statement.signer)
                signatures.push_back({*words->principal(person), sign(*words->principal(person), message)});
        if (!declassified(statement, signatures, statement.digest, statement.from, now, *words, verify)) continue;
        ++held;
        EXPECT_TRUE(flows_to(statement.to, statement.from));
        for (const auto& [owner, terms] : statement.from.owners())
            EXPECT_TRUE(owner == statement.signer || *statement.to.terms_of(owner) == terms);
    }
    EXPECT_GT(held, 500);
}

SignedDeclassification signed_one(const Approval& approval) {
    const auto bytes = base::bytes_of("ed25519:AAAA ed25519:BBBB");
    return {approval.statement,
            {{approval.anna, base::Bytes(bytes.begin(), bytes.end())}, {approval.acme, base::Bytes(bytes.begin(), bytes.end())}}};
}
std::string refusal(const Approval& approval, std::string_view from, std::string_view to) {
    std::string form = text(signed_one(approval), *approval.words);
    const auto at = form.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    form.replace(at, from.size(), to);
    const auto read = read_declassification(form, *approval.words);
    return read ? "accepted" : read.error().message;
}

TEST(DeclassificationText, is_read_as_it_was_written) {
    const Approval approval;
    const auto given = signed_one(approval);
    const auto read = read_declassification(text(given, *approval.words), *approval.words);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(signed_bytes(read->statement, *approval.words), signed_bytes(given.statement, *approval.words));
    EXPECT_EQ(read->signatures, given.signatures);
    EXPECT_TRUE(read_declassification(text({.statement = approval.statement}, *approval.words), *approval.words));
}

TEST(DeclassificationText, has_one_form) {
    const Approval approval;
    EXPECT_THAT(refusal(approval, "hanse declassification v1", "hanse declassification v2"), HasSubstr("line 1 "));
    EXPECT_THAT(refusal(approval, "digest 0102", "digest 01"), HasSubstr("line 2 "));
    EXPECT_THAT(refusal(approval, "digest 0102", "digest 01ZZ"), HasSubstr("SHA-256"));
    EXPECT_THAT(refusal(approval, "from owner=acme", "from owner=nobody"), HasSubstr("line 3 "));
    EXPECT_THAT(refusal(approval, "from owner=", "to owner="), HasSubstr("does not begin with \"from \""));
    EXPECT_THAT(refusal(approval, "reason the", "reason \x1b[2J"), HasSubstr("line 5 "));
    EXPECT_THAT(refusal(approval, "reason the", "reason \xff"), HasSubstr("line 5 "));
    EXPECT_THAT(refusal(approval, "reason the", "reason " + std::string(1000, 'a')), HasSubstr("line 5 "));
    EXPECT_EQ(refusal(approval, "scope once", "scope form"), "accepted");
    EXPECT_THAT(refusal(approval, "scope once", "scope always"), HasSubstr("once, form or standing"));
    EXPECT_THAT(refusal(approval, "signer acme", "signer acme/anna"), HasSubstr("unknown word \"acme/anna\""));
    EXPECT_THAT(refusal(approval, "signed acme/anna", "signed acme/zed"), HasSubstr("line 9 "));
    EXPECT_THAT(refusal(approval, "signed acme/anna ed", "countersigned acme/anna ed"), HasSubstr("is no signature"));
    EXPECT_THAT(refusal(approval, "BBBB", "BB\tB"), HasSubstr("printable"));
    // The same label, written otherwise.
    EXPECT_THAT(refusal(approval, "readers=acme", "readers=acme+acme/anna"), HasSubstr("one form"));
    const std::string whole = text(signed_one(approval), *approval.words);
    EXPECT_FALSE(read_declassification(whole.substr(0, whole.size() - 1), *approval.words));
    EXPECT_FALSE(read_declassification("", *approval.words));
    EXPECT_EQ(read_declassification(std::string(declassification_text_max + 1, 'a'), *approval.words).error().kind,
              base::ErrorKind::too_large);
}

TEST(DeclassificationText, moments_are_dates_with_times_in_utc) {
    EXPECT_EQ(moment("1970-01-02T00:00:01Z"), 86'401);
    EXPECT_EQ(moment("2026-06-01T12:00:00Z"), 1'780'315'200);
    EXPECT_EQ(moment("1970-01-01"), 86'400);  // to the end of the day
    EXPECT_EQ(moment_text(1'780'315'200), "2026-06-01T12:00:00Z");
    for (const char* wrong : {"", "2026-06-01T24:00:00Z", "2026-06-01T12:60:00Z", "2026-06-01T12:00:60Z", "2026-13-01T12:00:00Z",
                              "2026-02-30", "2026-06-01T12:00:00+", "2026-06-01 12:00:00Z", "2026-06-01T1x:00:00Z", "2026-06-01T-1:00:00Z",
                              "2026-06-01T12-00:00Z", "1780315200", "20260-0601T12:00:00Z"})
        EXPECT_FALSE(moment(wrong)) << wrong;
}

}  // namespace
}  // namespace hanse::label
