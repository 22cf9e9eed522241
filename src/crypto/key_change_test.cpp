// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_change.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/identity.hpp"

namespace hanse::crypto {
namespace {

KeySet keys(std::uint64_t seed, std::string_view name = "stadtwerke.example") {
    base::SeededRandom random(seed);
    const auto text = new_key_file("identity", name, algorithms_of(Profile::standard), {}, random);
    const auto bytes = text->reveal();
    return *KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({});
}
std::vector<PublicKey> shown(const KeySet& set) {
    std::vector<PublicKey> all;
    for (const SigningKey& key : set.keys) all.push_back(key.public_key());
    return all;
}

TEST(KeyChange, is_signed_by_the_old_and_the_new_and_reads_back) {
    const auto change = rotate(keys(1), keys(2), 1'795'527'600, "yearly");
    ASSERT_TRUE(change) << change.error().message;
    EXPECT_TRUE(change->holds());
    EXPECT_EQ(change->signatures.size(), 4U);
    const auto read = KeyChange::parse(change->text());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->text(), change->text());
    EXPECT_TRUE(read->holds());
    const auto end = revoke(keys(2), 1'795'527'601);
    EXPECT_TRUE(KeyChange::parse(end->text())->holds());
    EXPECT_FALSE(rotate(keys(1), keys(2, "other.example"), 1));
    EXPECT_FALSE(revoke(keys(1), 1, "two\nlines"));
}

TEST(KeyChange, finds_every_changed_byte) {
    const std::string text = rotate(keys(1), keys(2), 1'795'527'600, "yearly")->text();
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        const auto read = KeyChange::parse(changed);
        EXPECT_TRUE(!read || !read->holds()) << i;
    }
}

TEST(KeyChange, needs_every_key) {
    auto change = *rotate(keys(1), keys(2), 5);
    for (std::size_t i = 0; i < change.signatures.size(); ++i) {
        auto fewer = change;
        fewer.signatures.erase(fewer.signatures.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(fewer.holds());
        auto twice = change;
        twice.signatures[i] = twice.signatures[(i + 1) % 4];
        EXPECT_FALSE(twice.holds());
    }
}

TEST(KeyChange, leads_from_the_first_keys_to_those_of_today) {
    const std::vector changes{*rotate(keys(2), keys(3), 20), *rotate(keys(8), keys(9), 7), *rotate(keys(1), keys(2), 10)};
    const auto standing = standing_of(shown(keys(1)), changes);
    ASSERT_TRUE(standing) << standing.error().message;
    EXPECT_EQ(standing->keys, shown(keys(3)));
    EXPECT_EQ(standing->since, 20U);
    EXPECT_EQ(standing->former, (std::vector{shown(keys(1)), shown(keys(2))}));
    EXPECT_FALSE(standing->revoked);

    auto ended = changes;
    ended.push_back(*revoke(keys(3), 30, "laptop lost"));
    EXPECT_TRUE(standing_of(shown(keys(1)), ended)->revoked);
    EXPECT_TRUE(standing_of(shown(keys(3)), ended)->revoked);
    EXPECT_FALSE(standing_of(shown(keys(8)), ended)->revoked);
}

TEST(KeyChange, believes_nobody_where_changes_contradict_each_other) {
    const std::vector thief{*rotate(keys(1), keys(2), 10), *rotate(keys(1), keys(66), 11)};
    EXPECT_EQ(standing_of(shown(keys(1)), thief).error().kind, base::ErrorKind::denied);
    const std::vector owner{*rotate(keys(1), keys(66), 10), *revoke(keys(1), 11)};
    EXPECT_EQ(standing_of(shown(keys(1)), owner).error().kind, base::ErrorKind::denied);
    const std::vector twice{*revoke(keys(1), 11), *revoke(keys(1), 12)};  // they agree that it is over
    EXPECT_TRUE(standing_of(shown(keys(1)), twice)->revoked);
    auto forged = *rotate(keys(1), keys(2), 10);
    forged.new_keys = shown(keys(66));
    EXPECT_EQ(standing_of(shown(keys(1)), std::vector{forged}).error().kind, base::ErrorKind::denied);
    // The same statement, seen twice, is one.
    const auto once = *rotate(keys(1), keys(2), 10);
    EXPECT_TRUE(standing_of(shown(keys(1)), std::vector{once, once}));
}

}  // namespace
}  // namespace hanse::crypto
