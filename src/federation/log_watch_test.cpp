// SPDX-License-Identifier: Apache-2.0
#include "federation/log_watch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/sim_disk.hpp"
#include "federation/receipts.hpp"
#include "journal/log.hpp"
#include "journal/receipt.hpp"
#include "journal/record.hpp"
#include "log_files.hpp"
#include "sample_node.hpp"

namespace hanse::federation {
namespace {

using News = LogWatch::News;
using namespace std::chrono_literals;

journal::LogKeys log_keys() {
    base::SeededRandom random(5);
    crypto::KeySet set{std::string(journal::LogKeys::purpose), "acme.example/log", {}};
    for (const auto algorithm : journal::LogKeys::algorithms) {
        crypto::Secret secret(crypto::SigningKey::seed_size);
        random.fill(secret.fill());
        set.keys.push_back(*crypto::SigningKey::from_seed(algorithm, secret));
    }
    return *journal::LogKeys::from_keys(std::move(set));
}

// A log of acme's; two with the same keys and other randomness are two logs.
struct OwnLog {
    explicit OwnLog(std::uint64_t seed) : random(seed) { log = *journal::Log::open({disk, random, keys, "/log"}, time()); }
    static base::WallTime time() { return base::WallTime{} + std::chrono::seconds(sample::now); }
    journal::RecordId append(const TaskKey& key = {}, std::string_view from = "bolt") {
        journal::CanonicalObject fields;
        const auto id = journal::new_record_id(time(), random);
        const std::vector records{journal::make_record(id, time(), keys.origin(), "answer", name_remote_task(fields, key, from))};
        EXPECT_TRUE(log->append(records));
        EXPECT_TRUE(log->publish(time()));
        return id;
    }
    std::string note() const { return log->published_note().whole(); }
    std::string receipt(const journal::RecordId& id) {
        const auto record = log->find(id);
        return log->prove(record->index, journal::receipt_extra(*record))->text();
    }
    base::SimDisk disk;
    base::SeededRandom random;
    journal::LogKeys keys = log_keys();
    std::unique_ptr<journal::Log> log;
};

struct LogWatchTest : testing::Test {
    LogWatchTest() {
        charter.members[0].log_keys.clear();
        for (const auto& verifier : log_keys().verifiers()) charter.members[0].log_keys.push_back(verifier.vkey());
    }
    Charter charter = sample::charter();
    OwnLog log{1}, other{2};
    LogWatch watch;
    News take(const std::string& note) { return watch.take("acme", note, charter); }
};

TEST_F(LogWatchTest, follows_a_log_that_shows_that_it_continues_itself) {
    log.append();
    EXPECT_EQ(take(log.note()), News::proven);
    const auto small = log.log->size();
    for (int i = 0; i < 4; ++i) log.append();
    EXPECT_EQ(take(log.note()), News::newer);
    const auto question = watch.question("acme");
    ASSERT_TRUE(question);
    EXPECT_EQ(question->from, small);
    EXPECT_EQ(watch.answer("acme", question->from, question->to, *log.log->prove_consistency(small)), News::proven);
    EXPECT_EQ(*watch.latest("acme"), log.note());
    EXPECT_FALSE(watch.question("acme"));
    EXPECT_EQ(take(log.note()), News::known);
}

TEST_F(LogWatchTest, finds_two_logs_of_one_size) {
    log.append();
    other.append();
    EXPECT_EQ(take(log.note()), News::proven);
    EXPECT_EQ(take(other.note()), News::forked);
    ASSERT_TRUE(watch.evidence("acme"));
    EXPECT_EQ(watch.evidence("acme")->first, log.note());
    EXPECT_EQ(*watch.latest("acme"), log.note()) << "and believes the first";
}

TEST_F(LogWatchTest, finds_a_log_that_does_not_continue_the_one_before) {
    log.append();
    other.append();
    other.append();
    EXPECT_EQ(take(log.note()), News::proven);
    EXPECT_EQ(take(other.note()), News::newer);
    EXPECT_EQ(watch.answer("acme", 1, 2, *other.log->prove_consistency(1)), News::forked);
    EXPECT_TRUE(watch.evidence("acme"));
}

TEST_F(LogWatchTest, believes_no_checkpoint_that_the_charters_keys_did_not_sign) {
    log.append();
    auto half = log.log->published_note();
    half.signatures.pop_back();
    EXPECT_EQ(take(half.whole()), News::refused);
    EXPECT_EQ(watch.take("bolt", log.note(), charter), News::refused);
    EXPECT_EQ(watch.take("drone", log.note(), charter), News::refused);
    EXPECT_EQ(take("nonsense"), News::refused);
}

// The same between two nodes: acme at the left, whose log bolt watches.
struct WatchedSessionTest : LogWatchTest {
    WatchedSessionTest() {
        for (auto* node : {&acme, &bolt})
            node->charters = *CharterChain::open({sample::document(charter, {"acme", "bolt", "clinic"})}, verify_with_keys());
        pair = std::make_unique<sample::Pair>(acme, bolt);
    }
    void show(const OwnLog& shown) {
        pair->left.checkpoint(shown.note(), pair->now);
        pair->pump();
    }
    sample::Node acme{"acme"}, bolt{"bolt"};
    std::unique_ptr<sample::Pair> pair;
};

TEST_F(WatchedSessionTest, asks_its_owner_to_show_that_a_log_only_grew) {
    log.append();
    show(log);
    log.append();
    log.append();
    show(log);
    const auto wanted = pair->at_left<ConsistencyWanted>();
    ASSERT_EQ(wanted.size(), 1u);
    pair->left.prove_consistency(wanted[0].from, wanted[0].to, *log.log->prove_consistency(wanted[0].from), pair->now);
    pair->pump();
    EXPECT_EQ(*bolt.logs.latest("acme"), log.note());
    EXPECT_EQ(pair->at_right<LogNews>().back().news, LogWatch::News::proven);
    EXPECT_TRUE(pair->right.ready());
}

TEST_F(WatchedSessionTest, ends_with_a_member_that_shows_two_logs) {
    log.append();
    show(log);
    other.append();
    show(other);
    EXPECT_TRUE(pair->right.closed());
    EXPECT_EQ(pair->at_right<Misbehaved>()[0].code, "log_forked");
    EXPECT_TRUE(bolt.logs.evidence("acme"));
}

// Acme shows bolt one log and clinic another; bolt and clinic speak with each other.
TEST_F(WatchedSessionTest, finds_out_who_shows_two_logs_to_two_members_when_those_meet) {
    sample::Node clinic{"clinic"};
    clinic.charters = bolt.charters;
    log.append();
    other.append();
    other.append();
    show(log);
    ASSERT_EQ(clinic.logs.take("acme", other.note(), charter), News::proven);
    sample::Pair meeting(bolt, clinic);
    ASSERT_EQ(meeting.at_left<LogNews>().back().news, News::newer) << "what clinic saw is not what bolt saw";
    // The shell has bolt ask acme itself, which cannot show that the one continues the other.
    pair->right.question_log(pair->now);
    pair->pump();
    const auto wanted = pair->at_left<ConsistencyWanted>();
    ASSERT_EQ(wanted.size(), 1u);
    pair->left.prove_consistency(wanted[0].from, wanted[0].to, *other.log->prove_consistency(wanted[0].from), pair->now);
    pair->pump();
    EXPECT_EQ(pair->at_right<Misbehaved>().back().code, "log_forked");
    ASSERT_TRUE(bolt.logs.evidence("acme"));
    EXPECT_EQ(*bolt.logs.evidence("acme"), std::pair(log.note(), other.note())) << "proof for whoever has the charter";
}

TEST_F(WatchedSessionTest, tells_its_own_checkpoint_at_the_greeting_and_when_it_changed) {
    log.append();
    acme.shared.checkpoint = log.note();
    sample::Pair again(acme, bolt);
    EXPECT_EQ(*bolt.logs.latest("acme"), log.note());
    log.append();
    acme.shared.checkpoint = log.note();
    again.wait(30s);
    ASSERT_EQ(again.at_left<ConsistencyWanted>().size(), 1u);
    EXPECT_EQ(bolt.logs.question("acme")->to, 2u);
    const auto news = again.at_right<LogNews>().size();
    again.wait(31s);
    EXPECT_EQ(again.at_right<LogNews>().size(), news) << "what did not change is not told again";
}

TEST_F(LogWatchTest, keeps_what_it_saw_over_a_restart) {
    char folder[] = "/tmp/hanse-log-files-XXXXXX";
    ASSERT_TRUE(mkdtemp(folder));
    log.append();
    EXPECT_EQ(take(log.note()), News::proven);
    LogFiles(Home{folder}).remember(watch);
    LogWatch after;
    LogFiles(Home{folder}).recall(after, charter);
    ASSERT_TRUE(after.latest("acme"));
    EXPECT_EQ(*after.latest("acme"), log.note());
    other.append();
    EXPECT_EQ(after.take("acme", other.note(), charter), News::forked);
    EXPECT_TRUE(LogFiles(Home{folder}).keep_evidence("acme", *after.evidence("acme")));
    LogWatch later;
    LogFiles(Home{folder}).recall(later, charter);
    ASSERT_TRUE(later.evidence("acme"));
    EXPECT_EQ(*later.evidence("acme"), *after.evidence("acme"));
    std::filesystem::remove_all(folder);
}

TEST_F(LogWatchTest, takes_a_receipt_only_for_the_task_that_it_is_of) {
    TaskKey key{};
    key[0] = std::byte{1};
    const auto id = log.append(key, "bolt");
    const auto receipt = log.receipt(id);
    const auto good = check_far_receipt(charter, "acme", "bolt", key, receipt);
    ASSERT_TRUE(good) << good.error().message;
    EXPECT_EQ(good->id, journal::text_of(id));
    TaskKey another = key;
    another[1] = std::byte{1};
    EXPECT_FALSE(check_far_receipt(charter, "acme", "bolt", another, receipt)) << "replayed for another task";
    EXPECT_FALSE(check_far_receipt(charter, "acme", "clinic", key, receipt)) << "replayed for another member";
    EXPECT_FALSE(check_far_receipt(charter, "bolt", "bolt", key, receipt)) << "of another's log";
    std::string changed = receipt;
    changed[changed.find("extra ") + 60] ^= 1;
    EXPECT_FALSE(check_far_receipt(charter, "acme", "bolt", key, changed));
    EXPECT_FALSE(check_far_receipt(charter, "acme", "bolt", key, ""));
}

TEST_F(LogWatchTest, takes_a_receipt_of_each_log_of_a_member_with_all_keys_of_that_log) {
    const TaskKey key{};
    const auto receipt = log.receipt(log.append(key, "bolt"));
    auto& keys = charter.members[0].log_keys;
    const auto own = keys;
    base::SeededRandom random(9);
    crypto::Secret secret(crypto::SigningKey::seed_size);
    random.fill(secret.fill());
    const auto signer = crypto::SigningKey::from_seed(crypto::Algorithm::ed25519, secret);
    const auto second = journal::NoteVerifier::from_key("acme.example/second", journal::NoteType::ed25519, signer->public_key());
    keys.insert(keys.begin(), second->vkey());
    EXPECT_TRUE(check_far_receipt(charter, "acme", "bolt", key, receipt));
    keys = {second->vkey()};
    EXPECT_FALSE(check_far_receipt(charter, "acme", "bolt", key, receipt)) << "no key of its log is known";
    const auto foreign = journal::NoteVerifier::from_key("acme.example/log", journal::NoteType::ed25519, signer->public_key());
    keys = own;
    keys.push_back(foreign->vkey());
    EXPECT_FALSE(check_far_receipt(charter, "acme", "bolt", key, receipt)) << "one of its keys has not signed";
}

}  // namespace
}  // namespace hanse::federation
