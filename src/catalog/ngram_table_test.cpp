// SPDX-License-Identifier: Apache-2.0
#include "catalog/ngram_table.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hanse::catalog {
namespace {

NgramCounts counted(std::string_view text) {
    NgramCounts counts;
    counts.add(text);
    return counts;
}

constexpr std::string_view german =
    "Der Antrag ist innerhalb eines Monats nach Bekanntgabe des Bescheides bei der Behoerde schriftlich zu stellen. ";
constexpr std::string_view python = "def total(items):\n    return sum(item.price for item in items if item.price is not None)\n";
constexpr std::string_view sums = "17 + 25 = 42; 104 + 9 = 113; 66 + 40 = 106; 38 + 12 = 50;\n";

NgramTable three() {
    NgramTable table;
    EXPECT_TRUE(table.join("law", counted(german)));
    EXPECT_TRUE(table.join("code", counted(python)));
    EXPECT_TRUE(table.join("sums", counted(sums)));
    return table;
}

TEST(NgramTable, finds_the_owner_whose_texts_a_request_is_like) {
    const auto table = three();
    EXPECT_EQ(table.scores("ist der Bescheid schriftlich").front().owner, "law");
    EXPECT_EQ(table.scores("return item.price if item").front().owner, "code");
    EXPECT_EQ(table.scores("25 + 17 = ").front().owner, "sums");
}

TEST(NgramTable, probabilities_of_the_owners_sum_to_one) {
    double sum = 0;
    for (const auto& one : three().scores("der Preis item.price = 12")) sum += one.probability;
    EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(NgramTable, having_left_is_never_having_joined_byte_for_byte) {
    auto left = three();
    ASSERT_TRUE(left.leave("code"));
    NgramTable never;
    ASSERT_TRUE(never.join("sums", counted(sums)));
    ASSERT_TRUE(never.join("law", counted(german)));
    EXPECT_EQ(left, never);
    EXPECT_EQ(left.to_bytes(), never.to_bytes());
}

TEST(NgramTable, counts_of_two_texts_are_the_sum_of_their_counts) {
    auto sum = counted(german);
    sum.add(counted(python));
    auto both = counted(python);
    both.add(german);
    EXPECT_EQ(sum, both);
}

TEST(NgramTable, a_model_of_a_text_gives_probabilities) {
    const auto counts = counted(python);
    double sum = 0;
    for (int last = 0; last < 256; ++last) {
        const std::string text = std::string("it") + static_cast<char>(last);
        sum += std::exp(counts.log_likelihood(text) * 3 - counts.log_likelihood("it") * 2);
    }
    EXPECT_NEAR(sum, 1, 0.05);  // cells that two runs share take a little
}

TEST(NgramTable, comes_back_as_it_was_written) {
    const auto bytes = three().to_bytes();
    const auto back = NgramTable::parse(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, three());
    EXPECT_EQ(back->to_bytes(), bytes);
}

TEST(NgramTable, refuses_every_cut_and_more_behind_the_end) {
    NgramTable small;
    ASSERT_TRUE(small.join("a", counted("abcabc")));
    auto bytes = small.to_bytes();
    for (std::size_t length = 0; length < bytes.size(); ++length) EXPECT_FALSE(NgramTable::parse(std::span(bytes).first(length))) << length;
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(NgramTable::parse(bytes));
}

TEST(NgramTable, refuses_names_that_are_taken_empty_or_no_text) {
    auto table = three();
    EXPECT_FALSE(table.join("law", {}));
    EXPECT_FALSE(table.join("", {}));
    EXPECT_FALSE(table.join("\xFF", {}));
    EXPECT_FALSE(table.leave("nobody"));
    EXPECT_EQ(table.leave("nobody").error().kind, base::ErrorKind::not_found);
}

TEST(NgramTable, says_nothing_of_an_empty_request) {
    for (const auto& one : three().scores("")) EXPECT_NEAR(one.probability, 1.0 / 3, 1e-12);
}

}  // namespace
}  // namespace hanse::catalog
