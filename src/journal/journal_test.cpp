// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <gtest/gtest.h>
#include <future>
#include <set>
#include <thread>

#include "base/sim_disk.hpp"
#include "journal/check.hpp"
#include "journal/cose_receipt.hpp"
#include "journal/receipt.hpp"
#include "journal/witness.hpp"
#include "journal/witness_dialogue.hpp"
#include "sample_log.hpp"
#include "sample_witness.hpp"

namespace hanse::journal {
namespace {

// One sequence of numbers for many threads.
class SharedRandom final : public base::Random {
public:
    void fill(std::span<std::byte> out) override {
        const std::lock_guard lock(mutex_);
        seeded_.fill(out);
    }

private:
    std::mutex mutex_;
    base::SeededRandom seeded_{9};
};

// Asks on this thread and waits.
template <typename T>
T waited(const std::function<void(std::function<void(T)>)>& ask) {
    std::promise<T> promise;
    ask([&](T value) { promise.set_value(std::move(value)); });
    return promise.get_future().get();
}

struct JournalTest : testing::Test {
    base::Result<std::unique_ptr<Journal>> open() {
        return Journal::open({.disk = disk,
                              .random = random,
                              .clock = clock,
                              .log = base::silent_log(),
                              .keys = sample_keys(),
                              .folder = "/journal",
                              .options = {.publish_every = std::chrono::milliseconds(0), .seal_every = 2'000},
                              .policy = policy});
    }
    static base::Result<std::uint64_t> recorded(Journal& journal, const RecordId& id, const CanonicalObject& fields = {}) {
        return waited<base::Result<std::uint64_t>>([&](auto done) { journal.append(id, "start", fields, done); });
    }
    static base::Result<std::string> receipt(Journal& journal, const RecordId& id) {
        return waited<base::Result<std::string>>([&](auto done) { journal.receipt(id, done); });
    }
    // One round with each witness, as a node does it over the network.
    std::size_t witness(Journal& journal) {
        const Note note = journal.published();
        const auto checkpoint = Checkpoint::parse(note.text);
        Note signed_note = note;
        for (std::size_t i = 0; i < witnesses.size(); ++i) {
            if (!witnesses[i] || !dialogues[i].wants(*checkpoint)) continue;
            for (int attempt = 0; attempt < 2; ++attempt) {
                const auto proof = waited<base::Result<std::vector<Hash>>>(
                    [&](auto done) { journal.consistency(dialogues[i].old_size(), checkpoint->size, done); });
                if (!proof) break;
                const auto answer = witnesses[i]->add_checkpoint(dialogues[i].body_for(note, *proof), sample_time());
                const auto heard = dialogues[i].heard(note, answer.status(), answer.content_type(), answer.body);
                EXPECT_FALSE(heard.accused);
                signed_note.signatures.insert(signed_note.signatures.end(), heard.cosignatures.begin(), heard.cosignatures.end());
                if (!heard.again) break;
            }
        }
        const std::size_t cosignatures = signed_note.signatures.size() - note.signatures.size();
        (void)waited<base::Result<void>>([&](auto done) { journal.add_cosignatures(signed_note, done); });
        return cosignatures;
    }
    void make_witnesses(std::size_t count, std::size_t needed) {
        std::vector<WitnessKeys> keys;
        for (std::size_t i = 0; i < count; ++i) keys.push_back(sample_witness_keys(40 + i, std::format("w{}.example", i)));
        policy = sample_policy(sample_keys().verifiers(), keys, needed);
        for (std::size_t i = 0; i < count; ++i) {
            dialogues.emplace_back(keys[i].verifiers());
            witnesses.push_back(open_witness(i));
        }
    }
    std::unique_ptr<Witness> open_witness(std::size_t i) {
        auto opened = Witness::open(
            {witness_disk, sample_witness_keys(40 + i, std::format("w{}.example", i)), verifiers, std::format("/witness{}", i)});
        return opened ? std::move(*opened) : nullptr;
    }

    base::SimDisk disk;
    base::SimDisk witness_disk;
    SharedRandom random;
    base::SystemClock clock;
    std::vector<NoteVerifier> verifiers = sample_keys().verifiers();
    std::optional<WitnessPolicy> policy;
    std::vector<std::unique_ptr<Witness>> witnesses;
    std::vector<WitnessDialogue> dialogues;
};

TEST_F(JournalTest, gives_receipts_that_meet_the_policy_once_witnesses_have_signed) {
    make_witnesses(3, 2);
    auto journal = *open();
    const RecordId id = journal->new_id();
    ASSERT_TRUE(recorded(*journal, id));
    auto read = judge_receipt(*receipt(*journal, id), *policy);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->policy->log);
    EXPECT_FALSE(read->policy->met());
    EXPECT_EQ(read->policy->missing.size(), 6U);

    witnesses[2].reset();  // out of reach
    EXPECT_EQ(witness(*journal), 4U);
    EXPECT_EQ(journal->figures().witnessed, 1U);
    ASSERT_TRUE(recorded(*journal, journal->new_id()));
    read = judge_receipt(*receipt(*journal, id), *policy);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->policy->met());
    EXPECT_EQ(read->policy->cosigned.size(), 4U);
    EXPECT_EQ(read->checkpoint.size, 1U);  // the witnessed tree, not the younger one
    EXPECT_EQ(read->signers.size(), 6U);

    // After a restart, too.
    journal.reset();
    journal = *open();
    EXPECT_TRUE(judge_receipt(*receipt(*journal, id), *policy)->policy->met());
    EXPECT_EQ(journal->figures().witnessed, 1U);
}

TEST_F(JournalTest, takes_no_cosignature_that_is_wrong_or_of_another_tree) {
    make_witnesses(1, 1);
    auto journal = *open();
    ASSERT_TRUE(recorded(*journal, journal->new_id()));
    while (Checkpoint::parse(journal->published().text)->size < 1) std::this_thread::yield();
    const auto add = [&](Note note) { return waited<base::Result<void>>([&](auto done) { journal->add_cosignatures(note, done); }); };
    Note note = journal->published();
    Checkpoint other = *Checkpoint::parse(note.text);
    other.root = empty_root();
    EXPECT_EQ(add({other.text(), *sample_witness_keys(40, "w0.example").sign(other, 5)}).error().kind, base::ErrorKind::invalid);
    other.size = 99;
    EXPECT_FALSE(add({other.text(), *sample_witness_keys(40, "w0.example").sign(other, 5)}));
    auto lines = *sample_witness_keys(40, "w0.example").sign(*Checkpoint::parse(note.text), 5);
    lines[0].bytes[9] ^= std::byte{1};
    EXPECT_EQ(add({note.text, lines}).error().kind, base::ErrorKind::denied);
    EXPECT_EQ(journal->figures().witnessed, 0U);
    EXPECT_TRUE(add({note.text, *sample_witness_keys(1, "stranger").sign(*Checkpoint::parse(note.text), 5)}));
    EXPECT_EQ(journal->figures().witnessed, 0U);
    EXPECT_EQ(witness(*journal), 2U);
    EXPECT_EQ(journal->figures().witnessed, 1U);
}

TEST_F(JournalTest, gives_the_same_place_as_a_cose_receipt) {
    auto journal = *open();
    std::vector<RecordId> ids;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(recorded(*journal, ids.emplace_back(journal->new_id())));
    for (const auto algorithm : {crypto::Algorithm::ed25519, crypto::Algorithm::ml_dsa_44}) {
        const auto bytes = waited<base::Result<base::Bytes>>([&](auto done) { journal->cose_receipt(ids[3], algorithm, done); });
        ASSERT_TRUE(bytes) << bytes.error().message;
        const auto proof = LogProof::parse(*receipt(*journal, ids[3]));
        Salt salt{};
        std::copy_n(proof->extra->begin() + 1, salt.size(), salt.begin());
        const std::string text(reinterpret_cast<const char*>(proof->extra->data()) + 33, proof->extra->size() - 33);
        const auto read = read_cose_receipt(*bytes, log_entry(commitment_of(salt, text)), verifiers);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->index, 3U);
    }
    EXPECT_FALSE(waited<base::Result<base::Bytes>>([&](auto done) { journal->cose_receipt(ids[3], crypto::Algorithm::ml_dsa_65, done); }));
}

// Node and witness lose power 2,000 times between them, at any change of their disks, with writers, publication and
// cosigning under way. Then: each acknowledged record is there, once; every checkpoint that was shown or co-signed is a
// beginning of the log; no receipt that was given stops being true; no witness was made to accuse the log.
TEST_F(JournalTest, survives_two_thousand_power_cuts_with_its_witnesses) {
    make_witnesses(2, 2);
    base::SeededRandom chance(1604);
    std::set<std::string> acknowledged;
    std::vector<std::string> receipts;
    std::vector<Checkpoint> shown;
    std::uint64_t witnessed = 0;
    std::uint64_t next = 0;
    int cuts = 0;
    int met = 0;
    while (cuts < 2000) {
        const bool witness_falls = chance.next() % 4 == 0;
        (witness_falls ? witness_disk : disk).cut_power_after(1 + chance.next() % 90);
        auto opened = open();
        if (!opened) {
            ASSERT_FALSE(disk.has_power()) << opened.error().message;
        }
        for (std::size_t i = 0; i < witnesses.size(); ++i)
            if (!witnesses[i]) witnesses[i] = open_witness(i);
        while (opened && disk.has_power() && witness_disk.has_power()) {
            Journal& journal = **opened;
            if (!journal.ready()) break;
            const std::size_t count = 1 + chance.next() % 6;
            std::vector<std::promise<bool>> done(count);
            std::vector<RecordId> ids;
            std::vector<std::string> marks;
            for (std::size_t i = 0; i < count; ++i) {
                CanonicalObject fields;
                fields.number("n", next);
                marks.push_back(std::format("\"n\":{},", next++));
                journal.append(ids.emplace_back(journal.new_id()), "start", fields,
                               [&done, i](const base::Result<std::uint64_t>& index) { done[i].set_value(index.has_value()); });
            }
            for (std::size_t i = 0; i < count; ++i)
                if (done[i].get_future().get()) acknowledged.insert(marks[i]);
            if (chance.next() % 3 == 0) witness(journal);
            ASSERT_GE(journal.figures().witnessed + (journal.ready() ? 0 : UINT32_MAX), witnessed);
            if (journal.ready()) witnessed = journal.figures().witnessed;
            if (chance.next() % 5 == 0)
                if (const auto text = receipt(journal, ids[0])) receipts.push_back(*text);
            if (const auto note = journal.published(); !note.signatures.empty()) shown.push_back(*Checkpoint::parse(note.text));
        }
        opened = base::fail(base::ErrorKind::cancelled, "");
        if (!disk.has_power()) {
            disk.restart(chance);
            ++cuts;
        }
        if (!witness_disk.has_power()) {
            for (auto& each : witnesses) each.reset();
            witness_disk.restart(chance);
            ++cuts;
        }
        if (cuts % 100 != 0 && cuts < 2000) continue;
        // Everything is looked at, and what was looked at need not be kept.
        const LogKeys keys = sample_keys();
        auto whole = Log::open({.disk = disk, .random = random, .keys = keys, .folder = "/journal", .policy = &*policy}, sample_time());
        ASSERT_TRUE(whole) << whole.error().message;
        for (const Checkpoint& checkpoint : shown)
            ASSERT_TRUE(verifies_consistency(checkpoint.size, (*whole)->published().size, *(*whole)->prove_consistency(checkpoint.size),
                                             checkpoint.root, (*whole)->published().root))
                << cuts;
        for (const std::string& text : receipts) {
            const auto read = judge_receipt(text, *policy);
            ASSERT_TRUE(read) << read.error().message;
            met += read->policy->met() ? 1 : 0;
            ASSERT_TRUE(verifies_consistency(read->checkpoint.size, (*whole)->published().size,
                                             *(*whole)->prove_consistency(read->checkpoint.size), read->checkpoint.root,
                                             (*whole)->published().root));
        }
        shown.clear();
        receipts.clear();
        whole->reset();
        const auto report = check_log(disk, "/journal", verifiers);
        ASSERT_TRUE(report.sound()) << cuts << " " << report.problems[0].place << ": " << report.problems[0].sentence;
    }
    std::multiset<std::string> found;
    RecordStore records(disk, random, "/journal/records");
    ASSERT_TRUE(records.scan(0, [&](const StoredRecord& record) {
        const auto begin = record.text.find("\"n\":");
        if (begin != record.text.npos) found.insert(record.text.substr(begin, record.text.find(',', begin) + 1 - begin));
    }));
    for (const std::string& mark : acknowledged) ASSERT_EQ(found.count(mark), 1U) << mark;
    for (auto at = found.begin(); at != found.end(); at = found.upper_bound(*at)) ASSERT_EQ(found.count(*at), 1U) << *at;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
        witnesses[i] = open_witness(i);
        ASSERT_TRUE(witnesses[i]);
        EXPECT_TRUE(witnesses[i]->evidence()->empty());
    }
    EXPECT_GT(acknowledged.size(), 5'000U);
    EXPECT_GT(met, 10);
}

}  // namespace
}  // namespace hanse::journal
