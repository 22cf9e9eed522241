// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/identity.hpp"
#include "wycheproof.hpp"

namespace hanse::crypto {
namespace {

constexpr PassphraseCost cheap{8'192, 1, 1};
constexpr std::array log_algorithms{Algorithm::ed25519, Algorithm::ml_dsa_44};

std::string text_of(const Secret& secret) { return {reinterpret_cast<const char*>(secret.reveal().data()), secret.reveal().size()}; }

std::string made(std::string_view passphrase, base::Random& random) {
    return text_of(*new_key_file("log", "example.org/journal", log_algorithms, Secret::copy_of(passphrase), random, cheap));
}

TEST(Sealing, agrees_with_wycheproof_on_aes_256_gcm) {
    const auto suite = wycheproof("aes_gcm_test");
    if (!suite) return;
    int run = 0;
    for (const auto& group : (*suite)["testGroups"]) {
        if (group["keySize"] != 256 || group["ivSize"] != 96 || group["tagSize"] != 128) continue;
        for (const auto& test : group["tests"]) {
            const auto bytes = [&](const char* field) { return *base::from_hex(test[field].get<std::string>()); };
            base::Bytes sealed;
            for (const char* field : {"iv", "ct", "tag"}) std::ranges::copy(bytes(field), std::back_inserter(sealed));
            const auto opened = open_sealed(Secret::copy_of(bytes("key")), sealed, bytes("aad"));
            EXPECT_EQ(opened.has_value(), test["result"] == "valid") << test["tcId"];
            EXPECT_TRUE(!opened || std::ranges::equal(opened->reveal(), bytes("msg"))) << test["tcId"];
            ++run;
        }
    }
    EXPECT_GT(run, 30);
}

TEST(Passphrase, bounds_what_a_file_may_ask_for) {
    for (const PassphraseCost cost : {PassphraseCost{4'096, 1, 1}, PassphraseCost{2'000'000, 1, 1}, PassphraseCost{8'192, 0, 1},
                                      PassphraseCost{8'192, 99, 1}, PassphraseCost{8'192, 1, 0}})
        EXPECT_FALSE(key_from_passphrase(Secret::copy_of("x"), {}, cost));
    const auto key = key_from_passphrase(Secret::copy_of("x"), {}, cheap);
    ASSERT_TRUE(key);
    EXPECT_FALSE(std::ranges::equal(key->reveal(), key_from_passphrase(Secret::copy_of("y"), {}, cheap)->reveal()));
    EXPECT_TRUE(std::ranges::equal(key->reveal(), key_from_passphrase(Secret::copy_of("x"), {}, cheap)->reveal()));
}

TEST(KeyFile, gives_back_its_keys_with_and_without_a_passphrase) {
    base::SeededRandom random(7);
    for (const std::string_view passphrase : {"", "correct horse"}) {
        const auto file = KeyFile::parse(made(passphrase, random));
        ASSERT_TRUE(file) << file.error().message;
        EXPECT_EQ(file->name, "example.org/journal");
        const auto keys = file->unlock(Secret::copy_of(passphrase));
        ASSERT_TRUE(keys) << keys.error().message;
        ASSERT_EQ(keys->keys.size(), 2U);
        EXPECT_EQ(keys->keys[1].public_key(), file->public_keys[1]);
    }
}

TEST(KeyFile, stays_shut_without_its_passphrase) {
    base::SeededRandom random(7);
    const auto file = KeyFile::parse(made("correct horse", random));
    EXPECT_EQ(file->unlock(Secret::copy_of("wrong horse")).error().kind, base::ErrorKind::denied);
    EXPECT_EQ(file->unlock({}).error().code, "passphrase_needed");
}

TEST(KeyFile, finds_every_changed_byte) {
    base::SeededRandom random(7);
    const std::string text = made("", random);
    // Every tenth byte of the long public keys is enough; each other byte is tried.
    for (std::size_t i = 0; i < text.size(); i += i > 150 && i + 150 < text.size() ? 10 : 1) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        const auto file = KeyFile::parse(changed);
        const bool harmless = file && (file->name != "example.org/journal" || file->purpose != "log");  // another name is another file
        EXPECT_TRUE(!file || harmless || !file->unlock({})) << i;
    }
}

TEST(KeyFile, changes_its_passphrase_and_keeps_its_keys) {
    base::SeededRandom random(7);
    const auto before = KeyFile::parse(made("one", random));
    const auto text = reprotect(*before, Secret::copy_of("one"), Secret::copy_of("two"), random, cheap);
    ASSERT_TRUE(text);
    const auto after = KeyFile::parse(text_of(*text));
    EXPECT_TRUE(after->unlock(Secret::copy_of("two")));
    EXPECT_FALSE(after->unlock(Secret::copy_of("one")));
    EXPECT_EQ(after->public_keys, before->public_keys);
}

TEST(KeyFile, is_refused_on_disk_if_others_may_read_it_and_never_replaced) {
    base::SeededRandom random(7);
    std::string folder = (std::filesystem::temp_directory_path() / "hanse-keys-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::filesystem::path path = std::filesystem::path(folder) / "log.key";
    const Secret text = Secret::copy_of(made("", random));
    ASSERT_TRUE(write_key_file(path, text));
    EXPECT_TRUE(read_key_file(path));
    EXPECT_FALSE(write_key_file(path, text));
    struct stat facts{};
    ASSERT_EQ(stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(read_key_file(path).error().kind, base::ErrorKind::denied);
    std::filesystem::create_symlink(path, std::filesystem::path(folder) / "link");
    EXPECT_FALSE(read_key_file(std::filesystem::path(folder) / "link"));
    EXPECT_EQ(read_key_file(std::filesystem::path(folder) / "none").error().kind, base::ErrorKind::not_found);
    std::filesystem::remove_all(folder);
}

IdentityKey identity(Profile profile, std::uint64_t seed = 3) {
    base::SeededRandom random(seed);
    const auto text = new_key_file("identity", "stadtwerke.example", algorithms_of(profile), {}, random);
    return *IdentityKey::from_keys(*KeyFile::parse(text_of(*text))->unlock({}));
}

TEST(Identity, verifies_only_if_both_halves_do) {
    const auto message = base::bytes_of("moin");
    for (const Profile profile : {Profile::standard, Profile::bsi}) {
        const auto key = identity(profile);
        const auto good = key.sign("charter", message);
        EXPECT_EQ(key.identity().profile(), profile);
        EXPECT_TRUE(key.identity().verifies("charter", message, good));
        EXPECT_FALSE(key.identity().verifies("manifest", message, good));
        EXPECT_FALSE(key.identity().verifies("charter", base::bytes_of("Moin"), good));
        EXPECT_FALSE(identity(profile, 4).identity().verifies("charter", message, good));
        for (std::size_t half = 0; half < 2; ++half) {
            auto bad = good;
            bad.parts[half].bytes[40] ^= std::byte{1};
            EXPECT_FALSE(key.identity().verifies("charter", message, bad));
            bad = good;
            bad.parts[half] = good.parts[1 - half];
            EXPECT_FALSE(key.identity().verifies("charter", message, bad));
        }
    }
}

TEST(Identity, halves_are_no_signatures_of_their_own) {
    const auto key = identity(Profile::standard);
    const auto message = base::bytes_of("moin");
    const auto both = key.sign("charter", message);
    for (std::size_t half = 0; half < 2; ++half) EXPECT_FALSE(key.identity().keys()[half].verifies(message, both.parts[half].bytes));
}

TEST(Identity, signature_reads_back_from_its_text) {
    const auto key = identity(Profile::bsi);
    const auto signature = key.sign("charter", base::bytes_of("moin"));
    const auto read = HybridSignature::parse(signature.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, signature);
    EXPECT_TRUE(signature.text().starts_with("ecdsa-p256:"));
    for (const char* bad : {"", "ed25519:AAAA", "ed25519:AAAA rsa:AAAA", "ed25519:AA ml-dsa-65:AAAA", "ed25519: ml-dsa-65:AAAA"})
        EXPECT_FALSE(HybridSignature::parse(bad)) << bad;
}

TEST(Identity, refuses_names_that_a_note_could_not_carry) {
    for (const char* good : {"a", "example.org/log", "prüfer.example"}) EXPECT_TRUE(is_key_name(good)) << good;
    for (const char* bad : {"", "a b", "a+b", "a\nb",
                            "a\xc2\xa0"
                            "b",
                            "a\xe2\x80\x83"
                            "b",
                            "\xff"})
        EXPECT_FALSE(is_key_name(bad)) << bad;
}

}  // namespace
}  // namespace hanse::crypto
