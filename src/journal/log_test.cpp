// SPDX-License-Identifier: Apache-2.0
#include "journal/log.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/sim_disk.hpp"
#include "journal/check.hpp"
#include "sample_log.hpp"
#include "sample_witness.hpp"

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

// A disk on which somebody else is writing: files of records end where they ended, until the folder is listed for the first time.
class WrittenMeanwhile final : public base::Disk {
public:
    WrittenMeanwhile(base::Disk& disk, std::uint64_t end) : disk_(disk), end_(end) {}
    base::Result<std::unique_ptr<base::File>> open(const std::filesystem::path& path, Open how) override {
        auto file = disk_.open(path, how);
        if (file && path.parent_path().filename() == "records") return std::make_unique<Shorter>(std::move(*file), end_);
        return file;
    }
    base::Result<void> make_folder(const std::filesystem::path& path) override { return disk_.make_folder(path); }
    base::Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        return disk_.rename(from, to);
    }
    base::Result<void> remove(const std::filesystem::path& path) override { return disk_.remove(path); }
    base::Result<std::vector<std::string>> list(const std::filesystem::path& folder) override {
        if (folder.filename() == "records") end_ = UINT64_MAX;
        return disk_.list(folder);
    }
    base::Result<void> sync_folder(const std::filesystem::path& folder) override { return disk_.sync_folder(folder); }
    base::Result<void> sync_all(const std::filesystem::path& folder) override { return disk_.sync_all(folder); }

private:
    class Shorter final : public base::File {
    public:
        Shorter(std::unique_ptr<base::File> file, const std::uint64_t& end) : file_(std::move(file)), end_(end) {}
        base::Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
            const std::uint64_t left = end_ > offset ? end_ - offset : 0;
            return file_->read(offset, out.first(std::min<std::uint64_t>(out.size(), left)));
        }
        base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override { return file_->write(offset, bytes); }
        base::Result<std::uint64_t> size() override { return file_->size(); }
        base::Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
        base::Result<void> sync() override { return file_->sync(); }

    private:
        std::unique_ptr<base::File> file_;
        const std::uint64_t& end_;
    };
    base::Disk& disk_;
    std::uint64_t end_;
};

TEST_F(LogTest, a_check_beside_a_writer_does_not_call_a_batch_damaged_that_was_half_written_when_it_looked) {
    const auto written = [&] { return disk.read_whole("/journal/records/0000000000", 1 << 24)->size(); };
    std::uint64_t checkpoint_end = 0;
    {
        auto log = open();
        ASSERT_TRUE(log->append(sample_records(0, 10)));
        ASSERT_TRUE(log->publish(sample_time()));
        checkpoint_end = written();
        for (const std::uint64_t first : {10, 20, 30}) ASSERT_TRUE(log->append(sample_records(first, 10)));
    }
    const std::uint64_t size = written();
    for (std::uint64_t end = checkpoint_end; end < size; end += 64) {
        WrittenMeanwhile meanwhile(disk, end);
        const auto report = check_log(meanwhile, "/journal", verifiers);
        EXPECT_TRUE(report.sound()) << end << " " << report.problems[0].place << ": " << report.problems[0].sentence;
        EXPECT_GE(report.records, 30U);
    }
    // What is damaged stays so however often one looks.
    disk.flip("/journal/records/0000000000", checkpoint_end + 60, 2);
    WrittenMeanwhile meanwhile(disk, checkpoint_end);
    EXPECT_FALSE(check_log(meanwhile, "/journal", verifiers).sound());
}

TEST_F(LogTest, refuses_keys_of_another_log) {
    open();
    const auto other = sample_keys(12);
    EXPECT_EQ(Log::open({disk, random, other, "/journal"}, sample_time()).error().kind, base::ErrorKind::corrupt);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t tamper_step = 37;  // ten times slower: a part of the bytes there, all of them in the release
#else
constexpr std::uint64_t tamper_step = 1;
#endif

// Every byte of every file, one after the other; each must be found, and the place be named.
struct TamperTest : LogTest {
    void every_byte(const WitnessPolicy* policy, std::uint64_t at_least, const std::function<bool(const std::filesystem::path&)>& wanted,
                    std::uint64_t step = 1) {
        const auto look = [&] { return check_log(disk, "/journal", verifiers, {}, policy); };
        ASSERT_TRUE(look().sound()) << look().problems[0].place << ": " << look().problems[0].sentence;
        std::uint64_t changed = 0;
        for (const auto& path : disk.files()) {
            if (!wanted(path)) continue;
            const std::uint64_t size = disk.read_whole(path, 1 << 24)->size();
            const std::string file = path.lexically_relative("/journal").string();
            const bool record = file.starts_with("records/");
            for (std::uint64_t at = 0; at < size; at += tamper_step * step) {
                disk.flip(path, at, static_cast<unsigned>(at % 8));
                const auto report = look();
                disk.flip(path, at, static_cast<unsigned>(at % 8));
                ASSERT_FALSE(report.sound()) << path << " at " << at;
                const bool named = std::ranges::any_of(
                    report.problems, [&](const Problem& each) { return (each.place + each.sentence).contains(record ? "record" : file); });
                ASSERT_TRUE(named) << path << " at " << at << ": " << report.problems[0].place << " " << report.problems[0].sentence;
                ++changed;
            }
        }
        EXPECT_GE(changed, at_least / tamper_step);
        std::printf("%llu changed bytes, each found with its place\n", static_cast<unsigned long long>(changed));
    }
};

TEST_F(TamperTest, check_finds_every_changed_byte_of_tiles_entries_checkpoint_and_seal_and_says_where) {
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
    every_byte(nullptr, 20'000, [](const auto& path) { return !path.string().contains("records"); });
}

TEST_F(TamperTest, check_finds_every_changed_byte_of_records_and_cosignatures) {
    const std::array witnesses{sample_witness_keys(1, "a"), sample_witness_keys(2, "b")};
    const auto policy = sample_policy(verifiers, witnesses, 2);
    {
        auto log = *Log::open({.disk = disk, .random = random, .keys = keys, .folder = "/journal", .policy = &policy}, sample_time());
        ASSERT_TRUE(log->append(sample_records(0, 12)));
        ASSERT_TRUE(log->publish(sample_time()));
        Note note = log->published_note();
        for (const auto& witness : witnesses)
            for (const auto& line : *witness.sign(log->published(), 1'700'000'000)) note.signatures.push_back(line);
        ASSERT_TRUE(log->add_cosignatures(note));
        EXPECT_EQ(log->witnessed_size(), 12U);
        ASSERT_TRUE(log->append(sample_records(12, 4)));
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->erase(5));
    }
    every_byte(&policy, 15'000, [](const auto&) { return true; });
}

// A log of 8,200 records with the first half gone.
TEST_F(TamperTest, check_finds_every_changed_byte_that_counts_where_records_were_pruned) {
    {
        auto log = open();
        for (std::uint64_t i = 0; i < 8'200; i += 410) ASSERT_TRUE(log->append(sample_records(i, 410)));
        ASSERT_TRUE(log->publish(sample_time()));
        ASSERT_TRUE(log->prune(5'000, *Retention::create(std::chrono::days(200))));
    }
    ASSERT_EQ(problems(), "");
    // A check of so many records takes milliseconds, and there are two million bytes: each of what says so, and of every other
    // file those that a prime apart hits. The ways that find them are those of above.
    every_byte(nullptr, 100, [](const auto& path) { return path.filename() == "pruned"; });
    // The last file of records ends in zeros that were made ahead, which say nothing.
    const auto full = [](const std::filesystem::path& path) {
        return path.filename() != "pruned" && path.filename() != "ahead" && path.filename() != "0000000002";
    };
    every_byte(nullptr, 2'000, full, 1'009);
}

TEST_F(LogTest, prunes_old_records_and_every_proof_of_what_is_left_holds) {
    Checkpoint early;
    Checkpoint late;
    {
        auto log = open();
        for (std::uint64_t i = 0; i < 9'000; i += 500) {
            ASSERT_TRUE(log->append(sample_records(i, 500)));
            if (i == 5'000) {
                ASSERT_TRUE(log->publish(sample_time()));
                early = log->published();
            }
        }
        ASSERT_TRUE(log->publish(sample_time()));
        late = log->published();
        EXPECT_FALSE(Retention::create(std::chrono::days(183)));
        const auto retention = *Retention::create(std::chrono::days(400));
        EXPECT_EQ(*log->first_after(sample_record(5'000).time_ms), 4'096U);
        EXPECT_EQ(*log->first_after(0), 0U);
        EXPECT_FALSE(log->prune(9'500, retention));
        ASSERT_TRUE(log->prune(5'000, retention));
        EXPECT_EQ(log->minimum(), 4'096U);
        EXPECT_EQ(log->read(17).error().code, "receipt_pruned");
        EXPECT_EQ(log->find(sample_record(17).id).error().kind, base::ErrorKind::not_found);
        EXPECT_EQ(log->find(sample_record(8'999).id)->index, 8'999U);
    }
    for (const auto& path : disk.files()) {
        EXPECT_FALSE(path.string().ends_with("records/0000000000")) << "a salt is left";
        EXPECT_FALSE(path.string().ends_with("tile/entries/015"));
    }
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(check().pruned, 4'096U);
    // Opened again, also where the seal was lost.
    for (const bool without_seal : {false, true}) {
        if (without_seal) {
            ASSERT_TRUE(disk.remove("/journal/sealed"));
        }
        auto log = open();
        ASSERT_TRUE(log);
        EXPECT_EQ(log->published(), late);
        EXPECT_EQ(log->minimum(), 4'096U);
        for (const std::uint64_t index : {4'096, 4'097, 8'191, 8'999}) {
            const auto proof = log->prove(index, {});
            ASSERT_TRUE(proof);
            EXPECT_TRUE(verifies_inclusion(leaf_hash(log_entry(log->read(index)->commitment)), index, late.size, proof->hashes, late.root));
        }
        EXPECT_TRUE(verifies_consistency(early.size, late.size, *log->prove_consistency(early.size), early.root, late.root));
        EXPECT_EQ(problems(), "");
    }
    auto log = open();
    EXPECT_EQ(*log->append(sample_records(9'000, 3)), 9'000U);
}

TEST_F(LogTest, is_signed_anew_after_its_keys_were_replaced) {
    open();
    const auto fresh = sample_keys(12);
    auto log = Log::open({.disk = disk, .random = random, .keys = fresh, .folder = "/journal", .former = keys.verifiers()}, sample_time());
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->append(sample_records(0, 3)));
    ASSERT_TRUE((*log)->publish(sample_time()));
    EXPECT_TRUE(check_log(disk, "/journal", fresh.verifiers()).sound());
    EXPECT_FALSE(check_log(disk, "/journal", keys.verifiers()).sound());
}

TEST_F(LogTest, finds_records_by_its_index_and_without_it) {
    auto log = open();
    for (std::uint64_t i = 0; i < 9'000; i += 600) ASSERT_TRUE(log->append(sample_records(i, 600)));
    ASSERT_TRUE(log->publish(sample_time()));
    log.reset();
    const auto all_are_there = [&] {
        auto again = open();
        for (const std::uint64_t n : {0, 1, 4'095, 4'096, 5'000, 8'191, 8'192, 8'999}) {
            EXPECT_EQ(again->find(sample_record(n).id)->index, n);
            EXPECT_EQ(again->read(n)->text, sample_record(n).text);
        }
    };
    all_are_there();
    EXPECT_EQ(problems(), "");
    disk.flip("/journal/records/0000000000.index", 40'000, 3);
    EXPECT_TRUE(problems().contains("records/0000000000.index")) << problems();
    all_are_there();  // mended on the way
    EXPECT_EQ(problems(), "");
    ASSERT_TRUE(disk.remove("/journal/records/0000000001.index"));
    all_are_there();
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

// Of zeros, while the file before it fills; see record_store.cpp.
TEST_F(LogTest, goes_on_in_a_file_that_was_made_ahead_whenever_the_power_goes) {
    const auto has_ahead = [](base::SimDisk& at) { return at.read_whole("/journal/records/ahead", 1 << 24).has_value(); };
    bool went_over = false;
    for (std::uint64_t operations = 1; !went_over; ++operations) {
        base::SimDisk fresh;
        std::uint64_t acknowledged = 4'000;
        {
            auto log = *Log::open({fresh, random, keys, "/journal"}, sample_time());
            for (std::uint64_t i = 0; i < acknowledged; i += 100) ASSERT_TRUE(log->append(sample_records(i, 100)));
            ASSERT_TRUE(has_ahead(fresh));
            fresh.cut_power_after(operations);
            while (acknowledged < 4'300 && log->append(sample_records(acknowledged, 60))) acknowledged += 60;
            went_over = acknowledged >= 4'300;
            if (went_over) {
                EXPECT_FALSE(has_ahead(fresh));
                EXPECT_GT(fresh.read_whole("/journal/records/0000000001", 1 << 24)->size(), std::uint64_t{1} << 20);
            }
        }
        fresh.restart(random);
        auto log = Log::open({fresh, random, keys, "/journal"}, sample_time());
        ASSERT_TRUE(log) << operations << ": " << log.error().message;
        EXPECT_FALSE(has_ahead(fresh));
        ASSERT_GE((*log)->size(), acknowledged) << operations;
        for (std::uint64_t i = 3'990; i < (*log)->size(); ++i) ASSERT_EQ((*log)->read(i)->text, sample_record(i).text) << operations;
        const auto report = check_log(fresh, "/journal", verifiers);
        EXPECT_TRUE(report.sound()) << operations << ": " << report.problems[0].place << " " << report.problems[0].sentence;
    }
}

}  // namespace
}  // namespace hanse::journal
