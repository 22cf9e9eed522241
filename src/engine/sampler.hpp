// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/generate.hpp"

namespace hanse::engine {

// The first of the largest; -1 if none is a number. What temperature 0 answers with.
TokenId likeliest(std::span<const float> logits);

// Draws tokens for one sequence: bias, penalties, top-k, top-p, min-p, temperature, in the order that users of
// local models know. The same seed and the same logits give the same tokens. Pure, one owner; after its first
// tokens it allocates nothing.
//
// Logits are changed in place by bias and penalties. A constraint comes in as a word per 64 tokens, as late as
// possible: draw first, ask whether it is accepted, and only then draw again with the mask.
class Sampler {
public:
    Sampler(SamplingOptions options, std::uint64_t seed_if_none);

    // Applies bias and penalties; once per token, before draw().
    void prepare(std::span<float> logits);
    // -1: nothing may be drawn.
    TokenId draw(std::span<const float> logits, std::span<const std::uint64_t> allowed = {});
    // The token becomes part of the sequence (also those of the prompt's end and forced ones).
    void accept(TokenId token);

    // Greedy without anything that changes the order: likeliest() is all there is to do.
    bool is_plain_greedy() const { return plain_greedy_; }
    bool is_greedy() const { return options_.temperature <= 0.0F; }
    bool wants_logprobs() const { return options_.top_logprobs.has_value(); }
    // Of the model's own distribution, before bias and penalties. `top` is filled with pairs, likeliest first.
    struct Scored { TokenId token; float logprob; };
    void logprobs(std::span<const float> logits, TokenId chosen, Scored& out, std::vector<Scored>& top);
    const SamplingOptions& options() const { return options_; }

private:
    struct Candidate { float logit; TokenId token; };
    double uniform();
    void gather(std::span<const float> logits, std::span<const std::uint64_t> allowed);

    SamplingOptions options_;
    bool plain_greedy_;
    std::uint64_t random_;
    std::vector<Candidate> candidates_;
    // The window as a ring, and how often each of its tokens is in it.
    std::vector<TokenId> window_;
    std::size_t window_next_ = 0;
    struct Count { TokenId token; std::int32_t count; };
    std::vector<Count> counts_;
};

}  // namespace hanse::engine
