// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/generate.hpp"

namespace hanse::engine {

// Guesses what comes next from what came before: where the last three tokens stood earlier in the prompt or
// the answer, what followed them there is likely to follow again (code being edited, a text being quoted).
// Keeps count of how often it was right, so that it is asked only while that pays. Pure; one per answer.
class PromptLookup {
public:
    // Guesses up to `most` tokens after `tokens`, which may only have grown since the last call.
    void guess(std::span<const TokenId> tokens, std::uint32_t most, std::vector<TokenId>& out);
    // Of `drafted` guesses the first `accepted` were right.
    void judged(std::uint32_t drafted, std::uint32_t accepted);
    // Chance that the next guess is right.
    double probability() const { return probability_; }

private:
    static constexpr std::size_t gram = 3;
    static std::uint64_t hash(std::span<const TokenId> tokens);

    std::unordered_map<std::uint64_t, std::uint32_t> follows_;  // hash of three tokens: where the next one stands
    std::size_t seen_ = 0;
    double probability_ = 0.75;
};

}  // namespace hanse::engine
