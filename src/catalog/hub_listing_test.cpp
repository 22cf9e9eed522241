// SPDX-License-Identifier: Apache-2.0
#include "catalog/hub_listing.hpp"

#include <format>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hanse::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string commit(40, 'a');
const std::string hash(64, 'b');

std::string sibling(std::string_view path, std::uint64_t size = 10) {
    return std::format(R"({{"rfilename":"{}","size":{},"blobId":"x","lfs":{{"sha256":"{}","size":{},"pointerSize":134}}}})", path, size, hash, size);
}

HubListing listing(std::initializer_list<std::string_view> paths) {
    HubListing made{.commit = commit};
    for (const std::string_view path : paths) made.files.push_back({.path = std::string(path), .size = 1, .sha256 = hash});
    return made;
}

std::vector<std::string> names(const base::Result<std::vector<HubFile>>& files) {
    std::vector<std::string> out;
    if (files)
        for (const HubFile& file : *files) out.push_back(file.path);
    return out;
}

TEST(HubListing, reads_what_the_hub_says) {
    const auto read = HubListing::parse(std::format(R"({{"_id":"1","id":"o/r","sha":"{}","gated":"auto","tags":["gguf","license:mit"],"cardData":{{"license":"apache-2.0","language":["de"]}},)"
                                                    R"("siblings":[{},{{"rfilename":"README.md","size":5}}]}})",
                                                    commit, sibling("m.gguf", 123)));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->commit, commit);
    EXPECT_EQ(read->licence, "apache-2.0");
    EXPECT_TRUE(read->gated);
    EXPECT_THAT(read->files, ElementsAre(HubFile{"m.gguf", 123, hash}));
}

TEST(HubListing, a_licence_may_be_a_tag) {
    const auto read = HubListing::parse(std::format(R"({{"sha":"{}","gated":false,"tags":["license:mit"],"siblings":[]}})", commit));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->licence, "mit");
    EXPECT_FALSE(read->gated);
}

TEST(HubListing, a_hostile_answer_is_refused) {
    EXPECT_FALSE(HubListing::parse(""));
    EXPECT_FALSE(HubListing::parse("[]"));
    EXPECT_FALSE(HubListing::parse(R"({"sha":"zz","siblings":[]})"));
    EXPECT_FALSE(HubListing::parse(std::format(R"({{"sha":"{}","siblings":[{}]}})", commit, sibling("../../etc/x.gguf"))));
    EXPECT_FALSE(HubListing::parse(std::format(R"({{"sha":"{}","siblings":[{{"rfilename":"m.gguf","size":1,"lfs":{{"sha256":"short","size":1}}}}]}})", commit)));
    EXPECT_FALSE(HubListing::parse(std::format(R"({{"sha":"{}","siblings":[{}]}})", commit, sibling("m.gguf", 1ULL << 60))));
}

TEST(ChooseFiles, takes_the_medium_quantisation) {
    EXPECT_THAT(names(choose_files(listing({"m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf"}), "")), ElementsAre("m-Q4_K_M.gguf"));
    EXPECT_THAT(names(choose_files(listing({"m.q4_k_m.gguf", "m.q8_0.gguf"}), "")), ElementsAre("m.q4_k_m.gguf"));
}

TEST(ChooseFiles, takes_the_only_one) { EXPECT_THAT(names(choose_files(listing({"mmproj-m.gguf", "m-Q8_0.gguf"}), "")), ElementsAre("m-Q8_0.gguf")); }

TEST(ChooseFiles, lists_the_choices_when_it_cannot_know) {
    const auto chosen = choose_files(listing({"a-Q8_0.gguf", "b-Q8_0.gguf"}), "");
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().kind, base::ErrorKind::invalid);
    EXPECT_THAT(chosen.error().message, HasSubstr("\n  a-Q8_0.gguf  (0.00 GB)\n  b-Q8_0.gguf"));
}

TEST(ChooseFiles, all_parts_of_a_split_file_come_along) {
    const auto three = listing({"m-Q4_K_M-00001-of-00003.gguf", "m-Q4_K_M-00002-of-00003.gguf", "m-Q4_K_M-00003-of-00003.gguf"});
    EXPECT_EQ(names(choose_files(three, "")).size(), 3U);
    EXPECT_EQ(names(choose_files(three, "m-Q4_K_M-00001-of-00003.gguf")).size(), 3U);
    EXPECT_FALSE(choose_files(listing({"m-00001-of-00002.gguf"}), ""));
}

TEST(ChooseFiles, a_missing_file_is_not_found_and_what_is_there_is_told) {
    const auto chosen = choose_files(listing({"a.gguf"}), "b.gguf");
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().kind, base::ErrorKind::not_found);
    EXPECT_THAT(chosen.error().message, HasSubstr("a.gguf"));
    EXPECT_EQ(choose_files(listing({}), "").error().kind, base::ErrorKind::not_found);
}

TEST(PartsOf, only_a_sound_numbering_counts) {
    EXPECT_THAT(parts_of("x-00002-of-00002.gguf"), ElementsAre("x-00001-of-00002.gguf", "x-00002-of-00002.gguf"));
    EXPECT_EQ(parts_of("x-00003-of-00002.gguf").size(), 1U);
    EXPECT_EQ(parts_of("x-00000-of-00002.gguf").size(), 1U);
    EXPECT_EQ(parts_of("x-99999-of-99999.gguf").size(), 1U);
    EXPECT_EQ(parts_of("x.gguf").size(), 1U);
}

}  // namespace
}  // namespace hanse::catalog
