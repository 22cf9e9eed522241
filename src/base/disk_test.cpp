// SPDX-License-Identifier: Apache-2.0
#include "base/disk.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <algorithm>

#include "base/sim_disk.hpp"

namespace hanse::base {
namespace {

std::string text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The same claims for the real disk and the simulated one.
void behaves_like_a_disk(Disk& disk, const std::filesystem::path& root) {
    ASSERT_TRUE(disk.make_folders(root / "a/b"));
    ASSERT_TRUE(disk.make_folders(root / "a/b"));
    EXPECT_EQ(disk.open(root / "a/none", Disk::Open::existing).error().kind, ErrorKind::not_found);
    EXPECT_EQ(disk.open(root / "x/none", Disk::Open::create).error().kind, ErrorKind::not_found);
    {
        const auto file = disk.open(root / "a/file", Disk::Open::create);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write(4, bytes_of("moin")));
        ASSERT_TRUE((*file)->write(0, bytes_of("ahoi")));
        ASSERT_TRUE((*file)->sync());
        EXPECT_EQ(*(*file)->size(), 8U);
        Bytes out(20);
        EXPECT_EQ(*(*file)->read(2, out), 6U);
        ASSERT_TRUE((*file)->truncate(5));
    }
    EXPECT_EQ(text(*disk.read_whole(root / "a/file", 100)), "ahoim");
    EXPECT_EQ(disk.read_whole(root / "a/file", 4).error().kind, ErrorKind::too_large);
    ASSERT_TRUE(disk.replace(root / "a/file", bytes_of("new")));
    EXPECT_EQ(text(*disk.read_whole(root / "a/file", 100)), "new");
    EXPECT_EQ(*disk.list(root / "a"), (std::vector<std::string>{"b", "file"}));
    EXPECT_FALSE(disk.remove(root / "a"));
    ASSERT_TRUE(disk.remove(root / "a/file"));
    ASSERT_TRUE(disk.remove(root / "a/file"));
    ASSERT_TRUE(disk.remove(root / "a/b"));
    EXPECT_EQ(disk.list(root / "a/b").error().kind, ErrorKind::not_found);
    ASSERT_TRUE(disk.sync_folder(root / "a"));
    ASSERT_TRUE(disk.sync_all(root));
}

TEST(Disk, real_and_simulated_do_the_same) {
    std::string root = (std::filesystem::temp_directory_path() / "hanse-disk-XXXXXX").string();
    ASSERT_NE(mkdtemp(root.data()), nullptr);
    SystemDisk real;
    behaves_like_a_disk(real, root);
    std::filesystem::remove_all(root);
    SimDisk simulated;
    behaves_like_a_disk(simulated, "/sim");
}

TEST(SystemDisk, keeps_files_to_their_owner) {
    std::string root = (std::filesystem::temp_directory_path() / "hanse-disk-XXXXXX").string();
    ASSERT_NE(mkdtemp(root.data()), nullptr);
    SystemDisk disk;
    ASSERT_TRUE(disk.write_whole(std::filesystem::path(root) / "file", bytes_of("x")));
    struct stat facts{};
    ASSERT_EQ(stat((root + "/file").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    std::filesystem::remove_all(root);
}

TEST(SimDisk, keeps_what_was_synced_and_sometimes_loses_or_tears_the_rest) {
    int kept = 0, lost = 0, torn = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimDisk disk;
        SeededRandom random(seed);
        ASSERT_TRUE(disk.make_folder("/d"));
        ASSERT_TRUE(disk.sync_folder("/"));
        auto file = *disk.open("/d/f", Disk::Open::create);
        ASSERT_TRUE(file->write(0, Bytes(600, std::byte{1})));
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(disk.sync_folder("/d"));
        ASSERT_TRUE(file->write(600, Bytes(2000, std::byte{2})));
        disk.cut_power_after(1);
        EXPECT_FALSE(file->sync());
        EXPECT_FALSE(disk.has_power());
        EXPECT_FALSE(disk.read_whole("/d/f", 9999));
        disk.restart(random);
        EXPECT_FALSE(file->size());  // a file of before
        const auto now = *disk.read_whole("/d/f", 9999);
        ASSERT_GE(now.size(), 600U);
        EXPECT_EQ(std::ranges::count(std::span(now).first(600), std::byte{1}), 600);
        const auto there = std::ranges::count(now, std::byte{2});
        (there == 2000 ? kept : there == 0 ? lost : torn)++;
    }
    EXPECT_GT(kept, 20);
    EXPECT_GT(lost, 20);
    EXPECT_GT(torn, 20);
}

TEST(SimDisk, may_lose_names_whose_folder_was_not_synced_and_replaces_whole) {
    int old = 0, fresh = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimDisk disk;
        SeededRandom random(seed);
        ASSERT_TRUE(disk.make_folder("/d"));
        ASSERT_TRUE(disk.sync_folder("/"));
        ASSERT_TRUE(disk.replace("/d/f", bytes_of("old")));
        disk.cut_power_after(4 + seed % 2);  // write, sync, rename, folder
        EXPECT_FALSE(disk.replace("/d/f", bytes_of("new")));
        disk.restart(random);
        const auto now = text(*disk.read_whole("/d/f", 9));
        EXPECT_TRUE(now == "old" || now == "new") << now;
        (now == "old" ? old : fresh)++;
    }
    EXPECT_GT(old, 10);
    EXPECT_GT(fresh, 10);
}

TEST(SimDisk, is_full_at_its_limit) {
    SimDisk disk;
    disk.limit(10);
    const auto full = disk.write_whole("f", Bytes(11));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, "disk_full");
}

}  // namespace
}  // namespace hanse::base
