// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "catalog/files.hpp"
#include "digests.hpp"

namespace hanse::node {
namespace {

namespace fs = std::filesystem;

struct Keys : testing::Test {
    base::SystemRandom random;
    DataDirectory data{fs::temp_directory_path() / ("hanse_identity_" + std::to_string(base::SystemRandom().next()))};
    Keys() { fs::create_directories(data.root); }
    ~Keys() override { fs::remove_all(data.root); }
};

TEST_F(Keys, are_made_once_for_their_owner_only_and_open_again) {
    EXPECT_TRUE(make_keys(data, {.name = "acme/one"}, {}, random).value());
    EXPECT_FALSE(make_keys(data, {.name = "other"}, {}, random).value());
    for (const auto& file : {data.identity_key(), data.log_key(), data.witness_key()})
        EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write) << file;
    const auto keys = open_keys(data, {});
    ASSERT_TRUE(keys) << keys.error().message;
    EXPECT_EQ(keys->identity.identity().name(), "acme/one");
    EXPECT_EQ(keys->log.origin(), "acme/one/journal");
    const auto shown = shown_identity(data);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->identity.fingerprint(), keys->identity.identity().fingerprint());
    EXPECT_EQ(shown->log.size(), 2U);
    EXPECT_EQ(shown->witness.size(), 2U);
    EXPECT_EQ(shown->witness[0].name(), "acme/one/witness");
    EXPECT_FALSE(shown->protected_by_passphrase);
}

TEST_F(Keys, under_a_passphrase_open_only_with_it_and_are_shown_without) {
    std::ofstream(data.root / "phrase") << "open sesame\n";
    const auto passphrase = identity_passphrase({.passphrase_file = (data.root / "phrase").string()}, {});
    ASSERT_TRUE(passphrase);
    ASSERT_TRUE(make_keys(data, {.name = "acme/one", .profile = "bsi"}, *passphrase, random));
    EXPECT_EQ(open_keys(data, {}).error().kind, base::ErrorKind::denied);
    EXPECT_TRUE(open_keys(data, *passphrase));
    const auto shown = shown_identity(data);
    ASSERT_TRUE(shown);
    EXPECT_TRUE(shown->protected_by_passphrase);
    EXPECT_EQ(shown->identity.profile(), crypto::Profile::bsi);
}

TEST_F(Keys, the_service_managers_credential_is_the_passphrase_where_no_file_is_named) {
    const base::Environment environment{{"CREDENTIALS_DIRECTORY", data.root.string()}};
    EXPECT_TRUE(identity_passphrase({}, environment).value().empty());
    std::ofstream(data.root / "hanse-passphrase") << "secret";
    EXPECT_FALSE(identity_passphrase({}, environment).value().empty());
    EXPECT_TRUE(identity_passphrase({}, {}).value().empty());
    EXPECT_FALSE(identity_passphrase({.passphrase_file = "/nowhere/phrase"}, {}));
}

TEST_F(Keys, a_model_file_is_hashed_anew_when_it_changes_and_not_otherwise) {
    const fs::path file = data.root / "model.gguf";
    std::ofstream(file) << "weights";
    Digests digests(data.digests());
    const auto first = digests.of(file).value();
    EXPECT_EQ(first, catalog::sha256_of_file(file).value());
    // What the cache says is believed for the same inode, size and times.
    auto cached = catalog::read_file_whole(data.digests(), 1 << 20).value();
    cached.replace(cached.find(first), 64, std::string(64, 'a'));
    ASSERT_TRUE(catalog::write_file_whole(data.digests(), cached));
    EXPECT_EQ(digests.of(file).value(), std::string(64, 'a'));
    std::ofstream(file) << "others!";
    EXPECT_EQ(digests.of(file).value(), catalog::sha256_of_file(file).value());
}

}  // namespace
}  // namespace hanse::node
