// SPDX-License-Identifier: Apache-2.0
#include "federation/session.hpp"

#include <gtest/gtest.h>

#include "sample_node.hpp"

namespace hanse::federation {
namespace {

using How = Ended::How;
using sample::key_number;
using namespace std::chrono_literals;

struct SessionTest : testing::Test {
    sample::Node acme{"acme"}, bolt{"bolt"};
    sample::Pair pair{acme, bolt};
    sample::Question question{acme, "bolt"};
    TaskKey key = key_number(1);

    void ask(const TaskKey& which, RemoteTask task = {}) {
        const auto started = question.ask(pair.left, which, pair.now, std::move(task));
        ASSERT_TRUE(started) << started.error().message;
        pair.pump();
    }
    void finish(const TaskKey& which) {
        pair.right.finish(which, sample::done_for(which), pair.now);
        pair.pump();
    }
};

TEST_F(SessionTest, is_ready_when_both_have_greeted) {
    EXPECT_TRUE(pair.left.ready());
    EXPECT_TRUE(pair.right.ready());
    ASSERT_EQ(pair.at_left<Ready>().size(), 1u);
    EXPECT_EQ(pair.at_left<Ready>()[0].version, 1u);
    EXPECT_EQ(pair.at_left<Ready>()[0].software, "sample");
}

TEST_F(SessionTest, carries_a_task_there_and_its_answer_back) {
    RemoteTask task{.deadline = base::Deadline::after(pair.now.instant, 5s), .budget_tokens = 10, .parents = {"hr_1"}};
    ask(key, task);
    const auto runs = pair.at_right<federation::Run>();
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].task.label, "public; integrity=own");
    EXPECT_EQ(runs[0].task.purpose, "answer");
    EXPECT_EQ(runs[0].task.body, sample::bytes("moin"));
    EXPECT_EQ(runs[0].task.parents, std::vector<std::string>{"hr_1"});
    EXPECT_EQ(runs[0].deadline.left(pair.now.instant), 5s);
    EXPECT_TRUE(pair.right.answer(key, sample::bytes("a"), 1, pair.now));
    EXPECT_TRUE(pair.right.answer(key, sample::bytes("b"), 1, pair.now));
    finish(key);
    const auto parts = pair.at_left<Part>();
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[1].tokens.events, sample::bytes("b"));
    const auto ended = pair.at_left<Ended>();
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].how, How::answered);
    EXPECT_EQ(ended[0].receipt.id, "hr_far");
    EXPECT_EQ(pair.left.asked(), 0u);
    pair.left.settle(key, "hr_near", pair.now);
    pair.pump();
    ASSERT_EQ(pair.at_right<Paid>().size(), 1u);
    EXPECT_EQ(pair.at_right<Paid>()[0].receipt_id, "hr_near");
    pair.left.settle(key, "hr_near", pair.now);
    pair.pump();
    EXPECT_EQ(pair.at_right<Paid>().size(), 1u) << "once";
    EXPECT_TRUE(bolt.ledger.settled("acme", key));
}

TEST_F(SessionTest, sends_nothing_without_the_permit_for_this_label_and_place) {
    const label::Label secret =
        label::Label::of(*question.words->member("acme"), {.readers = *question.words->readers("acme")}, label::Integrity::own);
    const label::Labelled<base::Bytes> body(sample::bytes("secret"), secret);
    const auto refused = pair.left.start({.key = key, .kind = "chat", .model = "law"}, body, *question.decision.permit(), question.place,
                                         *question.words, pair.now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
    const sample::Question elsewhere(acme, "clinic");
    EXPECT_EQ(elsewhere.ask(pair.left, key, pair.now).error().code, "permit_mismatch");
    EXPECT_TRUE(pair.left.take().send.empty());
}

TEST_F(SessionTest, looks_like_not_found_whatever_the_reason) {
    const auto refusal_of = [&](Admission::Verdict verdict, const std::string& model, const TaskKey& which) {
        bolt.admission.verdict = verdict;
        EXPECT_TRUE(question.ask(pair.left, which, pair.now, {.model = model}));
        pair.right.received(pair.left.take().send, pair.now);
        auto bytes = pair.right.take().send;
        bytes.erase(bytes.begin() + 5, bytes.begin() + 9);  // the stream's number
        return bytes;
    };
    const auto denied = refusal_of(Admission::Verdict::not_found, "law", key_number(2));
    const auto unknown = refusal_of(Admission::Verdict::run, "no-such-model", key_number(3));
    EXPECT_EQ(denied, unknown);
    EXPECT_FALSE(denied.empty());
}

TEST_F(SessionTest, runs_a_task_once_however_often_it_is_sent) {
    ask(key);
    EXPECT_TRUE(pair.right.answer(key, sample::bytes("a"), 1, pair.now));
    sample::Pair second(acme, bolt);
    ASSERT_TRUE(question.ask(second.left, key, second.now));
    second.pump();
    ASSERT_EQ(second.at_left<Ended>().size(), 1u) << "it is running: it is neither run again nor shared";
    EXPECT_EQ(second.at_left<Ended>()[0].how, How::broken);
    pair.left.disconnected(pair.now);
    pair.right.finish(key, sample::done_for(key), pair.now);  // the end is lost on the way
    sample::Pair third(acme, bolt);
    ASSERT_TRUE(question.ask(third.left, key, third.now));
    third.pump();
    EXPECT_EQ(third.at_left<Ended>()[0].how, How::answered) << "the same answer again";
    EXPECT_EQ(third.at_left<Part>().size(), 1u);
    EXPECT_TRUE(third.at_right<federation::Run>().empty());
    EXPECT_EQ(bolt.asked, 1);
}

TEST_F(SessionTest, runs_nothing_again_after_a_restart) {
    ask(key);
    auto restored = TaskLedger::parse(TaskLedger::begun_line("acme", key, pair.now.wall_ms()), pair.now.wall_ms());
    ASSERT_TRUE(restored);
    bolt.ledger = std::move(*restored);
    sample::Pair second(acme, bolt);
    ASSERT_TRUE(question.ask(second.left, key, second.now));
    second.pump();
    EXPECT_EQ(second.at_left<Ended>()[0].how, How::broken);
    EXPECT_TRUE(second.at_right<federation::Run>().empty());
}

TEST_F(SessionTest, stops_the_far_run_when_the_caller_goes) {
    ask(key);
    pair.left.cancel(key, "caller", pair.now);
    pair.pump();
    ASSERT_EQ(pair.at_right<Stop>().size(), 1u);
    EXPECT_FALSE(pair.right.answer(key, sample::bytes("x"), 1, pair.now));
    EXPECT_EQ(pair.at_left<Ended>()[0].how, How::cancelled);
    finish(key);
    EXPECT_EQ(pair.at_left<Ended>().size(), 1u);
    EXPECT_TRUE(pair.left.ready());
}

TEST_F(SessionTest, ends_at_the_deadline_and_before_the_first_token_may_be_tried_elsewhere) {
    ask(key,
        {.deadline = base::Deadline::after(pair.now.instant, 10s), .first_token_deadline = base::Deadline::after(pair.now.instant, 1s)});
    EXPECT_EQ(pair.left.wakes_at(), pair.now.instant + 1s);
    pair.wait(1s);
    ASSERT_EQ(pair.at_left<Ended>().size(), 1u);
    EXPECT_EQ(pair.at_left<Ended>()[0].how, How::deadline);
    EXPECT_FALSE(pair.at_left<Ended>()[0].after_first_token);
    EXPECT_EQ(pair.at_right<Stop>().size(), 1u);
}

TEST_F(SessionTest, tells_on_which_side_of_the_first_token_a_connection_broke) {
    ask(key);
    ask(key_number(2));
    pair.right.answer(key, sample::bytes("a"), 1, pair.now);
    pair.pump();
    pair.left.disconnected(pair.now);
    pair.right.disconnected(pair.now);
    pair.pump();
    const auto ended = pair.at_left<Ended>();
    ASSERT_EQ(ended.size(), 2u);
    EXPECT_EQ(ended[0].how, How::broken);
    EXPECT_TRUE(ended[0].after_first_token);
    EXPECT_FALSE(ended[1].after_first_token);
    EXPECT_EQ(pair.at_right<Stop>().size(), 2u);
}

TEST_F(SessionTest, waits_for_credit_and_gives_up_a_reader_that_never_reads) {
    ask(key);
    const std::string piece(32 * 1024, 'x');
    int taken = 0;
    while (pair.right.answer(key, sample::bytes(piece), 1, pair.now) && taken < 1'000) ++taken;
    pair.pump();
    EXPECT_EQ(pair.at_left<Part>().size(), 8u) << "256 KiB of credit";
    EXPECT_EQ(taken, 16) << "and as much waiting";
    EXPECT_EQ(pair.right.waiting(key), 0u);
    finish(key);
    EXPECT_TRUE(pair.left.ready());
}

TEST_F(SessionTest, streams_on_while_the_reader_reads) {
    ask(key);
    const std::string piece(32 * 1024, 'x');
    std::size_t parts = 0;
    for (int i = 0; i < 64; ++i) {
        ASSERT_TRUE(pair.right.answer(key, sample::bytes(piece), 1, pair.now));
        pair.pump();
        for (; parts < pair.at_left<Part>().size(); ++parts) pair.left.consumed(key, piece.size(), pair.now);
        pair.pump();
    }
    finish(key);
    EXPECT_EQ(pair.at_left<Part>().size(), 64u);
    EXPECT_EQ(pair.at_left<Ended>()[0].how, How::answered);
}

TEST_F(SessionTest, streams_for_ever_to_one_who_reads) {
    ask(key, {.answer_bytes_max = std::uint64_t{1} << 32});
    const std::string piece(64 * 1024, 'x');
    for (int i = 0; i < 512; ++i) {
        ASSERT_TRUE(pair.right.answer(key, sample::bytes(piece), 1, pair.now)) << i;
        pair.pump();
        pair.left.consumed(key, piece.size(), pair.now);
        pair.pump();
        pair.left_events.clear();
    }
    finish(key);
    EXPECT_EQ(pair.at_left<Ended>()[0].how, How::answered);
}

TEST_F(SessionTest, is_no_flood_while_many_tasks_are_answered_and_settled) {
    for (unsigned i = 1; i <= 1'500; ++i) {
        ask(key_number(i));
        ASSERT_TRUE(pair.right.answer(key_number(i), sample::bytes("a"), 1, pair.now)) << i;
        finish(key_number(i));
        pair.left.settle(key_number(i), "hr_near", pair.now);
        pair.pump();
        ASSERT_FALSE(pair.right.closed()) << i;
        if (i % 10 == 0) pair.wait(10ms);
    }
    EXPECT_EQ(pair.at_right<Paid>().size(), 1'500u);
}

TEST_F(SessionTest, is_no_flood_while_answers_are_large) {
    ask(key, {.answer_bytes_max = std::uint64_t{1} << 40});
    // 400 MiB in a second: a ping marks each MiB of it, and a pong answers each.
    for (int i = 0; i < 3'200; ++i) {
        ASSERT_TRUE(pair.right.answer(key, base::Bytes(128 * 1024), 1, pair.now)) << i;
        pair.pump();
        pair.left.consumed(key, 128 * 1024, pair.now);
        pair.left_events.clear();
        if (i % 32 == 0) pair.wait(10ms);
        ASSERT_FALSE(pair.left.closed() || pair.right.closed()) << i;
    }
}

TEST_F(SessionTest, cuts_a_removed_member_at_once_and_says_which_tasks_ended) {
    ask(key);
    Charter charter = sample::next(bolt.charters.current());
    charter.former.push_back({"acme", charter.member("acme")->identity().fingerprint()});
    charter.members.erase(charter.members.begin());
    charter.amenders = {"bolt", "clinic"};
    charter.groups[0].members = {"bolt"};
    const auto document = sample::document(charter, {"bolt", "clinic"});
    ASSERT_EQ(bolt.charters.take(document, sample::now).news, CharterChain::News::accepted);
    pair.right.charter_changed(pair.now);
    pair.pump();
    EXPECT_TRUE(pair.right.closed());
    ASSERT_EQ(pair.at_right<Stop>().size(), 1u);
    EXPECT_EQ(pair.at_right<Stop>()[0].key, key);
    EXPECT_EQ(pair.at_right<Closed>()[0].reason, "removed");
    EXPECT_EQ(acme.charters.charter().version, 2u) << "it learns why";
    EXPECT_TRUE(pair.left.closed());
    EXPECT_FALSE(question.ask(pair.left, key_number(2), pair.now));
}

TEST_F(SessionTest, meets_nobody_who_was_removed_meanwhile) {
    Charter charter = sample::next(bolt.charters.current());
    charter.members[0].standing = Standing::suspended;
    charter.amenders = {"bolt", "clinic"};
    ASSERT_EQ(bolt.charters.take(sample::document(charter, {"bolt", "clinic"}), sample::now).news, CharterChain::News::accepted);
    sample::Pair second(acme, bolt);
    EXPECT_TRUE(second.left.closed());
    EXPECT_TRUE(second.right.closed());
    EXPECT_EQ(second.at_right<Closed>()[0].reason, "suspended");
}

TEST_F(SessionTest, catches_up_when_its_charter_has_expired) {
    Charter charter = sample::next(bolt.charters.current());
    charter.expires += sample::year;
    const auto longer = sample::document(charter, {"acme", "bolt"});
    const auto start = sample::at(std::chrono::seconds(sample::year + 5'000));
    ASSERT_EQ(bolt.charters.take(longer, sample::now).news, CharterChain::News::accepted);
    sample::Pair late(acme, bolt, start);
    EXPECT_EQ(acme.charters.charter().version, 2u);
    EXPECT_TRUE(late.left.ready());
    EXPECT_TRUE(late.right.ready());
    sample::Node clinic("clinic"), other("bolt");
    sample::Pair both(clinic, other, start);
    EXPECT_TRUE(both.left.closed()) << "nobody has a charter in force";
}

TEST_F(SessionTest, brings_charter_and_offers_to_whoever_lacks_them) {
    Charter charter = sample::next(bolt.charters.current());
    charter.purposes.push_back("safety");
    const auto second_version = sample::document(charter, {"acme", "bolt"});
    const auto third_version = sample::document(sample::next(second_version), {"bolt", "clinic"});
    bolt.charters.take(second_version, sample::now);
    bolt.charters.take(third_version, sample::now);
    const OfferList list{.member = "clinic",
                         .node = "clinic-1",
                         .sequence = 3,
                         .issued = sample::now,
                         .expires = sample::now + 3'600,
                         .offers = {{.model = "med"}}};
    const auto document = list.signed_text(sample::sign_as("clinic"));
    ASSERT_EQ(bolt.offers.take(document, bolt.charters.charter(), sample::now), OfferMirror::News::accepted);
    sample::Pair second(acme, bolt);
    EXPECT_EQ(acme.charters.charter().version, 3u);
    ASSERT_TRUE(acme.offers.find("clinic"));
    const OfferList newer{.member = "clinic", .node = "clinic-1", .sequence = 4, .issued = sample::now, .expires = sample::now + 3'600};
    acme.offers.take(newer.signed_text(sample::sign_as("clinic")), acme.charters.charter(), sample::now);
    second.left.offers_changed(second.now);
    second.pump();
    EXPECT_EQ(bolt.offers.find("clinic")->list.sequence, 4u);
    EXPECT_EQ(second.at_right<OfferNews>().size(), 1u);
}

TEST_F(SessionTest, brings_again_what_a_clock_that_was_wrong_did_not_believe) {
    const OfferList list{.member = "acme", .node = "acme-1", .sequence = 3, .issued = sample::now + 5'000, .expires = sample::now + 9'000};
    ASSERT_EQ(acme.offers.take(list.signed_text(sample::sign_as("acme")), acme.charters.charter(), sample::now + 5'000),
              OfferMirror::News::accepted);
    pair.left.offers_changed(pair.now);
    pair.pump();
    EXPECT_FALSE(bolt.offers.find("acme"));
    EXPECT_TRUE(pair.at_right<Misbehaved>().empty()) << "it is no lie";
    pair.now.wall += 5'000s;
    for (int i = 0; i < 4; ++i) pair.wait(10s);
    EXPECT_TRUE(bolt.offers.find("acme"));
}

TEST_F(SessionTest, bears_clocks_that_are_minutes_apart) {
    ask(key, {.made_ms = pair.now.wall_ms() - 300'000});
    ask(key_number(2), {.made_ms = pair.now.wall_ms() + 300'000});
    EXPECT_EQ(pair.at_right<federation::Run>().size(), 2u);
    ask(key_number(3), {.made_ms = pair.now.wall_ms() - 3'600'000});
    EXPECT_EQ(pair.at_right<federation::Run>().size(), 2u);
}

TEST_F(SessionTest, notices_a_peer_that_went_silent) {
    pair.now.instant += 16s;
    pair.left.tick(pair.now);
    EXPECT_FALSE(pair.left.take().send.empty()) << "a ping";
    pair.now.instant += 30s;
    pair.left.tick(pair.now);
    EXPECT_TRUE(pair.left.closed());
}

TEST_F(SessionTest, takes_no_more_tasks_than_the_peer_allows) {
    for (unsigned i = 0; i < 64; ++i) ask(key_number(i));
    EXPECT_EQ(question.ask(pair.left, key_number(100), pair.now).error().kind, base::ErrorKind::overloaded);
    for (unsigned i = 0; i < 64; ++i) finish(key_number(i));
    ask(key_number(100));
}

TEST(TaskLedgerTest, forgets_only_what_would_be_refused) {
    TaskLedger ledger({.window = 10min});
    const WallMs now = sample::now * 1'000, minute = 60'000;
    ASSERT_TRUE(ledger.begin("acme", key_number(1), now, now));
    ledger.finish("acme", key_number(1), {});
    ledger.expire(now + 11 * minute);
    EXPECT_EQ(ledger.size(), 0u);
    EXPECT_EQ(ledger.state("acme", key_number(1), now, now + 11 * minute), TaskLedger::State::old);
    EXPECT_EQ(ledger.state("acme", key_number(1), now, now), TaskLedger::State::old) << "also by a clock that was set back";
    auto again = TaskLedger::parse(ledger.text(), now, {.window = 10min});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->state("acme", key_number(1), now, now), TaskLedger::State::old);
    EXPECT_EQ(again->state("bolt", key_number(1), now, now), TaskLedger::State::unknown);
}

TEST(TaskLedgerTest, refuses_rather_than_forget) {
    TaskLedger ledger({.tasks_max = 2});
    ASSERT_TRUE(ledger.begin("acme", key_number(1), 1'000'000, 1'000'000));
    ASSERT_TRUE(ledger.begin("acme", key_number(2), 1'000'000, 1'000'000));
    EXPECT_EQ(ledger.begin("acme", key_number(3), 1'000'000, 1'000'000).error().kind, base::ErrorKind::overloaded);
    EXPECT_TRUE(ledger.begin("bolt", key_number(3), 1'000'000, 1'000'000));
}

TEST(TaskLedgerTest, passes_over_a_torn_line_and_nothing_else) {
    const std::string line = TaskLedger::begun_line("acme", key_number(1), 5'000);
    EXPECT_TRUE(TaskLedger::parse(line + line.substr(0, 20), 5'000));
    EXPECT_FALSE(TaskLedger::parse(line.substr(0, 20) + "\n" + line, 5'000));
}

TEST(TaskLedgerTest, keeps_answers_within_its_limits) {
    TaskLedger ledger({.kept_answer_max = 1'000, .kept_bytes_max = 2'000});
    for (unsigned i = 0; i < 10; ++i) {
        ASSERT_TRUE(ledger.begin("acme", key_number(i), 0, 0));
        ledger.keep("acme", key_number(i), {.events = base::Bytes(600)});
        ledger.finish("acme", key_number(i), {});
        EXPECT_LE(ledger.kept_bytes(), 2'000u);
    }
    EXPECT_TRUE(ledger.kept("acme", key_number(0)));
    EXPECT_FALSE(ledger.kept("acme", key_number(9)));
}

}  // namespace
}  // namespace hanse::federation
