// SPDX-License-Identifier: Apache-2.0
#include "crypto/node_certificate.hpp"

#include <gtest/gtest.h>

#include "crypto/key_derivation.hpp"

namespace hanse::crypto {
namespace {

using namespace std::chrono_literals;

IdentityKey key_of(std::string name, Profile profile, std::uint64_t seed) {
    base::SeededRandom random(seed);
    KeySet set{.purpose = std::string(IdentityKey::purpose), .name = std::move(name), .keys = {}};
    for (const Algorithm algorithm : algorithms_of(profile)) {
        Secret bytes(SigningKey::seed_size);
        random.fill(bytes.fill());
        set.keys.push_back(SigningKey::from_seed(algorithm, bytes).value());
    }
    return IdentityKey::from_keys(std::move(set)).value();
}

class NodeCertificateTest : public ::testing::TestWithParam<Profile> {
protected:
    base::WallTime now = base::WallTime{} + 1'790'000'000s;
    Validity days{now - 10min, now + 72h};
    IdentityKey root = key_of("acme", GetParam(), 1), node = key_of("acme/n1", GetParam(), 2);
    FindRoot charter = [this](std::string_view member) { return member == "acme" ? &root.identity() : nullptr; };
};
INSTANTIATE_TEST_SUITE_P(Profiles, NodeCertificateTest, ::testing::Values(Profile::standard, Profile::bsi),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(NodeCertificateTest, names_the_node_and_both_its_keys) {
    const auto pem = issue_node_certificate(root, node.identity(), days);
    ASSERT_TRUE(pem) << pem.error().message;
    const auto known = check_node_certificate_pem(*pem, charter, now);
    ASSERT_TRUE(known) << known.error().message;
    EXPECT_EQ(known->member, "acme");
    EXPECT_EQ(known->node, "n1");
    EXPECT_EQ(known->identity.fingerprint(), node.identity().fingerprint());
    EXPECT_EQ(known->validity.until, days.until);
}

TEST_P(NodeCertificateTest, is_refused_of_a_member_that_the_charter_does_not_have) {
    const auto other = key_of("bolt", GetParam(), 3);
    const auto pem = issue_node_certificate(other, key_of("bolt/n1", GetParam(), 4).identity(), days).value();
    const auto known = check_node_certificate_pem(pem, charter, now);
    ASSERT_FALSE(known);
    EXPECT_EQ(known.error().kind, base::ErrorKind::denied);
}

TEST_P(NodeCertificateTest, is_refused_when_another_root_of_the_same_name_signed_it) {
    const auto forged = issue_node_certificate(key_of("acme", GetParam(), 5), node.identity(), days).value();
    EXPECT_FALSE(check_node_certificate_pem(forged, charter, now));
}

TEST_P(NodeCertificateTest, is_refused_outside_its_days_with_room_for_clocks_that_differ) {
    const auto pem = issue_node_certificate(root, node.identity(), days).value();
    EXPECT_TRUE(check_node_certificate_pem(pem, charter, days.until + 9min));
    EXPECT_FALSE(check_node_certificate_pem(pem, charter, days.until + 11min));
    EXPECT_TRUE(check_node_certificate_pem(pem, charter, days.from - 9min));
    EXPECT_FALSE(check_node_certificate_pem(pem, charter, days.from - 11min));
}

TEST_P(NodeCertificateTest, is_refused_with_any_byte_changed) {
    const auto whole = certificate_der(issue_node_certificate(root, node.identity(), days).value()).value();
    for (std::size_t at = 0; at < whole.size(); at += 97) {
        auto changed = whole;
        changed[at] ^= std::byte{1};
        EXPECT_FALSE(check_node_certificate(changed, charter, now)) << at;
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(check_node_certificate(longer, charter, now));
}

TEST_P(NodeCertificateTest, of_the_root_is_not_one_of_a_node) {
    EXPECT_FALSE(check_node_certificate_pem(issue_root_certificate(root, days).value(), charter, now));
}

TEST_P(NodeCertificateTest, is_not_issued_for_the_node_of_another_member_nor_of_another_profile) {
    EXPECT_FALSE(issue_node_certificate(root, key_of("bolt/n1", GetParam(), 6).identity(), days));
    EXPECT_FALSE(issue_node_certificate(root, key_of("acme/", GetParam(), 6).identity(), days));
    const auto other = GetParam() == Profile::bsi ? Profile::standard : Profile::bsi;
    EXPECT_FALSE(issue_node_certificate(root, key_of("acme/n2", other, 7).identity(), days));
}

TEST_P(NodeCertificateTest, request_shows_that_the_node_holds_its_keys) {
    const std::string text = request_node_certificate(node);
    const auto read = read_node_request(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->name(), "acme/n1");
    EXPECT_EQ(read->fingerprint(), node.identity().fingerprint());
    std::string renamed = text;
    renamed.replace(renamed.find("acme/n1"), 7, "acme/n2");
    EXPECT_FALSE(read_node_request(renamed));
    EXPECT_FALSE(read_node_request(text + "\n"));
}

// RFC 5869 has no vectors for SHA-384; this one was computed by `openssl kdf` and by Python's hmac module.
TEST(KeyDerivation, gives_what_other_implementations_give) {
    const auto salt = base::from_hex("000102030405060708090a0b0c").value();
    const auto key = Secret::copy_of(base::from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b").value());
    EXPECT_EQ(base::hex(hkdf_sha384(key, salt, "hanse", 42).reveal()),
              "2f7189b854296d99dcb931cade7ae00d4fa90ec0d3ed139ea46f603d7981700357ab175d986b93044644");
}

}  // namespace
}  // namespace hanse::crypto
