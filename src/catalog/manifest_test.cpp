// SPDX-License-Identifier: Apache-2.0
#include "catalog/manifest.hpp"

#include <gtest/gtest.h>

namespace hanse::catalog {
namespace {

Manifest sample() {
    return {.name = "m", .source = "hf:o/r:m.gguf", .revision = std::string(40, 'a'), .licence = "apache-2.0", .added_at = "2026-11-24T05:00:00Z", .description = {}, .files = {{"m.gguf", 12, std::string(64, 'b')}}};
}

TEST(Manifest, comes_back_as_it_was_written) {
    const auto read = Manifest::parse(sample().json());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, sample());
    EXPECT_EQ(read->bytes(), 12U);
}

TEST(Manifest, members_of_a_newer_version_do_no_harm) {
    std::string json = sample().json();
    json.insert(1, "\"shape\": [1, 2],");
    EXPECT_TRUE(Manifest::parse(json));
}

TEST(Manifest, a_file_outside_its_folder_is_corrupt) {
    for (const char* name : {"../m.gguf", "a/m.gguf", "/etc/passwd", ""}) {
        Manifest bad = sample();
        bad.files[0].name = name;
        const auto read = Manifest::parse(bad.json());
        ASSERT_FALSE(read) << name;
        EXPECT_EQ(read.error().kind, base::ErrorKind::corrupt);
    }
}

TEST(Manifest, hashes_and_names_must_be_what_they_claim) {
    Manifest bad = sample();
    bad.files[0].sha256 = "B" + std::string(63, 'b');
    EXPECT_FALSE(Manifest::parse(bad.json()));
    bad = sample();
    bad.name = "../m";
    EXPECT_FALSE(Manifest::parse(bad.json()));
    bad = sample();
    bad.files.clear();
    EXPECT_FALSE(Manifest::parse(bad.json()));
    EXPECT_FALSE(Manifest::parse("null"));
    EXPECT_FALSE(Manifest::parse(""));
}

}  // namespace
}  // namespace hanse::catalog
