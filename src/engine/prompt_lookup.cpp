// SPDX-License-Identifier: Apache-2.0
#include "prompt_lookup.hpp"

#include <algorithm>

namespace hanse::engine {

std::uint64_t PromptLookup::hash(std::span<const TokenId> tokens) {
    std::uint64_t value = 0x9e3779b97f4a7c15ULL;
    for (auto token : tokens) {
        value ^= static_cast<std::uint64_t>(static_cast<std::uint32_t>(token));
        value *= 0xff51afd7ed558ccdULL;
        value ^= value >> 32;
    }
    return value;
}

void PromptLookup::guess(std::span<const TokenId> tokens, std::uint32_t most, std::vector<TokenId>& out) {
    out.clear();
    if (tokens.size() <= gram) return;
    // The very end is left out of the table: it must find an earlier place, not itself.
    for (auto end = std::max(seen_, gram); end < tokens.size(); ++end)
        follows_[hash(tokens.subspan(end - gram, gram))] = static_cast<std::uint32_t>(end);
    seen_ = tokens.size();
    auto tail = tokens.last(gram);
    auto found = follows_.find(hash(tail));
    if (found == follows_.end()) return;
    auto at = found->second;
    if (!std::ranges::equal(tokens.subspan(at - gram, gram), tail)) return;  // another trigram with the same hash
    for (std::uint32_t i = 0; i < most && at + i < tokens.size(); ++i) out.push_back(tokens[at + i]);
}

void PromptLookup::judged(std::uint32_t drafted, std::uint32_t accepted) {
    if (drafted == 0) return;
    // Each right guess and the first wrong one are trials; what stands behind a wrong one tells nothing.
    for (std::uint32_t i = 0; i < accepted; ++i) probability_ += 0.1 * (1.0 - probability_);
    if (accepted < drafted) probability_ -= 0.1 * probability_;
}

}  // namespace hanse::engine
