// SPDX-License-Identifier: Apache-2.0
#include "forge/sum_round.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <format>

#include "catalog/files.hpp"
#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

namespace fs = std::filesystem;

// Three owners with homes of their own and pair secrets carried between them, and a folder that all see.
class SumRoundTest : public testing::Test {
protected:
    void SetUp() override {
        for (const auto& member : members_) fs::create_directories(folder_ / member);
        for (std::size_t i = 0; i < members_.size(); ++i)
            for (std::size_t j = i + 1; j < members_.size(); ++j) {
                const auto file = folder_ / members_[i] / (members_[j] + ".pair");
                ASSERT_TRUE(make_pair(file, random_));
                fs::copy_file(file, folder_ / members_[j] / (members_[i] + ".pair"));
            }
        ASSERT_TRUE(begin_sum(round(), "router of May", members_, 2, random_));
    }
    fs::path round() const { return folder_ / "round"; }
    SumPlace place(const std::string& member) const { return {round(), folder_ / member, member}; }
    static SumVector numbers(std::uint64_t first) { return {"numbers", {first, first * first, std::uint64_t{0} - first, 1}}; }
    void share_all() {
        for (const auto& member : members_) ASSERT_TRUE(share_sum(place(member), random_)) << member;
    }
    std::string text(const fs::path& file) const { return *catalog::read_file_whole(file, 1 << 20); }

    std::vector<std::string> members_{"law", "code", "public"};
    base::SeededRandom random_{5};
    TemporaryFolder folder_;
};

TEST_F(SumRoundTest, adds_up_what_nobody_sees) {
    share_all();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(mask_sum(place(members_[i]), numbers(10 + i)));
    ASSERT_EQ(close_sum(round())->size(), 3u);
    for (const auto& member : members_) ASSERT_TRUE(reveal_sum(place(member)));
    const auto sum = finish_sum(round());
    ASSERT_TRUE(sum) << sum.error().message;
    EXPECT_EQ(sum->numbers, (std::vector<std::uint64_t>{33, 100 + 121 + 144, std::uint64_t{0} - 33, 3}));
    EXPECT_EQ(sum->layout, "numbers");
}

TEST_F(SumRoundTest, survives_one_that_never_sends_and_one_that_sends_and_goes) {
    share_all();
    ASSERT_TRUE(mask_sum(place("law"), numbers(10)));
    EXPECT_FALSE(close_sum(round())) << "one alone would be uncovered";
    ASSERT_TRUE(mask_sum(place("public"), numbers(12)));
    EXPECT_EQ(*close_sum(round()), (std::vector<std::string>{"law", "public"}));
    ASSERT_TRUE(reveal_sum(place("law")));
    EXPECT_FALSE(finish_sum(round())) << "one reveal is less than the threshold";
    ASSERT_TRUE(reveal_sum(place("public")));
    const auto sum = finish_sum(round());
    ASSERT_TRUE(sum) << sum.error().message;
    EXPECT_EQ(sum->numbers[0], 22u);
    EXPECT_FALSE(reveal_sum(place("code"))) << "who did not send has nothing to say";
}

TEST_F(SumRoundTest, gives_the_same_file_again_and_refuses_what_would_uncover) {
    share_all();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(mask_sum(place(members_[i]), numbers(10 + i)));
    const auto before = text(round() / "law.masked.safetensors");
    ASSERT_TRUE(mask_sum(place("law"), numbers(10)));
    EXPECT_EQ(text(round() / "law.masked.safetensors"), before);
    EXPECT_EQ(mask_sum(place("law"), numbers(11)).error().kind, base::ErrorKind::denied);
    ASSERT_TRUE(close_sum(round()));
    ASSERT_TRUE(reveal_sum(place("law")));
    ASSERT_TRUE(catalog::write_file_whole(round() / "sent.txt", "law\ncode\n"));
    EXPECT_EQ(reveal_sum(place("law")).error().kind, base::ErrorKind::denied);
    ASSERT_TRUE(reveal_sum(place("code")));
    EXPECT_TRUE(finish_sum(round()).error().message.contains("another list"));
}

TEST_F(SumRoundTest, notices_shares_that_were_changed_or_sealed_for_another) {
    share_all();
    auto shares = text(round() / "code.shares");
    const auto at = shares.find("law ") + 10;
    shares[at] = shares[at] == 'A' ? 'B' : 'A';
    ASSERT_TRUE(catalog::write_file_whole(round() / "code.shares", shares));
    EXPECT_TRUE(mask_sum(place("law"), numbers(1)).error().message.contains("does not open"));
    EXPECT_TRUE(mask_sum(place("public"), numbers(1)));
}

TEST_F(SumRoundTest, adds_only_what_is_the_same_thing) {
    share_all();
    ASSERT_TRUE(mask_sum(place("law"), numbers(1)));
    ASSERT_TRUE(mask_sum(place("code"), {"other numbers", {1, 2, 3, 4}}));
    ASSERT_TRUE(close_sum(round()));
    EXPECT_TRUE(finish_sum(round()).error().message.contains("something else"));
}

TEST_F(SumRoundTest, keeps_its_seed_to_itself) {
    share_all();
    for (const auto& entry : fs::directory_iterator(folder_ / "law"))
        if (entry.path().extension() == ".state" || entry.path().extension() == ".pair") {
            EXPECT_EQ(entry.status().permissions() & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write) << entry.path();
        }
    EXPECT_FALSE(begin_sum(round(), "again", members_, 2, random_)) << "a round is not begun twice";
}

TEST(SumPlanTest, names_the_line_that_is_wrong) {
    const std::string number(64, 'a');
    const auto good = std::format("hanse-sum 1\nname x\nnumber {}\nthreshold 2\nmember a\nmember b\n", number);
    ASSERT_TRUE(SumPlan::parse(good));
    for (const auto& [from, to] : {std::pair("member b", "member ../b"),
                                   {"member b", "member a"},
                                   {"threshold 2", "threshold 3"},
                                   {"threshold 2", "threshold 1"},
                                   {"number a", "number x"},
                                   {"hanse-sum 1", "hanse-sum 2"},
                                   {"member b\n", ""}}) {
        auto bad = good;
        bad.replace(bad.find(from), std::string_view(from).size(), to);
        EXPECT_TRUE(SumPlan::parse(bad).error().message.contains("round.txt, line")) << to;
    }
}

}  // namespace
}  // namespace hanse::forge
