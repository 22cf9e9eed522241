// SPDX-License-Identifier: Apache-2.0
#include "federation/invitation.hpp"

#include <gtest/gtest.h>

#include "sample.hpp"

namespace hanse::federation {
namespace {

template <typename Event>
std::vector<Event> all(const std::vector<JoinEvent>& events) {
    std::vector<Event> found;
    for (const auto& each : events)
        if (const auto* event = std::get_if<Event>(&each)) found.push_back(*event);
    return found;
}

struct InvitationTest : testing::Test {
    CharterChain chain = sample::chain();
    Invitations invitations;
    base::SeededRandom random{3};
    InvitationCode code = *invitations.invite("drone", "acme.example:8421", chain, "acme", sample::now, 3'600, random);
    std::vector<JoinEvent> inviter_events, newcomer_events;

    struct Ends {
        Welcoming welcoming;
        Joining joining;
    };
    Ends ends(const InvitationCode& with, const std::string& name = "drone", std::uint64_t generation = 0) {
        auto member = sample::member(name, "US", "US");
        member.keys = sample::key_of(name, generation).identity().keys();
        return {Welcoming(invitations, chain, verify_with_keys()),
                Joining(with, member, sample::sign_as(name, generation), verify_with_keys(), random)};
    }
    void pump(Ends& ends, std::int64_t now = sample::now) {
        for (bool moved = true; moved;) {
            auto to = ends.joining.take();
            auto from = ends.welcoming.take();
            moved = !to.send.empty() || !from.send.empty();
            std::ranges::move(to.events, std::back_inserter(newcomer_events));
            std::ranges::move(from.events, std::back_inserter(inviter_events));
            ends.welcoming.received(to.send, now);
            ends.joining.received(from.send, now);
        }
    }
    // What a shell does with a version that the newcomer has signed.
    CharterChain::News sign_and_take(CharterDocument document, std::initializer_list<std::string> signers) {
        for (const auto& name : signers) document.sign(name, sample::sign_as(name));
        return chain.take(document, sample::now).news;
    }
};

TEST_F(InvitationTest, has_a_code_that_notices_a_wrong_letter) {
    const std::string text = code.text();
    EXPECT_EQ(InvitationCode::parse(text), code);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(InvitationCode::parse(changed)) << i;
    }
    EXPECT_FALSE(InvitationCode::parse(text.substr(0, text.size() - 1)));
    EXPECT_FALSE(InvitationCode::parse(""));
}

TEST_F(InvitationTest, reads_the_code_of_every_version) {
    const InvitationCode given{.expires = sample::now, .inviter = "acme", .newcomer = "drone", .address = "acme.example:8421"};
    EXPECT_EQ(InvitationCode::parse(sample::written_sample("invitation.txt", given.text())), given);
}

TEST_F(InvitationTest, makes_a_member_when_both_have_agreed_and_enough_have_signed) {
    auto both = ends(code);
    both.joining.open();
    pump(both);
    ASSERT_EQ(all<NewcomerAsks>(inviter_events).size(), 1u);
    EXPECT_EQ(all<NewcomerAsks>(inviter_events)[0].fingerprint, sample::key_of("drone").identity().fingerprint());
    ASSERT_EQ(all<TermsShown>(newcomer_events).size(), 1u);
    EXPECT_EQ(all<TermsShown>(newcomer_events)[0].fingerprint, chain.current().fingerprint());
    both.joining.agree();
    pump(both);
    EXPECT_TRUE(all<NewcomerSigned>(inviter_events).empty()) << "the inviter has not looked yet";
    both.welcoming.agree();
    pump(both);
    const auto handed_on = all<NewcomerSigned>(inviter_events);
    ASSERT_EQ(handed_on.size(), 1u);
    EXPECT_EQ(sign_and_take(handed_on[0].document, {"acme"}), CharterChain::News::refused) << "two of three amenders";
    EXPECT_EQ(sign_and_take(handed_on[0].document, {"acme", "bolt"}), CharterChain::News::accepted);
    both.welcoming.charter_changed();
    pump(both);
    ASSERT_EQ(all<Joined>(newcomer_events).size(), 1u);
    EXPECT_EQ(all<Joined>(newcomer_events)[0].versions.back().digest(), chain.current().digest());
    EXPECT_FALSE(invitations.find(code.id, sample::now)) << "good once";
}

TEST_F(InvitationTest, is_refused_without_a_word_why) {
    const auto refused = [&](const InvitationCode& with, const std::string& name = "drone", std::int64_t now = sample::now) {
        auto both = ends(with, name);
        both.joining.open();
        const auto ask = both.joining.take().send;
        both.welcoming.received(ask, now);
        return both.welcoming.take();
    };
    InvitationCode guessed = code, unknown = code;
    guessed.secret[0] ^= std::byte{1};
    unknown.id[0] ^= std::byte{1};
    const auto first = refused(guessed);
    EXPECT_TRUE(first.close);
    EXPECT_EQ(first.send, refused(unknown).send);
    EXPECT_EQ(first.send, refused(code, "eve").send) << "it is for another name";
    EXPECT_EQ(first.send, refused(code, "drone", sample::now + 4'000).send) << "it has expired";
    EXPECT_FALSE(refused(code).close);
}

TEST_F(InvitationTest, is_good_for_one_newcomer) {
    auto first = ends(code);
    first.joining.open();
    pump(first);
    auto impostor = ends(code, "drone", 1);
    impostor.joining.open();
    impostor.welcoming.received(impostor.joining.take().send, sample::now);
    EXPECT_TRUE(impostor.welcoming.take().close);
    auto again = ends(code);
    again.joining.open();
    again.welcoming.received(again.joining.take().send, sample::now);
    EXPECT_FALSE(again.welcoming.take().close) << "its connection broke";
}

TEST_F(InvitationTest, shows_the_newcomer_terms_of_nobody_but_the_inviter) {
    auto both = ends(code);
    both.joining.open();
    both.welcoming.received(both.joining.take().send, sample::now);
    auto bytes = both.welcoming.take().send;
    bytes[bytes.size() / 2] ^= std::byte{1};
    both.joining.received(bytes, sample::now);
    const auto effects = both.joining.take();
    EXPECT_TRUE(all<TermsShown>(effects.events).empty());
    EXPECT_TRUE(effects.close);
}

TEST_F(InvitationTest, writes_the_terms_anew_when_the_charter_changes_meanwhile) {
    auto both = ends(code);
    both.joining.open();
    pump(both);
    both.joining.agree();
    Charter charter = sample::next(chain.current());
    charter.purposes.push_back("safety");
    ASSERT_EQ(chain.take(sample::document(charter, {"bolt", "clinic"}), sample::now).news, CharterChain::News::accepted);
    both.welcoming.charter_changed();
    pump(both);
    ASSERT_EQ(all<TermsShown>(newcomer_events).size(), 2u);
    both.welcoming.agree();
    pump(both);
    EXPECT_TRUE(all<NewcomerSigned>(inviter_events).empty()) << "it agreed to other terms";
    both.joining.agree();
    pump(both);
    EXPECT_EQ(all<NewcomerSigned>(inviter_events).size(), 1u);
}

TEST_F(InvitationTest, keeps_few_open) {
    for (int i = 0; i < 63; ++i) ASSERT_TRUE(invitations.invite("n" + std::to_string(i), "", chain, "acme", sample::now, 60, random));
    EXPECT_EQ(invitations.invite("one-more", "", chain, "acme", sample::now, 60, random).error().kind, base::ErrorKind::overloaded);
    EXPECT_TRUE(invitations.invite("one-more", "", chain, "acme", sample::now + 61, 60, random)) << "the others have expired";
    EXPECT_FALSE(invitations.invite("bolt", "", chain, "acme", sample::now, 60, random)) << "it is a member";
}

}  // namespace
}  // namespace hanse::federation
