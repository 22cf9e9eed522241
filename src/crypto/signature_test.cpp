// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "wycheproof.hpp"

namespace hanse::crypto {
namespace {

base::Bytes unhex(const nlohmann::json& text) { return *base::from_hex(text.get<std::string>()); }

SigningKey key_of(Algorithm algorithm, std::uint64_t seed = 1) {
    base::SeededRandom random(seed);
    Secret secret(SigningKey::seed_size);
    random.fill(secret.fill());
    return *SigningKey::from_seed(algorithm, secret);
}

constexpr Algorithm all[] = {Algorithm::ed25519, Algorithm::ecdsa_p256, Algorithm::ml_dsa_44, Algorithm::ml_dsa_65, Algorithm::ml_dsa_87};

// Runs a suite of signatures to be checked; counts how many of its tests ran.
int check_signatures(const std::string& suite_name, Algorithm algorithm, const auto& key_bytes) {
    const auto suite = wycheproof(suite_name);
    if (!suite) return -1;
    int run = 0;
    for (const auto& group : (*suite)["testGroups"]) {
        const auto key = PublicKey::from_bytes(algorithm, key_bytes(group));
        for (const auto& test : group["tests"]) {
            const auto context = test.contains("ctx") ? unhex(test["ctx"]) : base::Bytes();
            const bool good = key && key->verifies(unhex(test["msg"]), unhex(test["sig"]), context);
            EXPECT_EQ(good, test["result"] == "valid") << suite_name << " " << test["tcId"] << " " << test["comment"];
            ++run;
        }
    }
    return run;
}

// The deterministic signatures of FIPS 204 must come out to the byte.
int make_signatures(const std::string& suite_name, Algorithm algorithm) {
    const auto suite = wycheproof(suite_name);
    if (!suite) return -1;
    int run = 0;
    for (const auto& group : (*suite)["testGroups"]) {
        const auto key = SigningKey::from_seed(algorithm, Secret::copy_of(unhex(group["privateSeed"])));
        EXPECT_TRUE(!key || key->public_key().bytes() == unhex(group["publicKey"]));
        for (const auto& test : group["tests"]) {
            // "Internal" ones sign a hash given from outside, "Randomized" ones draw; Hanse does neither here.
            const auto has = [&](const char* flag) { return std::ranges::contains(test["flags"], flag); };
            if (has("Internal") || has("Randomized")) continue;
            const auto context = test.contains("ctx") ? unhex(test["ctx"]) : base::Bytes();
            if (test["result"] == "valid") {
                if (!key) {
                    ADD_FAILURE() << suite_name << " " << test["tcId"] << ": the seed was refused";
                    continue;
                }
                EXPECT_EQ(key->sign(unhex(test["msg"]), context, Signing::deterministic), unhex(test["sig"]))
                    << suite_name << " " << test["tcId"];
            } else {
                EXPECT_TRUE(!key || context.size() > 255) << suite_name << " " << test["tcId"];
            }
            ++run;
        }
    }
    return run;
}

TEST(Signature, agrees_with_wycheproof_on_ed25519) {
    const int run = check_signatures("ed25519_test", Algorithm::ed25519, [](const auto& group) { return unhex(group["publicKey"]["pk"]); });
    EXPECT_TRUE(run == -1 || run == 151) << run;
}

TEST(Signature, agrees_with_wycheproof_on_ecdsa_p256) {
    const int run = check_signatures("ecdsa_secp256r1_sha256_test", Algorithm::ecdsa_p256,
                                     [](const auto& group) { return unhex(group["publicKey"]["uncompressed"]); });
    EXPECT_TRUE(run == -1 || run > 450) << run;
}

TEST(Signature, agrees_with_wycheproof_on_checking_ml_dsa) {
    const auto key = [](const auto& group) { return unhex(group["publicKey"]); };
    for (const auto& [suite, algorithm] :
         {std::pair{"mldsa_44_verify_test", Algorithm::ml_dsa_44}, std::pair{"mldsa_65_verify_test", Algorithm::ml_dsa_65},
          std::pair{"mldsa_87_verify_test", Algorithm::ml_dsa_87}}) {
        const int run = check_signatures(suite, algorithm, key);
        EXPECT_TRUE(run == -1 || run > 100) << run;
    }
}

TEST(Signature, agrees_with_wycheproof_on_making_ml_dsa) {
    for (const auto& [suite, algorithm] :
         {std::pair{"mldsa_44_sign_seed_test", Algorithm::ml_dsa_44}, std::pair{"mldsa_65_sign_seed_test", Algorithm::ml_dsa_65},
          std::pair{"mldsa_87_sign_seed_test", Algorithm::ml_dsa_87}}) {
        const int run = make_signatures(suite, algorithm);
        EXPECT_TRUE(run == -1 || run > 50) << run;
    }
}

TEST(Signature, of_every_algorithm_verifies_and_of_no_other_message_or_key) {
    const auto message = base::bytes_of("moin");
    for (const Algorithm algorithm : all) {
        const auto key = key_of(algorithm);
        auto signature = key.sign(message);
        EXPECT_TRUE(key.public_key().verifies(message, signature)) << name(algorithm);
        EXPECT_FALSE(key.public_key().verifies(base::bytes_of("Moin"), signature)) << name(algorithm);
        EXPECT_FALSE(key_of(algorithm, 2).public_key().verifies(message, signature)) << name(algorithm);
        EXPECT_FALSE(key.public_key().verifies(message, {})) << name(algorithm);
        signature[signature.size() / 2] ^= std::byte{1};
        EXPECT_FALSE(key.public_key().verifies(message, signature)) << name(algorithm);
    }
}

TEST(Signature, by_ml_dsa_is_bound_to_its_context_and_hedged_by_default) {
    const auto key = key_of(Algorithm::ml_dsa_65);
    const auto message = base::bytes_of("moin");
    const auto signature = key.sign(message, base::bytes_of("a"));
    EXPECT_TRUE(key.public_key().verifies(message, signature, base::bytes_of("a")));
    EXPECT_FALSE(key.public_key().verifies(message, signature, base::bytes_of("b")));
    EXPECT_NE(key.sign(message), key.sign(message));
    EXPECT_EQ(key.sign(message, {}, Signing::deterministic), key.sign(message, {}, Signing::deterministic));
}

TEST(Signature, refuses_seeds_and_keys_that_are_none) {
    EXPECT_FALSE(SigningKey::from_seed(Algorithm::ecdsa_p256, Secret(32)));  // zero is no scalar
    EXPECT_FALSE(SigningKey::from_seed(Algorithm::ecdsa_p256, Secret::copy_of(base::Bytes(32, std::byte{0xff}))));
    for (const Algorithm algorithm : all) {
        EXPECT_FALSE(SigningKey::from_seed(algorithm, Secret(31)));
        EXPECT_FALSE(PublicKey::from_bytes(algorithm, base::Bytes(7)));
    }
    auto off_curve = key_of(Algorithm::ecdsa_p256).public_key().bytes();
    off_curve.back() ^= std::byte{1};
    EXPECT_FALSE(PublicKey::from_bytes(Algorithm::ecdsa_p256, off_curve));
}

TEST(Signature, names_its_algorithms_and_knows_no_others) {
    for (const Algorithm algorithm : all) EXPECT_EQ(algorithm_named(name(algorithm)), algorithm);
    EXPECT_FALSE(algorithm_named("rsa"));
    EXPECT_FALSE(algorithm_named(""));
}

}  // namespace
}  // namespace hanse::crypto
