// SPDX-License-Identifier: Apache-2.0
#include "node/key_changes.hpp"

#include <gtest/gtest.h>
#include <filesystem>

#include "crypto/identity.hpp"
#include "node/identity.hpp"

namespace hanse::node {
namespace {

namespace fs = std::filesystem;

crypto::KeySet keys(std::uint64_t seed) {
    base::SeededRandom random(seed);
    const auto text = crypto::new_key_file("identity", "acme/one", crypto::algorithms_of(crypto::Profile::standard), {}, random);
    const auto bytes = text->reveal();
    return *crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({});
}
std::vector<crypto::PublicKey> shown(const crypto::KeySet& set) {
    std::vector<crypto::PublicKey> all;
    for (const auto& key : set.keys) all.push_back(key.public_key());
    return all;
}

TEST(KeyHistory, leads_from_any_time_to_today_and_back) {
    const std::array sets{keys(1), keys(2), keys(3)};
    const std::array changes{*crypto::rotate(sets[1], sets[2], 20), *crypto::rotate(sets[0], sets[1], 10)};
    for (const auto& known : sets) {
        const auto history = history_of(shown(known), changes);
        ASSERT_TRUE(history) << history.error().message;
        EXPECT_EQ(history->keys, shown(sets[2]));
        ASSERT_EQ(history->former.size(), 2U);
        EXPECT_EQ(history->former[0], shown(sets[1]));
        EXPECT_EQ(history->former[1], shown(sets[0]));
        EXPECT_FALSE(history->revocation);
    }
    const auto stranger = history_of(shown(keys(9)), changes);
    EXPECT_EQ(stranger->keys, shown(keys(9)));
    EXPECT_TRUE(stranger->former.empty());
}

TEST(KeyHistory, knows_a_revocation_and_believes_neither_of_two_that_contradict) {
    const std::array sets{keys(1), keys(2), keys(3)};
    const std::array revoked{*crypto::rotate(sets[0], sets[1], 10), *crypto::revoke(sets[1], 20, "stolen")};
    const auto history = history_of(shown(sets[0]), revoked);
    ASSERT_TRUE(history && history->revocation);
    EXPECT_EQ(history->revocation->reason, "stolen");
    const std::array theft{*crypto::rotate(sets[0], sets[1], 10), *crypto::rotate(sets[0], sets[2], 10)};
    EXPECT_EQ(history_of(shown(sets[0]), theft).error().kind, base::ErrorKind::denied);
}

TEST(KeyHistory, has_the_fingerprint_that_an_identity_shows) {
    const auto identity = crypto::IdentityKey::from_keys(keys(1));
    EXPECT_EQ(fingerprint_of(shown(keys(1))), identity->identity().fingerprint());
}

struct Rotation : testing::Test {
    base::SystemRandom random;
    base::SystemClock clock;
    Config config{.journal = {.record = false}};
    base::Environment environment;
    DataDirectory data{fs::temp_directory_path() / ("hanse_changes_" + std::to_string(base::SystemRandom().next()))};
    Rotation() {
        fs::create_directories(data.root);
        EXPECT_TRUE(make_keys(data, {.name = "acme/one"}, {}, random));
    }
    ~Rotation() override { fs::remove_all(data.root); }
    KeyChangeParts parts() { return {data, config, environment, clock, random}; }
};

TEST_F(Rotation, replaces_each_set_of_keys_under_its_name_and_a_revoked_one_no_more) {
    for (const KeyPurpose purpose : {KeyPurpose::identity, KeyPurpose::log, KeyPurpose::witness}) {
        const auto before = crypto::read_key_file(key_file(data, purpose));
        const auto done = rotate_keys(parts(), purpose, "yearly", "");
        ASSERT_TRUE(done) << done.error().message;
        const auto after = crypto::read_key_file(key_file(data, purpose));
        EXPECT_EQ(after->name, before->name);
        EXPECT_NE(after->public_keys, before->public_keys);
        ASSERT_EQ(key_history(data, purpose)->former.size(), 1U);
        EXPECT_EQ(key_history(data, purpose)->former[0], before->public_keys);
        EXPECT_TRUE(refuse_revoked(data, purpose));
        ASSERT_TRUE(revoke_keys(parts(), purpose, "stolen"));
        EXPECT_EQ(refuse_revoked(data, purpose).error().code, "keys_revoked");
        EXPECT_EQ(rotate_keys(parts(), purpose, "too late", "").error().kind, base::ErrorKind::denied);
    }
    EXPECT_EQ(key_statements(data)->size(), 6U);
}

TEST_F(Rotation, ends_as_the_old_keys_or_the_new_wherever_it_was_cut_off) {
    const fs::path file = key_file(data, KeyPurpose::log);
    const fs::path next = file.string() + ".next";
    fs::copy_file(file, data.root / "old");
    // A new file that no statement speaks of.
    fs::copy_file(key_file(data, KeyPurpose::witness), next);
    ASSERT_TRUE(finish_rotations(data));
    EXPECT_FALSE(fs::exists(next));
    ASSERT_TRUE(rotate_keys(parts(), KeyPurpose::log, "yearly", ""));
    const auto now = crypto::read_key_file(file)->public_keys;
    // The last step undone.
    fs::rename(file, next);
    fs::copy_file(data.root / "old", file);
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    ASSERT_TRUE(finish_rotations(data));
    EXPECT_FALSE(fs::exists(next));
    EXPECT_EQ(crypto::read_key_file(file)->public_keys, now);
}

TEST_F(Rotation, waits_for_a_node_that_runs) {
    const auto lock = DataLock::take(data);
    ASSERT_TRUE(lock);
    EXPECT_EQ(rotate_keys(parts(), KeyPurpose::identity, "yearly", "").error().code, "already_running");
    EXPECT_EQ(revoke_keys(parts(), KeyPurpose::identity, "stolen").error().code, "already_running");
}

}  // namespace
}  // namespace hanse::node
