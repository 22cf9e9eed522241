// SPDX-License-Identifier: Apache-2.0
#include "crypto/token.hpp"

#include <gtest/gtest.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/random.hpp"
#include "crypto/identity.hpp"

namespace hanse::crypto {
namespace {

// A SoftHSM of its own with a P-256 and an Ed25519 key in it, made once.
class TokenTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        for (const char* place : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"})
            if (std::filesystem::exists(place)) module_ = place;
        if (module_.empty()) return;
        std::string name = (std::filesystem::temp_directory_path() / "hanse-token-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        std::filesystem::create_directory(folder_ / "tokens");
        std::ofstream(folder_ / "conf") << "directories.tokendir = " << (folder_ / "tokens").string() << "\nlog.level = ERROR\n";
        setenv("SOFTHSM2_CONF", (folder_ / "conf").c_str(), 1);
        const std::string script = "cd " + folder_.string() +
                                   " && exec >log 2>&1 && softhsm2-util --init-token --free --label hanse --pin 1234 --so-pin 4321"
                                   " && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem"
                                   " && openssl genpkey -algorithm ED25519 -out ed25519.pem"
                                   " && softhsm2-util --import p256.pem --token hanse --label identity --id a1 --pin 1234"
                                   " && softhsm2-util --import ed25519.pem --token hanse --label second --id a2 --pin 1234";
        ASSERT_EQ(std::system(script.c_str()), 0);
    }
    static void TearDownTestSuite() {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    void SetUp() override {
        if (!module_.empty()) return;
        std::puts("not run: SoftHSM is not installed");
        GTEST_SKIP();
    }
    static TokenAccess access(std::string_view pin = "1234") { return {module_, Secret::copy_of(pin)}; }

    static inline std::string module_;
    static inline std::filesystem::path folder_;
};

constexpr std::string_view p256 = "pkcs11:token=hanse;object=identity";
constexpr std::string_view ed25519 = "pkcs11:token=hanse;object=second";

TEST_F(TokenTest, signs_what_anybody_can_verify) {
    for (const auto& [algorithm, uri] : {std::pair{Algorithm::ecdsa_p256, p256}, std::pair{Algorithm::ed25519, ed25519}}) {
        const auto key = key_in_token(algorithm, uri, access());
        ASSERT_TRUE(key) << key.error().message;
        EXPECT_TRUE(key->in_token());
        const auto message = base::bytes_of("moin");
        const auto signature = key->sign(message);
        // The public half alone, as somebody else has it.
        const auto shown = PublicKey::from_bytes(algorithm, key->public_key().bytes());
        ASSERT_TRUE(shown);
        EXPECT_TRUE(shown->verifies(message, signature)) << name(algorithm);
        EXPECT_FALSE(shown->verifies(base::bytes_of("Moin"), signature));
    }
}

TEST_F(TokenTest, stays_shut_without_its_pin_and_says_what_is_missing) {
    EXPECT_EQ(key_in_token(Algorithm::ecdsa_p256, "pkcs11:token=hanse;object=identity?pin-value=1234", access()).error().kind,
              base::ErrorKind::invalid);
    EXPECT_EQ(key_in_token(Algorithm::ml_dsa_65, p256, access()).error().kind, base::ErrorKind::invalid);
    EXPECT_EQ(key_in_token(Algorithm::ed25519, p256, access()).error().kind, base::ErrorKind::invalid);
    EXPECT_FALSE(key_in_token(Algorithm::ecdsa_p256, "pkcs11:token=hanse;object=nobody", access()));
    EXPECT_FALSE(key_in_token(Algorithm::ecdsa_p256, "pkcs11:token=elsewhere;object=identity", access()));
    EXPECT_FALSE(key_in_token(Algorithm::ecdsa_p256, p256, {"/nowhere/module.so", Secret::copy_of("1234")}));
}

// An identity of the profile bsi: its classical half in the token, its post-quantum half in the key file.
TEST_F(TokenTest, holds_the_classical_half_of_an_identity) {
    base::SeededRandom random(5);
    const auto in_token = key_in_token(Algorithm::ecdsa_p256, p256, access());
    ASSERT_TRUE(in_token) << in_token.error().message;
    constexpr std::array others{Algorithm::ml_dsa_65};
    const auto text = new_key_file_with_token(IdentityKey::purpose, "stadtwerke.example", *in_token, p256, others,
                                              Secret::copy_of("secret"), random, {8'192, 1, 1});
    ASSERT_TRUE(text) << text.error().message;
    const auto bytes = text->reveal();
    const auto file = KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->tokens.at(0), p256);
    EXPECT_EQ(file->unlock(Secret::copy_of("secret")).error().code, "token_needed");
    const auto token = access();
    auto set = file->unlock(Secret::copy_of("secret"), &token);
    ASSERT_TRUE(set) << set.error().message;
    const auto identity = IdentityKey::from_keys(std::move(*set));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(name(identity->identity().profile()), "bsi");
    const auto signature = identity->sign("charter", base::bytes_of("moin"));
    EXPECT_TRUE(identity->identity().verifies("charter", base::bytes_of("moin"), signature));
    auto half = signature;
    half.parts[0].bytes[20] ^= std::byte{1};
    EXPECT_FALSE(identity->identity().verifies("charter", base::bytes_of("moin"), half));
}

}  // namespace
}  // namespace hanse::crypto
