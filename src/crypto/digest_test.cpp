// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "crypto/certificate.hpp"
#include "wycheproof.hpp"

namespace hanse::crypto {
namespace {

// FIPS 180-4, examples of NIST's CSRC.
TEST(Sha256, gives_the_known_answers) {
    EXPECT_EQ(base::hex(sha256(base::bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(base::hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, is_the_same_in_pieces_and_can_be_used_again) {
    Sha256 digest;
    for (int round = 0; round < 2; ++round) {
        for (const char* piece : {"a", "b", "c"}) digest.update(base::bytes_of(piece));
        EXPECT_EQ(digest.finish(), sha256(base::bytes_of("abc")));
    }
}

TEST(HmacSha256, agrees_with_wycheproof) {
    const auto suite = wycheproof("hmac_sha256_test");
    if (!suite) return;
    int run = 0;
    for (const auto& group : (*suite)["testGroups"]) {
        const std::size_t size = group["tagSize"].get<std::size_t>() / 8;
        for (const auto& test : group["tests"]) {
            const auto key = base::from_hex(test["key"].get<std::string>());
            const auto message = base::from_hex(test["msg"].get<std::string>());
            const auto tag = base::from_hex(test["tag"].get<std::string>());
            const auto made = hmac_sha256(*key, *message);
            EXPECT_EQ(equal_in_constant_time(std::span(made).first(size), *tag), test["result"] == "valid") << test["tcId"];
            ++run;
        }
    }
    EXPECT_GT(run, 100);
}

TEST(SelfSigned, makes_pem_for_names_and_addresses_and_refuses_none) {
    const auto pair = make_self_signed({"localhost", "127.0.0.1", "::1"}, std::chrono::days(30));
    ASSERT_TRUE(pair) << pair.error().message;
    EXPECT_TRUE(pair->certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    EXPECT_TRUE(pair->key.starts_with("-----BEGIN PRIVATE KEY-----"));
    EXPECT_FALSE(make_self_signed({}, std::chrono::days(30)));
}

}  // namespace
}  // namespace hanse::crypto
