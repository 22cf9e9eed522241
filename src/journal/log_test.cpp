// SPDX-License-Identifier: Apache-2.0
#include "journal/log.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/sim_disk.hpp"
#include "journal/check.hpp"
#include "sample_log.hpp"

namespace hanse::journal {
namespace {

struct LogTest : testing::Test {
    std::unique_ptr<Log> open(std::uint64_t seal_every = 65'536) {
        auto log = Log::open({disk, random, keys, "/journal", seal_every}, sample_time());
        if (!log) ADD_FAILURE() << log.error().message;
        return log ? std::move(*log) : nullptr;
    }
    CheckReport check() { return check_log(disk, "/journal", verifiers); }
    std::string problems() {
        std::string all;
        for (const Problem& problem : check().problems) all += problem.place + ": " + problem.sentence + "\n";
        return all;
    }

    base::SimDisk disk;
    base::SeededRandom random{5};
    LogKeys keys = sample_keys();
    std::vector<NoteVerifier> verifiers = keys.verifiers();
};

TEST_F(LogTest, is_published_empty_and_grows) {
    auto log = open();
    EXPECT_EQ(log->published().size, 0U);
    EXPECT_EQ(*log->append(sample_records(0, 3)), 0U);
    EXPECT_EQ(*log->append(sample_records(3, 300)), 3U);
    EXPECT_EQ(log->published().size, 0U);
    ASSERT_TRUE(log->publish(sample_time()));
    EXPECT_EQ(log->published().size, 303U);
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(check().records, 303U);
    EXPECT_EQ(check().signed_by.size(), 2U);
}

TEST_F(LogTest, gives_proofs_that_verify_from_nothing_but_the_proof_and_the_keys) {
    auto log = open();
    ASSERT_TRUE(log->append(sample_records(0, 700)));
    ASSERT_TRUE(log->publish(sample_time()));
    ASSERT_TRUE(log->append(sample_records(700, 100)));  // younger than the checkpoint
    for (const std::uint64_t index : {0, 255, 256, 511, 512, 699}) {
        const auto record = log->read(index);
        const auto proof = LogProof::parse(log->prove(index, {})->text());
        const auto note = Note::parse(proof->checkpoint);
        EXPECT_EQ(endorsements(*note, verifiers)->size(), 2U);
        const auto checkpoint = Checkpoint::parse(note->text);
        EXPECT_TRUE(verifies_inclusion(leaf_hash(log_entry(commitment_of(record->salt, record->text))), index, checkpoint->size,
                                       proof->hashes, checkpoint->root));
    }
    EXPECT_EQ(log->prove(700, {}).error().kind, base::ErrorKind::invalid);
}

TEST_F(LogTest, is_the_same_after_it_was_opened_again) {
    Checkpoint before;
    {
        auto log = open(1000);
        for (int i = 0; i < 9; ++i) ASSERT_TRUE(log->append(sample_records(static_cast<std::uint64_t>(i) * 500, 500)));
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->append(sample_records(4500, 7)));
        before = log->published();
    }
    auto log = open(1000);
    EXPECT_EQ(log->size(), 4507U);
    EXPECT_TRUE(verifies_consistency(before.size, 4507, *log->prove_consistency(before.size), before.root, log->published().root));
    EXPECT_EQ(problems(), "");
    for (const std::uint64_t n : {0, 255, 256, 4095, 4096, 4506}) {
        EXPECT_EQ(log->read(n)->text, sample_record(n).text);
        EXPECT_EQ(log->find(sample_record(n).id)->index, n);
    }
    EXPECT_EQ(log->find(RecordId{}).error().kind, base::ErrorKind::not_found);
    EXPECT_EQ(log->find(sample_record(9999).id).error().kind, base::ErrorKind::not_found);
}

TEST_F(LogTest, refuses_a_full_disk_changes_nothing_and_goes_on_when_there_is_room) {
    auto log = open();
    ASSERT_TRUE(log->append(sample_records(0, 10)));
    disk.limit(20'000);
    const auto full = log->append(sample_records(10, 200));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, "disk_full");
    EXPECT_EQ(log->size(), 10U);
    EXPECT_TRUE(log->usable());
    disk.limit(1 << 30);
    EXPECT_EQ(*log->append(sample_records(10, 200)), 10U);
    ASSERT_TRUE(log->publish(sample_time()));
    EXPECT_EQ(problems(), "");
}

TEST_F(LogTest, stops_after_a_failed_sync_until_it_is_opened_again) {
    auto log = open();
    ASSERT_TRUE(log->append(sample_records(0, 10)));
    disk.fail_next_sync();
    EXPECT_FALSE(log->append(sample_records(10, 1)));
    EXPECT_FALSE(log->usable());
    EXPECT_EQ(log->append(sample_records(10, 1)).error().code, "journal_stopped");
    log.reset();
    log = open();
    EXPECT_EQ(log->size(), 10U);
    EXPECT_EQ(*log->append(sample_records(10, 1)), 10U);
}

TEST_F(LogTest, forgets_an_erased_record_and_stays_whole) {
    auto log = open();
    ASSERT_TRUE(log->append(sample_records(0, 300)));
    ASSERT_TRUE(log->publish(sample_time()));
    const auto before = log->published();
    ASSERT_TRUE(log->erase(77));
    EXPECT_TRUE(log->read(77)->erased);
    EXPECT_EQ(log->read(77)->text, "");
    EXPECT_EQ(log->read(77)->salt, Salt{});
    EXPECT_EQ(log->read(78)->text, sample_record(78).text);
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(check().erased, 1U);
    log.reset();
    EXPECT_EQ(open()->published(), before);
}

TEST_F(LogTest, refuses_to_open_where_durable_records_are_gone) {
    {
        auto log = open();
        ASSERT_TRUE(log->append(sample_records(0, 300)));
        ASSERT_TRUE(log->publish(sample_time()));
    }
    ASSERT_TRUE((*disk.open("/journal/records/0000000000", base::Disk::Open::existing))->truncate(128 * 40));
    const auto log = Log::open({disk, random, keys, "/journal"}, sample_time());
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().kind, base::ErrorKind::corrupt);
    EXPECT_TRUE(log.error().message.contains("300 should be")) << log.error().message;
}

TEST_F(LogTest, refuses_keys_of_another_log) {
    open();
    const auto other = sample_keys(12);
    EXPECT_EQ(Log::open({disk, random, other, "/journal"}, sample_time()).error().kind, base::ErrorKind::corrupt);
}

// The bytes of each file, one after the other. Of long files some are left out to keep this in seconds; with
// HANSE_THOROUGH set it is every byte of every tile, bundle, checkpoint and seal.
TEST_F(LogTest, check_finds_every_changed_byte_and_says_where) {
    {
        auto log = open();
        ASSERT_TRUE(log->append(sample_records(0, 5)));
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->append(sample_records(5, 255)));
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->append(sample_records(260, 3)));
        ASSERT_TRUE(log->seal());
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->erase(3));
    }
    ASSERT_EQ(problems(), "");
    std::uint64_t changed = 0;
    const bool thorough = std::getenv("HANSE_THOROUGH") != nullptr;
    for (const auto& path : disk.files()) {
        const std::uint64_t size = disk.read_whole(path, 1 << 24)->size();
        // A record takes hundreds of bytes that are all covered by one commitment.
        const bool records = path.string().contains("records");
        for (std::uint64_t at = 0; at<size; at += at + 300> size ? 1 : records ? 97 : thorough ? 1 : 13) {
            disk.flip(path, at, static_cast<unsigned>(at % 8));
            const auto report = check();
            EXPECT_FALSE(report.sound()) << path << " at " << at;
            const std::string file = path.lexically_relative("/journal").string();
            const bool named = std::ranges::any_of(
                report.problems, [&](const Problem& each) { return (each.place + each.sentence).contains(records ? "record" : file); });
            EXPECT_TRUE(named) << path << " at " << at << ": "
                               << (report.sound() ? "" : report.problems[0].place + " " + report.problems[0].sentence);
            disk.flip(path, at, static_cast<unsigned>(at % 8));
            ++changed;
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(changed, 3'000U);
    EXPECT_EQ(problems(), "");
}

// The power goes 2,000 times, at any change of the disk: what was acknowledged is there, once, and every checkpoint
// that was ever shown is a beginning of the log.
TEST_F(LogTest, survives_two_thousand_power_cuts) {
    base::SeededRandom chance(2026);
    std::vector<std::string> acknowledged;  // by index; empty: not known whether it is there
    std::uint64_t next = 0;
    std::vector<Checkpoint> shown;
    std::uint64_t acknowledged_count = 0;
    for (int kill = 0; kill < 2000; ++kill) {
        if (kill % 2 == 0) disk.cut_power_after(1 + chance.next() % 60);  // every other time in the midst of recovery, too
        auto log = Log::open({disk, random, keys, "/journal", 700}, sample_time());
        if (log && kill % 2 == 1) disk.cut_power_after(1 + chance.next() % 40);
        if (log) {
            ASSERT_GE((*log)->size(), acknowledged.size()) << "kill " << kill;
            acknowledged.resize((*log)->size());  // whole batches that were durable but not acknowledged may be there
            shown.push_back((*log)->published());
        } else {
            ASSERT_FALSE(disk.has_power()) << "kill " << kill << ": " << log.error().message;
        }
        while (disk.has_power() && log) {
            const std::uint64_t count = 1 + chance.next() % (chance.next() % 20 == 0 ? 500 : 9);
            const auto first = (*log)->append(sample_records(next, count));
            if (first) {
                ASSERT_EQ(*first, acknowledged.size());
                for (std::uint64_t i = 0; i < count; ++i) acknowledged.push_back(sample_record(next + i).text);
                acknowledged_count += count;
            }
            next += count;  // never asked for again: whoever got no acknowledgement asks anew, with a new record
            if (chance.next() % 4 == 0 && (*log)->publish(sample_time())) shown.push_back((*log)->published());
            if (chance.next() % 50 == 0) (void)(*log)->seal();
        }
        if (disk.has_power()) continue;
        disk.restart(chance);
        if (kill % 50 != 49) continue;
        auto whole = Log::open({disk, random, keys, "/journal", 700}, sample_time());
        ASSERT_TRUE(whole) << "kill " << kill << ": " << whole.error().message;
        for (const Checkpoint& checkpoint : shown) {
            const auto proof = (*whole)->prove_consistency(checkpoint.size);
            ASSERT_TRUE(proof) << proof.error().message;
            ASSERT_TRUE(
                verifies_consistency(checkpoint.size, (*whole)->published().size, *proof, checkpoint.root, (*whole)->published().root))
                << "kill " << kill;
        }
        shown.clear();
        ASSERT_EQ(problems(), "") << "kill " << kill;
        acknowledged.resize((*whole)->size());
    }
    // At the end each record, once.
    std::vector<std::string> found;
    RecordStore records(disk, random, "/journal/records");
    ASSERT_TRUE(records.scan(0, [&](const StoredRecord& record) { found.push_back(record.text); }));
    ASSERT_GE(found.size(), acknowledged.size());
    std::set<std::string> once;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i < acknowledged.size() && !acknowledged[i].empty()) {
            ASSERT_EQ(found[i], acknowledged[i]) << i;
        }
        ASSERT_TRUE(once.insert(found[i]).second) << i << " is there twice";
    }
    EXPECT_GT(acknowledged_count, 5'000U);
}

}  // namespace
}  // namespace hanse::journal
