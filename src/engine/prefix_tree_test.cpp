// SPDX-License-Identifier: Apache-2.0
#include "prefix_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace hanse::engine {
namespace {

using Tokens = std::vector<TokenId>;

std::vector<PrefixTree::Match> matches(const PrefixTree& tree, const std::string& key, const Tokens& tokens) {
    std::vector<PrefixTree::Match> out;
    tree.matches(key, tokens, out);
    return out;
}

TEST(PrefixTree, finds_the_longest_beginning) {
    PrefixTree tree;
    tree.put(1, "a", Tokens{1, 2, 3, 4});
    tree.put(2, "a", Tokens{1, 2, 9});
    auto found = matches(tree, "a", {1, 2, 3, 7});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].holder, 1U);
    EXPECT_EQ(found[0].length, 3U);
    EXPECT_EQ(found[1].holder, 2U);
    EXPECT_EQ(found[1].length, 2U);
}

TEST(PrefixTree, keys_share_nothing) {
    PrefixTree tree;
    tree.put(1, "a", Tokens{1, 2, 3});
    EXPECT_TRUE(matches(tree, "b", {1, 2, 3}).empty());
}

TEST(PrefixTree, a_holder_grows_and_shrinks) {
    PrefixTree tree;
    tree.put(1, "a", Tokens{1, 2});
    tree.put(2, "a", Tokens{1, 2});
    tree.extend(1, Tokens{3, 4});
    tree.extend(1, Tokens{5});
    EXPECT_EQ(tree.tokens(1), (Tokens{1, 2, 3, 4, 5}));
    EXPECT_EQ(tree.shared_length(1), 2U);
    tree.trim(1, 3);
    EXPECT_EQ(tree.tokens(1), (Tokens{1, 2, 3}));
    EXPECT_EQ(tree.tokens(2), (Tokens{1, 2}));
    tree.drop(1);
    tree.drop(2);
    EXPECT_EQ(tree.nodes(), 0U);
    EXPECT_EQ(tree.holders(), 0U);
}

// A map from holder to tokens is the same thing, only slower.
TEST(PrefixTree, agrees_with_a_list_whatever_happens) {
    std::mt19937 random(20261124);
    for (int round = 0; round < 50; ++round) {
        PrefixTree tree;
        std::map<PrefixTree::Holder, std::pair<std::string, Tokens>> list;
        for (int step = 0; step < 200; ++step) {
            auto holder = static_cast<PrefixTree::Holder>(random() % 8);
            std::string key = random() % 2 ? "x" : "y";
            Tokens tokens;
            for (auto i = 1 + random() % 6; i > 0; --i) tokens.push_back(static_cast<TokenId>(random() % 3));
            switch (random() % 5) {
                case 0: tree.drop(holder), list.erase(holder); break;
                case 1:
                    tree.extend(holder, tokens);
                    if (list.contains(holder)) list[holder].second.insert(list[holder].second.end(), tokens.begin(), tokens.end());
                    break;
                case 2: {
                    auto length = static_cast<std::uint32_t>(random() % 5);
                    tree.trim(holder, length);
                    if (list.contains(holder) && list[holder].second.size() > length) list[holder].second.resize(length);
                    if (list.contains(holder) && length == 0) list.erase(holder);
                    break;
                }
                default: tree.put(holder, key, tokens), list[holder] = {key, tokens}; break;
            }
            ASSERT_EQ(tree.holders(), list.size());
            for (const auto& [one, held] : list) ASSERT_EQ(tree.tokens(one), held.second);
            Tokens asked;
            for (int i = 0; i < 6; ++i) asked.push_back(static_cast<TokenId>(random() % 3));
            std::map<PrefixTree::Holder, std::uint32_t> expected;
            for (const auto& [one, held] : list) {
                auto same = static_cast<std::uint32_t>(std::ranges::mismatch(held.second, asked).in1 - held.second.begin());
                if (held.first == "x" && same > 0) expected[one] = same;
            }
            std::map<PrefixTree::Holder, std::uint32_t> found;
            for (auto match : matches(tree, "x", asked)) found[match.holder] = match.length;
            ASSERT_EQ(found, expected);
        }
        for (auto& [holder, held] : list) tree.drop(holder);
        EXPECT_EQ(tree.nodes(), 0U);
    }
}

}  // namespace
}  // namespace hanse::engine
