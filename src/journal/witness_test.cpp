// SPDX-License-Identifier: Apache-2.0
#include "journal/witness.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/sim_disk.hpp"
#include "journal/witness_dialogue.hpp"
#include "sample_log.hpp"
#include "sample_witness.hpp"

namespace hanse::journal {
namespace {

// A log that exists only as leaves and keys, so that it can show any tree that it likes.
struct FreeLog {
    std::vector<Hash> leaves;
    std::shared_ptr<const LogKeys> keys = std::make_shared<const LogKeys>(sample_keys());

    void grow(std::size_t count, std::string_view flavour = "") {
        for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(base::bytes_of(std::format("{}{}", flavour, leaves.size()))));
    }
    static Hash root_of(std::span<const Hash> part) {
        Frontier tree;
        for (const Hash& leaf : part) tree.append(leaf);
        return tree.root();
    }
    std::string note(std::size_t size) const {
        return keys->sign({keys->origin(), size, root_of(std::span(leaves).first(size))}, 1'700'000'000)->whole();
    }
    std::vector<Hash> proof(std::size_t from, std::size_t to) const {
        const auto read = [&](unsigned level, std::uint64_t index) -> base::Result<Hash> {
            return root_of(std::span(leaves).subspan(index << level, std::size_t{1} << level));
        };
        return *consistency_proof(from, to, read);
    }
    std::string request(std::size_t from, std::size_t to) const { return AddCheckpoint{from, proof(from, to), note(to)}.body(); }
};

struct WitnessTest : testing::Test {
    std::unique_ptr<Witness> open() {
        auto witness = Witness::open({disk, sample_witness_keys(), log.keys->verifiers(), "/witness"});
        if (!witness) ADD_FAILURE() << witness.error().message;
        return witness ? std::move(*witness) : nullptr;
    }
    WitnessAnswer ask(Witness& witness, const std::string& body) { return witness.add_checkpoint(body, sample_time()); }

    base::SimDisk disk;
    FreeLog log;
};

TEST_F(WitnessTest, cosigns_what_grows_and_each_signature_verifies) {
    auto witness = open();
    log.grow(40);
    std::size_t before = 0;
    for (const std::size_t size : {3, 3, 8, 40}) {
        const auto answer = ask(*witness, log.request(before, size));
        ASSERT_EQ(answer.status(), 200U) << answer.body;
        const auto lines = parse_signature_lines(answer.body);
        ASSERT_EQ(lines->size(), 2U);
        const Note note = *Note::parse(log.note(size));
        for (const NoteSignature& line : *lines) {
            const auto keys = witness->keys().verifiers();
            EXPECT_TRUE(
                std::ranges::any_of(keys, [&](const NoteVerifier& key) { return key.verifies(note.text, line) == 1'700'000'000U; }));
        }
        before = size;
    }
    EXPECT_EQ(witness->figures().cosigned, 4U);
}

TEST_F(WitnessTest, answers_with_the_status_that_the_specification_gives) {
    auto witness = open();
    log.grow(20);
    ASSERT_EQ(ask(*witness, log.request(0, 8)).status(), 200U);

    EXPECT_EQ(ask(*witness, "").status(), 400U);
    EXPECT_EQ(ask(*witness, "old 8\n\nno note\n").status(), 400U);
    EXPECT_EQ(ask(*witness, "old 08\n\n" + log.note(8)).status(), 400U);
    EXPECT_EQ(ask(*witness, "old 9\n\n" + log.note(8)).status(), 400U);  // larger than the checkpoint

    FreeLog forged = log;
    forged.keys = std::make_shared<const LogKeys>(sample_keys(99));  // same name, other keys
    EXPECT_EQ(ask(*witness, forged.request(8, 20)).status(), 403U);
    std::string broken = log.request(8, 20);
    char& letter = broken[broken.size() - 40];
    letter = letter == 'A' ? 'B' : 'A';
    EXPECT_EQ(ask(*witness, broken).status(), 403U);

    Checkpoint elsewhere{"elsewhere.example/log", 1, log.leaves[0]};
    EXPECT_EQ(ask(*witness, "old 0\n\n" + log.keys->sign(elsewhere, 1)->whole()).status(), 404U);

    const auto conflict = ask(*witness, log.request(4, 20));
    EXPECT_EQ(conflict.status(), 409U);
    EXPECT_EQ(conflict.content_type(), "text/x.tlog.size");
    EXPECT_EQ(conflict.body, "8\n");

    auto wrong = log.proof(8, 20);
    wrong.pop_back();
    EXPECT_EQ(ask(*witness, AddCheckpoint{8, wrong, log.note(20)}.body()).status(), 422U);
    Checkpoint empty{log.keys->origin(), 0, log.leaves[0]};
    base::SimDisk fresh;
    auto other = *Witness::open({fresh, sample_witness_keys(), log.keys->verifiers(), "/w"});
    EXPECT_EQ(ask(*other, "old 0\n\n" + log.keys->sign(empty, 1)->whole()).status(), 422U);
    EXPECT_EQ(ask(*other, AddCheckpoint{0, {log.leaves[0]}, log.note(3)}.body()).status(), 422U);  // a proof from nothing is empty
    empty.root = empty_root();
    EXPECT_EQ(ask(*other, "old 0\n\n" + log.keys->sign(empty, 1)->whole()).status(), 200U);

    disk.limit(0);
    EXPECT_EQ(ask(*witness, log.request(8, 20)).status(), 500U);
    disk.limit(1 << 30);
    EXPECT_EQ(ask(*witness, log.request(8, 20)).status(), 200U);
}

TEST_F(WitnessTest, keeps_the_proof_of_a_split_view) {
    auto witness = open();
    log.grow(10);
    FreeLog split = log;
    log.grow(5, "for-some-");
    split.grow(5, "for-others-");
    ASSERT_EQ(ask(*witness, log.request(0, 15)).status(), 200U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(*witness, split.request(15, 15)).status(), 422U);  // kept once
    const auto evidence = witness->evidence();
    ASSERT_TRUE(evidence) << evidence.error().message;
    ASSERT_EQ(evidence->size(), 1U);
    EXPECT_TRUE(evidence->front().proven);
    // It convinces anybody who has the log's keys.
    const auto seen = Note::parse(evidence->front().seen);
    const auto offered = Note::parse(AddCheckpoint::parse(evidence->front().offered)->checkpoint);
    const auto verifiers = log.keys->verifiers();
    EXPECT_EQ(endorsements(*seen, verifiers)->size(), 2U);
    EXPECT_EQ(endorsements(*offered, verifiers)->size(), 2U);
    EXPECT_EQ(Checkpoint::parse(seen->text)->size, Checkpoint::parse(offered->text)->size);
    EXPECT_NE(Checkpoint::parse(seen->text)->root, Checkpoint::parse(offered->text)->root);
    EXPECT_EQ(Evidence::parse(evidence->front().text())->text(), evidence->front().text());
    for (const char* bad : {"", "hanse-evidence v1 proven 1 1\na", "hanse-evidence v1 maybe 1 1\nab", "hanse-evidence v2 proven 1 1\nab"})
        EXPECT_FALSE(Evidence::parse(bad)) << bad;
}

TEST_F(WitnessTest, shows_its_latest_checkpoint_by_the_hash_of_the_origin) {
    auto witness = open();
    log.grow(5);
    const std::string hash = base::hex(crypto::sha256(base::bytes_of(log.keys->origin())));
    EXPECT_EQ(witness->checkpoint(hash).error().kind, base::ErrorKind::not_found);
    ASSERT_EQ(ask(*witness, log.request(0, 5)).status(), 200U);
    const auto note = Note::parse(*witness->checkpoint(hash));
    ASSERT_TRUE(note);
    EXPECT_EQ(note->signatures.size(), 4U);  // two of the log, two of the witness
    EXPECT_FALSE(witness->checkpoint(std::string(64, '0')));
}

TEST_F(WitnessTest, never_turns_back_after_a_restart_and_refuses_to_start_with_a_damaged_memory) {
    log.grow(30);
    {
        auto witness = open();
        ASSERT_EQ(ask(*witness, log.request(0, 20)).status(), 200U);
    }
    {
        auto witness = open();
        EXPECT_EQ(ask(*witness, log.request(0, 10)).status(), 409U);
        ASSERT_EQ(ask(*witness, log.request(20, 30)).status(), 200U);
    }
    std::filesystem::path file;
    for (const auto& path : disk.files())
        if (path.filename() == "checkpoint") file = path;
    const std::uint64_t size = disk.read_whole(file, 1 << 20)->size();
    // Our own signatures protect our memory: each byte of text and of them counts.
    const auto note = *Note::parse([&] {
        const auto bytes = *disk.read_whole(file, 1 << 20);
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }());
    int harmless = 0;
    for (std::uint64_t at = 0; at < size; ++at) {
        disk.flip(file, at, 0);
        const auto opened = Witness::open({disk, sample_witness_keys(), log.keys->verifiers(), "/witness"});
        if (opened) ++harmless;
        disk.flip(file, at, 0);
    }
    // What may change unseen is what makes another signature a stranger's: names and key ids of lines, the log's own lines.
    std::size_t strangers = 0;
    for (const NoteSignature& signature : note.signatures) strangers += signature.line().size();
    EXPECT_LT(static_cast<std::size_t>(harmless), strangers);
    for (std::uint64_t at = 0; at < note.text.size(); ++at) {
        disk.flip(file, at, 0);
        EXPECT_FALSE(Witness::open({disk, sample_witness_keys(), log.keys->verifiers(), "/witness"})) << at;
        disk.flip(file, at, 0);
    }
}

// The power goes at any step; what was answered is never contradicted afterwards.
TEST_F(WitnessTest, survives_two_thousand_power_cuts_without_signing_two_views) {
    base::SeededRandom chance(7);
    log.grow(400);
    FreeLog split;
    split.grow(400, "other");
    std::uint64_t answered = 0;
    int cosigned = 0;
    for (int kill = 0; kill < 2000; ++kill) {
        disk.cut_power_after(1 + chance.next() % 25);
        auto witness = Witness::open({disk, sample_witness_keys(), log.keys->verifiers(), "/witness"});
        if (!witness) {
            ASSERT_FALSE(disk.has_power()) << witness.error().message;
        }
        std::uint64_t believed = answered;
        while (witness && disk.has_power()) {
            const std::uint64_t to = std::min<std::uint64_t>(400, believed + chance.next() % 3);
            if (answered > 0 && chance.next() % 4 == 0) {
                EXPECT_NE(ask(**witness, split.request(believed, to)).status(), 200U) << kill;
                continue;
            }
            const auto answer = ask(**witness, log.request(believed, to));
            if (answer.status() == 409) {
                believed = std::stoull(answer.body);
                ASSERT_GE(believed, answered) << "it turned back at kill " << kill;
            } else if (answer.status() == 200) {
                ASSERT_GE(to, answered);
                answered = believed = to;
                ++cosigned;
            }
            if (answered == 400) break;
        }
        if (!disk.has_power()) disk.restart(chance);
        if (answered == 400) {  // a fresh start for both
            disk.restart(chance);
            for (const auto& path : disk.files()) ASSERT_TRUE(disk.remove(path));
            ASSERT_TRUE(disk.sync_all("/witness"));
            answered = 0;
        }
    }
    EXPECT_GT(cosigned, 500);
}

TEST_F(WitnessTest, talks_with_a_log_until_both_agree) {
    auto witness = open();
    log.grow(50);
    ASSERT_EQ(ask(*witness, log.request(0, 12)).status(), 200U);  // by an earlier life of the log
    WitnessDialogue dialogue(sample_witness_keys().verifiers());
    const Note note = *Note::parse(log.note(50));
    auto answer = ask(*witness, dialogue.body_for(note, log.proof(dialogue.old_size(), 50)));
    auto heard = dialogue.heard(note, answer.status(), answer.content_type(), answer.body);
    EXPECT_TRUE(heard.again);
    EXPECT_EQ(dialogue.old_size(), 12U);
    answer = ask(*witness, dialogue.body_for(note, log.proof(dialogue.old_size(), 50)));
    heard = dialogue.heard(note, answer.status(), answer.content_type(), answer.body);
    EXPECT_EQ(heard.trouble, "");
    EXPECT_EQ(heard.cosignatures.size(), 2U);
    EXPECT_EQ(dialogue.old_size(), 50U);
    EXPECT_FALSE(dialogue.wants(Checkpoint{"x", 49, {}}));

    // Whatever else may come back is no cosignature.
    WitnessDialogue stranger(sample_witness_keys(77).verifiers());
    EXPECT_TRUE(stranger.heard(note, 200, "", answer.body).cosignatures.empty());
    for (const auto& [status, type, body] :
         {std::tuple{200U, "", ""}, std::tuple{200U, "", "no line\n"}, std::tuple{409U, "text/plain", "3\n"},
          std::tuple{409U, "text/x.tlog.size", "03\n"}, std::tuple{409U, "text/x.tlog.size", "51\n"}, std::tuple{500U, "", ""},
          std::tuple{404U, "", ""}, std::tuple{403U, "", ""}}) {
        const auto refused = WitnessDialogue(sample_witness_keys().verifiers()).heard(note, status, type, body);
        EXPECT_TRUE(refused.cosignatures.empty() && !refused.again && !refused.trouble.empty()) << status << body;
    }
    EXPECT_TRUE(WitnessDialogue(sample_witness_keys().verifiers()).heard(note, 422, "", "").accused);
    std::string changed = answer.body;
    char& letter = changed[changed.size() - 40];
    letter = letter == 'A' ? 'B' : 'A';
    EXPECT_TRUE(WitnessDialogue(sample_witness_keys().verifiers()).heard(note, 200, "", changed).cosignatures.empty());
}

}  // namespace
}  // namespace hanse::journal
