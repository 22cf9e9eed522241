// SPDX-License-Identifier: Apache-2.0
#include "catalog/store.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "catalog/files.hpp"

namespace hanse::catalog {
namespace {

namespace fs = std::filesystem;

struct Stores : testing::Test {
    fs::path root = fs::temp_directory_path() / ("hanse-store-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
    Store store{root / "models", [](const fs::path&) -> base::Result<void> { return {}; }};
    fs::path file = root / "Some-Model.gguf";

    Stores() {
        fs::create_directories(root);
        std::ofstream(file) << "weights";
    }
    ~Stores() override { fs::remove_all(root); }
};

TEST_F(Stores, a_file_becomes_a_model_under_a_name_of_its_own) {
    const auto added = store.add(file, "", "MIT", base::WallTime{});
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(added->name, "some-model");
    EXPECT_EQ(added->licence, "MIT");
    EXPECT_EQ(added->added_at, "1970-01-01T00:00:00Z");
    EXPECT_EQ(added->files.front().size, 7U);
    EXPECT_EQ(store.find("some-model"), *added);
    EXPECT_TRUE(store.verify("some-model"));
    // Linked, not copied: the same file.
    EXPECT_EQ(fs::hard_link_count(file), 2U);
}

TEST_F(Stores, a_name_is_taken_once) {
    ASSERT_TRUE(store.add(file, "m", "", base::WallTime{}));
    EXPECT_EQ(store.add(file, "m", "", base::WallTime{}).error().code, "model_exists");
}

TEST_F(Stores, names_that_are_paths_are_refused) {
    for (const char* name : {"../m", "a/b", ".m", "m\n"}) EXPECT_FALSE(store.add(file, name, "", base::WallTime{})) << name;
    EXPECT_EQ(store.find("../../etc").error().kind, base::ErrorKind::not_found);
    EXPECT_EQ(store.remove("..").error().kind, base::ErrorKind::not_found);
}

TEST_F(Stores, what_changed_on_disk_is_corrupt) {
    ASSERT_TRUE(store.add(file, "m", "", base::WallTime{}));
    std::ofstream(file) << "weighty";  // the link's other name
    EXPECT_EQ(store.verify("m").error().kind, base::ErrorKind::corrupt);
}

TEST_F(Stores, an_unsound_file_leaves_nothing) {
    Store strict(root / "models", [](const fs::path&) -> base::Result<void> { return base::fail(base::ErrorKind::corrupt, "no GGUF"); });
    EXPECT_FALSE(strict.add(file, "m", "", base::WallTime{}));
    EXPECT_TRUE(strict.list().empty());
}

TEST_F(Stores, leftovers_are_no_model_and_a_damaged_manifest_is_named) {
    fs::create_directories(root / "models" / "half");
    fs::create_directories(root / "models" / "bad");
    std::ofstream(root / "models" / "bad" / "manifest.json") << "{";
    ASSERT_TRUE(store.add(file, "m", "", base::WallTime{}));
    std::vector<std::string> damaged;
    const auto models = store.list(&damaged);
    ASSERT_EQ(models.size(), 1U);
    EXPECT_THAT(damaged, testing::ElementsAre("bad"));
    EXPECT_TRUE(store.remove("bad"));
}

TEST_F(Stores, removed_means_gone) {
    ASSERT_TRUE(store.add(file, "m", "", base::WallTime{}));
    ASSERT_TRUE(store.remove("m"));
    EXPECT_FALSE(store.find("m"));
    EXPECT_FALSE(fs::exists(root / "models" / "m"));
    EXPECT_TRUE(fs::exists(file));
}

TEST_F(Stores, a_file_is_replaced_as_a_whole) {
    const fs::path target = root / "note";
    ASSERT_TRUE(write_file_whole(target, "one", 0600));
    ASSERT_TRUE(write_file_whole(target, "two", 0600));
    EXPECT_EQ(read_file_whole(target, 10), "two");
    EXPECT_EQ(fs::status(target).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(read_file_whole(target, 2).error().kind, base::ErrorKind::too_large);
    EXPECT_EQ(read_file_whole(root / "none", 2).error().kind, base::ErrorKind::not_found);
    EXPECT_EQ(std::distance(fs::directory_iterator(root), fs::directory_iterator()), 2);
}

}  // namespace
}  // namespace hanse::catalog
