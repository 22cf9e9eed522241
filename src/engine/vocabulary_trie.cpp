// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <unordered_map>

#include "grammar_matcher.hpp"

namespace hanse::engine {

std::size_t TokenMask::count() const {
    std::size_t sum = 0;
    for (const auto word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
}

bool TokenMask::empty() const {
    return std::ranges::all_of(words_, [](auto word) { return word == 0; });
}

VocabularyTrie::VocabularyTrie(std::span<const std::string> pieces, std::span<const TokenId> control, std::span<const TokenId> end)
    : pieces_(pieces.begin(), pieces.end()), kinds_(pieces.size(), Kind::text) {
    const auto known = [&](TokenId token) { return token >= 0 && static_cast<std::size_t>(token) < pieces_.size(); };
    for (const auto token : control)
        if (known(token)) kinds_[static_cast<std::size_t>(token)] = Kind::control;
    for (const auto token : end)
        if (known(token)) kinds_[static_cast<std::size_t>(token)] = Kind::end;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        if (kinds_[i] == Kind::control) control_.push_back(static_cast<TokenId>(i));
        if (kinds_[i] == Kind::end) end_.push_back(static_cast<TokenId>(i));
    }
    build();
}

// Sorted tokens are the trie in the order of a walk: each differs from the one before by a new tail.
void VocabularyTrie::build() {
    constexpr std::size_t length_max = 60'000;  // depths are 16 bits wide
    for (std::size_t i = 0; i < pieces_.size(); ++i)
        if (kinds_[i] == Kind::text && !pieces_[i].empty() && pieces_[i].size() <= length_max) order_.push_back(static_cast<TokenId>(i));
    std::ranges::stable_sort(order_, {}, [&](TokenId t) { return std::string_view(pieces_[static_cast<std::size_t>(t)]); });

    std::vector<std::uint32_t> path;  // nodes from the top to the last token's
    const auto leave = [&](std::size_t depth) {
        for (; path.size() > depth; path.pop_back()) nodes_[path.back()].next = static_cast<std::uint32_t>(nodes_.size());
    };
    std::string_view before;
    for (std::uint32_t i = 0; i < order_.size(); ++i) {
        const auto token = piece(order_[i]);
        const auto common = static_cast<std::size_t>(std::ranges::mismatch(before, token).in1 - before.begin());
        leave(common);
        for (auto depth = common; depth < token.size(); ++depth) {
            path.push_back(static_cast<std::uint32_t>(nodes_.size()));
            nodes_.push_back({0, i, 0, static_cast<std::uint16_t>(depth + 1), static_cast<std::uint8_t>(token[depth])});
        }
        before = token;
    }
    leave(0);
    const auto size = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({size, static_cast<std::uint32_t>(order_.size()), 0, 0, 0});

    // Which bytes occur below a node, from the leaves up; equal sets are kept once.
    std::vector<ByteSet> below(size);
    for (auto i = size; i-- > 0;) {
        for (auto child = i + 1; child < nodes_[i].next; child = nodes_[child].next) {
            for (std::size_t w = 0; w < 4; ++w) below[i].bits[w] |= below[child].bits[w];
            below[i].bits[nodes_[child].byte / 64] |= std::uint64_t{1} << (nodes_[child].byte % 64);
        }
    }
    const auto hash = [](const ByteSet& set) {
        std::uint64_t h = 0;
        for (const auto bits : set.bits) h = (h ^ bits) * 0x9e3779b97f4a7c15U + (h >> 29);
        return static_cast<std::size_t>(h);
    };
    std::unordered_map<ByteSet, std::uint32_t, decltype(hash)> index(1024, hash);
    for (std::uint32_t i = 0; i < size; ++i) {
        const auto [at, added] = index.try_emplace(below[i], static_cast<std::uint32_t>(byte_sets_.size()));
        if (added) byte_sets_.push_back(below[i]);
        nodes_[i].below = at->second;
    }
}

}  // namespace hanse::engine
