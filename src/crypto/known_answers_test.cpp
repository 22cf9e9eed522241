// SPDX-License-Identifier: Apache-2.0
// Known answers of the standards themselves, for each algorithm of this room; Wycheproof's thousands of edge cases are in the
// tests beside the sources, since they need ../shared/vectors.
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"
#include "crypto/sealing.hpp"
#include "crypto/signature.hpp"

namespace hanse::crypto {
namespace {

base::Bytes hex(std::string_view text) { return *base::from_hex(text); }

// NIST's example of two blocks (FIPS 180-4) and the empty message.
TEST(KnownAnswers, sha256) {
    EXPECT_EQ(base::hex(sha256(base::bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    const std::string million(1'000'000, 'a');
    EXPECT_EQ(base::hex(sha256(base::bytes_of(million))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, sections 4.2, 4.3 and 4.7 (a key longer than a block).
TEST(KnownAnswers, hmac_sha256) {
    EXPECT_EQ(base::hex(hmac_sha256(base::Bytes(20, std::byte{0x0b}), base::bytes_of("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(base::hex(hmac_sha256(base::bytes_of("Jefe"), base::bytes_of("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        base::hex(hmac_sha256(base::Bytes(131, std::byte{0xaa}), base::bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// The specification of GCM that NIST SP 800-38D adopts, test case 16.
TEST(KnownAnswers, aes_256_gcm) {
    const Secret key = Secret::copy_of(hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const auto bound = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const auto sealed =
        hex("cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
    const auto plain = open_sealed(key, sealed, bound);
    ASSERT_TRUE(plain);
    EXPECT_EQ(base::hex(plain->reveal()),
              "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

// RFC 8032, section 7.1, tests 1 to 3.
TEST(KnownAnswers, ed25519) {
    const struct {
        const char* seed;
        const char* key;
        const char* message;
        const char* signature;
    } cases[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465514143"
                  "8e7a100b"},
                 {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d2916"
                  "12bb0c00"},
                 {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027bece"
                  "ea1ec40a"}};
    for (const auto& each : cases) {
        const auto key = SigningKey::from_seed(Algorithm::ed25519, Secret::copy_of(hex(each.seed)));
        ASSERT_TRUE(key);
        EXPECT_EQ(base::hex(key->public_key().bytes()), each.key);
        EXPECT_EQ(base::hex(key->sign(hex(each.message))), each.signature);
        EXPECT_TRUE(key->public_key().verifies(hex(each.message), hex(each.signature)));
    }
}

// RFC 6979, appendix A.2.5, SHA-256: the key pair, and signatures that anybody must accept.
TEST(KnownAnswers, ecdsa_p256) {
    const auto key = SigningKey::from_seed(Algorithm::ecdsa_p256,
                                           Secret::copy_of(hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")));
    ASSERT_TRUE(key);
    EXPECT_EQ(base::hex(key->public_key().bytes()),
              "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4"
              "462299");
    const auto sample =
        hex("3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    EXPECT_TRUE(key->public_key().verifies(base::bytes_of("sample"), sample));
    EXPECT_FALSE(key->public_key().verifies(base::bytes_of("test"), sample));
}

// Made with the reference implementation of RFC 9106's authors (phc-winner-argon2, by way of argon2-cffi).
TEST(KnownAnswers, argon2id) {
    PassphraseSalt salt{};
    for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::byte>(i);
    const Secret passphrase = Secret::copy_of("correct horse battery staple");
    for (const auto& [cost, key] :
         {std::pair{PassphraseCost{8'192, 1, 1}, "9aeef75313e585f492c33c5e12d82e9ad253b7dd78632d537e899cd4eddd789c"},
          std::pair{PassphraseCost{65'536, 3, 1}, "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e"},
          std::pair{PassphraseCost{16'384, 2, 4}, "6a80c1a9a04072b180a5e72a637ad5431b93fa5d680af51155d502a324a66c1a"}})
        EXPECT_EQ(base::hex(key_from_passphrase(passphrase, salt, cost)->reveal()), key);
}

}  // namespace
}  // namespace hanse::crypto
