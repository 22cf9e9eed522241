// SPDX-License-Identifier: Apache-2.0
#include "journal/note.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "journal/key_list.hpp"
#include "journal/log_proof.hpp"

namespace hanse::journal {
namespace {

NoteSigner signer(std::string name, NoteType type, std::uint64_t seed = 1) {
    base::SeededRandom random(seed);
    crypto::Secret secret(32);
    random.fill(secret.fill());
    return *NoteSigner::from_key(std::move(name), type, *crypto::SigningKey::from_seed(algorithm_of(type), secret));
}

constexpr NoteType all_types[] = {NoteType::ed25519, NoteType::ed25519_cosignature, NoteType::ml_dsa_44_cosignature};
const Checkpoint checkpoint{"example.com/behind-the-sofa", 20'852'163, crypto::sha256(base::bytes_of("root"))};

// C2SP signed-note, section "Example".
TEST(Note, verifies_the_example_of_the_specification) {
    const auto verifier = NoteVerifier::from_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    ASSERT_TRUE(verifier) << verifier.error().message;
    const std::string whole =
        "This is an example message.\n\n\xe2\x80\x94 example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const auto note = Note::parse(whole);
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_EQ(note->whole(), whole);
    EXPECT_EQ(endorsements(*note, {&*verifier, 1})->size(), 1U);
    EXPECT_EQ(verifier->vkey(), "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    auto changed = *note;
    changed.text[3] = 'z';
    EXPECT_EQ(endorsements(changed, {&*verifier, 1}).error().kind, base::ErrorKind::denied);
}

// C2SP signed-note, its first page, and tlog-cosignature: notes of others read and write back to the byte.
TEST(Note, reads_and_writes_the_notes_of_others) {
    const std::string dash = "\xe2\x80\x94 ";
    for (const std::string& whole :
         {"Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \xc3\xa8 subito sera.\n\n" + dash +
              "quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n",
          "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" + dash +
              "example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
              dash +
              "witness.example.com/w1 "
              "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"}) {
        const auto note = Note::parse(whole);
        ASSERT_TRUE(note) << note.error().message;
        EXPECT_EQ(note->whole(), whole);
    }
}

TEST(Note, of_every_type_verifies_and_says_when) {
    for (const NoteType type : all_types) {
        const auto key = signer("example.com/w", type);
        const auto signature = key.sign(checkpoint.text(), 1'679'315'147);
        ASSERT_TRUE(signature);
        EXPECT_EQ(key.verifier().verifies(checkpoint.text(), *signature), type == NoteType::ed25519 ? 0U : 1'679'315'147U);
        auto changed = *signature;
        changed.bytes[4] ^= std::byte{1};  // in the time, where there is one
        EXPECT_FALSE(key.verifier().verifies(checkpoint.text(), changed));
        auto other = checkpoint;
        ++other.size;
        EXPECT_FALSE(key.verifier().verifies(other.text(), *signature));
        EXPECT_FALSE(signer("example.com/w", type, 2).verifier().verifies(checkpoint.text(), *signature));
        EXPECT_EQ(NoteVerifier::from_vkey(key.verifier().vkey())->key_id(), key.verifier().key_id());
    }
}

TEST(Note, refuses_to_believe_ml_dsa_about_extension_lines) {
    auto extended = checkpoint;
    extended.extensions = {"more"};
    EXPECT_FALSE(signer("w", NoteType::ml_dsa_44_cosignature).sign(extended.text(), 1));
    EXPECT_FALSE(signer("w", NoteType::ml_dsa_44_cosignature).sign("no checkpoint\n", 1));
    EXPECT_TRUE(signer("w", NoteType::ed25519_cosignature).sign(extended.text(), 1));
}

TEST(Note, passes_over_strangers_and_refuses_all_for_one_bad_signature) {
    const auto ours = signer("log", NoteType::ed25519);
    const auto stranger = signer("stranger", NoteType::ed25519, 2);
    Note note{checkpoint.text(), {*stranger.sign(checkpoint.text(), 0), *ours.sign(checkpoint.text(), 0)}};
    const std::vector known{ours.verifier()};
    EXPECT_EQ(endorsements(note, known)->size(), 1U);
    note.signatures[0].bytes[0] ^= std::byte{1};
    EXPECT_EQ(endorsements(note, known)->size(), 1U);
    note.signatures[1].bytes[0] ^= std::byte{1};
    EXPECT_FALSE(endorsements(note, known));
    note.signatures.pop_back();
    EXPECT_TRUE(endorsements(note, known)->empty());
}

TEST(Note, finds_every_changed_byte) {
    const auto key = signer("log", NoteType::ed25519);
    const std::vector known{key.verifier()};
    const std::string whole = Note{checkpoint.text(), {*key.sign(checkpoint.text(), 0)}}.whole();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        const auto note = Note::parse(changed);
        if (!note) continue;
        const auto who = endorsements(*note, known);
        EXPECT_TRUE(!who || who->empty()) << i;
    }
}

TEST(Note, refuses_what_is_none) {
    for (const char* bad : {"", "text\n", "text\n\n", "text\n\nsignature\n", "text\n\n\xe2\x80\x94 name AAAA\n",
                            "text\n\n\xe2\x80\x94 name AAAAAAA=", "te\txt\n\n\xe2\x80\x94 name AAAAAAA=\n",
                            "text\n\n\xe2\x80\x94 na+me AAAAAAA=\n", "text\n\n\xe2\x80\x94  AAAAAAA=\n"})
        EXPECT_FALSE(Note::parse(bad)) << bad;
    EXPECT_TRUE(Note::parse("text\n\n\xe2\x80\x94 name AAAAAAA=\n"));
}

TEST(Checkpoint, has_one_form_only) {
    EXPECT_EQ(*Checkpoint::parse(checkpoint.text()), checkpoint);
    const std::string root = base::base64(checkpoint.root);
    for (const std::string& bad : {std::string("o\n1\n"), "o\n01\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n1\n" + root,
                                   "\n1\n" + root + "\n", "o\n1\n" + root + "\n\n", std::string("o\n1\nAAAA\n")})
        EXPECT_FALSE(Checkpoint::parse(bad)) << bad;
}

TEST(LogProof, reads_back_and_refuses_what_is_none) {
    LogProof proof{base::Bytes{std::byte{7}}, 73'894, {checkpoint.root, empty_root()}, "o\n1\nx\n\n\xe2\x80\x94 name AAAAAAA=\n"};
    EXPECT_EQ(LogProof::parse(proof.text())->text(), proof.text());
    proof.extra.reset();
    proof.hashes.clear();
    EXPECT_EQ(LogProof::parse(proof.text())->text(), proof.text());
    const std::string head = "c2sp.org/tlog-proof@v1\n";
    for (const std::string& bad :
         {std::string(), head, head + "index 01\n\n", head + "index 1\nextra AA==\n\n", head + "extra A\nindex 1\n\n",
          head + "index 1\nAAAA\n\n", "c2sp.org/tlog-proof@v2\nindex 1\n\n" + proof.checkpoint})
        EXPECT_FALSE(LogProof::parse(bad)) << bad;
}

TEST(KeyList, takes_keys_alone_and_from_the_lines_of_a_policy_and_says_which_line_is_none) {
    const std::string key = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    const auto list = parse_key_list("# ours\n" + key + "  # the first\n\nlog " + key + " https://example/\nquorum none\n");
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ((*list)[1].vkey(), key);
    EXPECT_TRUE(parse_key_list("")->empty());
    EXPECT_TRUE(parse_key_list(key + "\nnonsense\n").error().message.starts_with("line 2"));
    EXPECT_TRUE(parse_key_list("witness w " + key.substr(0, 40)).error().message.starts_with("line 1"));
}

}  // namespace
}  // namespace hanse::journal
