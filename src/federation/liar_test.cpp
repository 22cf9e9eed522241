// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "federation/receipts.hpp"
#include "federation/session.hpp"
#include "sample_node.hpp"

// A member that lies. It stands at the left and says what it likes; what it reaches is the end of its own session, and
// bolt goes on with everybody else.
namespace hanse::federation {
namespace {

using How = Ended::How;
using sample::bytes;
using sample::key_number;
using namespace std::chrono_literals;

struct LiarTest : testing::Test {
    sample::Node liar{"acme"}, bolt{"bolt"}, clinic{"clinic"};
    sample::Pair pair{liar, bolt};
    sample::Pair honest{clinic, bolt};

    // A task of bolt's at the liar, which answers by forge() on stream 2.
    TaskKey key = key_number(1);
    void bolt_asks(RemoteTask task = {}) {
        const sample::Question question(bolt, "acme");
        ASSERT_TRUE(question.ask(pair.right, key, pair.now, std::move(task)));
        pair.pump();
    }
    void expect_only_the_liar_is_cut(std::string_view code) {
        EXPECT_TRUE(pair.right.closed());
        const auto found = pair.at_right<Misbehaved>();
        ASSERT_FALSE(found.empty());
        EXPECT_EQ(found.back().code, code);
        EXPECT_TRUE(pair.at_right<Closed>()[0].peer_at_fault);
        const sample::Question question(clinic, "bolt");
        ASSERT_TRUE(question.ask(honest.left, key_number(500), honest.now));
        honest.pump();
        honest.right.finish(key_number(500), sample::done_for(key_number(500)), honest.now);
        honest.pump();
        EXPECT_EQ(honest.at_left<Ended>()[0].how, How::answered);
    }
};

TEST_F(LiarTest, is_cut_off_for_frames_that_nobody_can_read) {
    base::Bytes noise(64, std::byte{0x7f});
    noise[0] = noise[1] = noise[2] = std::byte{0};
    pair.right.received(noise, pair.now);
    pair.pump();
    expect_only_the_liar_is_cut("unknown_message");
}

TEST_F(LiarTest, is_cut_off_for_a_length_beyond_the_limit_before_it_is_read) {
    base::Bytes head(9, std::byte{0xff});
    head[4] = std::byte{2};
    pair.right.received(head, pair.now);
    pair.pump();
    expect_only_the_liar_is_cut("malformed");
}

TEST_F(LiarTest, cannot_flood) {
    std::size_t sent = 0;
    for (; sent < 10'000 && !pair.right.closed(); ++sent) pair.forge(wire::Ping{1});
    EXPECT_LE(sent, 300u);
    expect_only_the_liar_is_cut("flood");
}

TEST_F(LiarTest, cannot_flood_with_tasks) {
    wire::Stream stream = 101;
    for (unsigned i = 0; i < 200; ++i, stream += 2)
        pair.forge(wire::Task{.key = key_number(1'000 + i),
                              .kind = "chat",
                              .model = "law",
                              .label = "public; integrity=own",
                              .purpose = "answer",
                              .made_ms = static_cast<std::uint64_t>(pair.now.wall_ms())},
                   stream);
    EXPECT_EQ(pair.at_right<federation::Run>().size(), 64u);
    EXPECT_FALSE(pair.right.closed()) << "what is too much is refused";
    for (unsigned i = 0; i < 10'000 && !pair.right.closed(); ++i, stream += 2) pair.forge(wire::Cancel{}, 101);
    expect_only_the_liar_is_cut("flood");
}

TEST_F(LiarTest, cannot_ask_for_everything_again_and_again) {
    for (unsigned i = 0; i < 1'000 && !pair.right.closed(); ++i) pair.forge(wire::CharterAsk{1});
    expect_only_the_liar_is_cut("flood");
}

TEST_F(LiarTest, cannot_make_memory_grow_by_not_reading) {
    std::size_t unread = 0;
    for (int i = 0; i < 10'000 && !pair.right.closed(); ++i) {
        pair.now = {pair.now.instant + 100ms, pair.now.wall + 100ms};
        base::Bytes bytes;
        wire::encode(wire::CharterAsk{1}, 0, bytes);
        pair.right.received(bytes, pair.now);
        unread += pair.right.take().send.size();
    }
    EXPECT_TRUE(pair.right.closed());
    EXPECT_LT(unread, std::size_t{17} * 1024 * 1024);
}

TEST_F(LiarTest, is_sent_no_more_of_an_answer_than_it_reads) {
    pair.forge(wire::Task{.key = key_number(9),
                          .kind = "chat",
                          .model = "law",
                          .label = "public; integrity=own",
                          .purpose = "answer",
                          .made_ms = static_cast<std::uint64_t>(pair.now.wall_ms()),
                          .credit = std::uint64_t{1} << 39},
               101);
    std::size_t unread = 0;
    for (int i = 0; i < 10'000 && pair.right.answer(key_number(9), base::Bytes(32 * 1024), 1, pair.now); ++i)
        unread += pair.right.take().send.size();
    EXPECT_GT(unread, std::size_t{7} * 1024 * 1024);
    EXPECT_LT(unread, std::size_t{9} * 1024 * 1024);
}

TEST_F(LiarTest, cannot_send_more_of_an_answer_than_it_was_granted) {
    bolt_asks();
    for (unsigned i = 0; i < 9 && !pair.right.closed(); ++i) pair.forge(wire::Tokens{i, base::Bytes(32 * 1024), 1}, 2);
    EXPECT_EQ(pair.at_right<Part>().size(), 8u);
    EXPECT_EQ(pair.at_right<Ended>()[0].how, How::misbehaved);
    expect_only_the_liar_is_cut("credit");
}

TEST_F(LiarTest, cannot_stream_without_end) {
    bolt_asks({.budget_tokens = 100});
    unsigned sent = 0;
    while (pair.at_right<Ended>().empty() && sent < 10'000) {
        pair.forge(wire::Tokens{sent++, base::Bytes(8), 1}, 2);
        pair.right.consumed(key, 8, pair.now);
    }
    EXPECT_EQ(sent, 101u);
    EXPECT_EQ(pair.at_right<Ended>()[0].how, How::budget);
}

TEST_F(LiarTest, cannot_stream_without_end_by_saying_that_its_parts_hold_no_tokens) {
    bolt_asks({.budget_tokens = 100, .answer_bytes_max = 1'000});
    for (unsigned i = 0; i < 1'000 && pair.at_right<Ended>().empty(); ++i) {
        pair.forge(wire::Tokens{i, base::Bytes(8), 0}, 2);
        pair.right.consumed(key, 8, pair.now);
    }
    EXPECT_EQ(pair.at_right<Part>().size(), 125u);
    EXPECT_EQ(pair.at_right<Ended>()[0].how, How::budget);
}

TEST_F(LiarTest, cannot_keep_a_caller_waiting_beyond_the_deadline) {
    bolt_asks({.deadline = base::Deadline::after(pair.now.instant, 5s)});
    pair.forge(wire::Tokens{0, bytes("a"), 1}, 2);
    pair.wait(6s);
    EXPECT_EQ(pair.at_right<Ended>()[0].how, How::deadline);
}

TEST_F(LiarTest, cannot_send_parts_twice_or_out_of_order) {
    bolt_asks();
    pair.forge(wire::Tokens{0, bytes("a"), 1}, 2);
    pair.forge(wire::Tokens{0, bytes("a"), 1}, 2);
    expect_only_the_liar_is_cut("tokens");
}

TEST_F(LiarTest, cannot_speak_of_tasks_that_it_does_not_have) {
    pair.forge(wire::Done{}, 4);
    expect_only_the_liar_is_cut("stream");
}

TEST_F(LiarTest, gets_no_answer_taken_with_a_receipt_of_another_task) {
    bolt_asks();
    auto done = sample::done_for(key_number(7));
    done.messages = 1;
    pair.forge(wire::Tokens{0, bytes("a"), 1}, 2);
    pair.forge(done, 2);
    EXPECT_EQ(pair.at_right<Ended>()[0].how, How::misbehaved);
    EXPECT_EQ(pair.at_right<Misbehaved>()[0].code, "receipt");
}

TEST_F(LiarTest, cannot_be_another_member) {
    sample::Node again("acme");
    Session session(bolt.shared, {"acme", "acme-1"}, Session::Role::accepted);
    session.open(pair.now);
    base::Bytes hello;
    wire::encode(wire::Hello{.federation = bolt.charters.federation(), .member = "clinic", .node = "clinic-1", .charter_version = 1}, 0,
                 hello);
    session.received(hello, pair.now);
    const auto events = session.take().events;
    ASSERT_FALSE(sample::Pair::all<Misbehaved>(events).empty());
    EXPECT_EQ(sample::Pair::all<Misbehaved>(events)[0].code, "impostor");
}

TEST_F(LiarTest, cannot_work_before_it_has_greeted_or_greet_twice) {
    Session session(bolt.shared, {"acme", "acme-1"}, Session::Role::accepted);
    session.open(pair.now);
    base::Bytes ping;
    wire::encode(wire::Ping{}, 0, ping);
    session.received(ping, pair.now);
    EXPECT_TRUE(session.closed());
    pair.forge(wire::Hello{});
    expect_only_the_liar_is_cut("hello");
}

TEST_F(LiarTest, cannot_put_words_into_the_charter) {
    Charter charter = sample::next(bolt.charters.current());
    charter.purposes.push_back("whatever-i-like");
    pair.forge(wire::CharterGive{sample::document(charter, {"acme"}).whole()});
    EXPECT_EQ(bolt.charters.charter().version, 1u);
    EXPECT_EQ(pair.at_right<CharterNews>()[0].news, CharterChain::News::refused);
}

TEST_F(LiarTest, cannot_crowd_out_the_signatures_of_others) {
    Charter charter = sample::next(bolt.charters.current());
    charter.purposes.push_back("safety");
    auto document = sample::document(charter, {"bolt"});
    for (int i = 0; i < 3; ++i)
        document.sign("clinic", [](std::string_view context, std::span<const std::byte> message) {
            return sample::key_of("acme").sign(context, message);
        });
    pair.forge(wire::CharterProposal{document.whole()});
    ASSERT_EQ(pair.at_right<Proposal>().size(), 1u);
    auto proposal = pair.at_right<Proposal>()[0].document;
    EXPECT_EQ(proposal.signatures().size(), 1u);
    proposal.gather(sample::document(charter, {"clinic"}));
    EXPECT_EQ(bolt.charters.take(proposal, sample::now).news, CharterChain::News::accepted);
}

TEST_F(LiarTest, cannot_forge_the_offers_of_another) {
    const OfferList list{.member = "clinic",
                         .node = "clinic-1",
                         .sequence = 9,
                         .issued = sample::now,
                         .expires = sample::now + 3'600,
                         .offers = {{.model = "free"}}};
    pair.forge(wire::OfferGive{list.signed_text(sample::sign_as("acme"))});
    EXPECT_FALSE(bolt.offers.find("clinic"));
    EXPECT_FALSE(pair.right.closed()) << "who brings it need not have made it";
}

TEST_F(LiarTest, is_found_out_when_it_says_different_things_under_one_number) {
    OfferList list{.member = "acme",
                   .node = "acme-1",
                   .sequence = 9,
                   .issued = sample::now,
                   .expires = sample::now + 3'600,
                   .offers = {{.model = "cheap"}}};
    pair.forge(wire::OfferGive{list.signed_text(sample::sign_as("acme"))});
    list.offers[0].answer_price = 1'000'000;
    pair.forge(wire::OfferGive{list.signed_text(sample::sign_as("acme"))});
    EXPECT_EQ(pair.at_right<Misbehaved>()[0].code, "offers_twice");
    EXPECT_EQ(bolt.offers.find("acme")->list.offers[0].answer_price, 0u);
    EXPECT_EQ(bolt.offers.contradictions().size(), 1u);
}

TEST_F(LiarTest, cannot_make_a_replayed_task_run_again) {
    const wire::Task task{.key = key_number(3),
                          .kind = "chat",
                          .model = "law",
                          .label = "public; integrity=own",
                          .purpose = "answer",
                          .made_ms = static_cast<std::uint64_t>(pair.now.wall_ms()),
                          .credit = 1'000};
    pair.forge(task, 101);
    pair.right.finish(key_number(3), sample::done_for(key_number(3)), pair.now);
    for (wire::Stream stream = 103; stream < 123; stream += 2) pair.forge(task, stream);
    EXPECT_FALSE(pair.right.closed()) << "a retry is no crime";
    EXPECT_EQ(pair.at_right<federation::Run>().size(), 1u);
}

}  // namespace
}  // namespace hanse::federation
