// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// How well a model foretells a text, from its logits, one token after another. A value.
class TextScore {
public:
    // The logits behind what came before `right`.
    void add(std::span<const float> logits, std::int32_t right);

    std::size_t tokens() const { return tokens_; }
    double nats() const;        // mean of -log p a token
    double perplexity() const;  // its exponential
    double hits() const;        // share of tokens that were the likeliest

private:
    double sum_ = 0;
    std::size_t tokens_ = 0;
    std::size_t hits_ = 0;
};

// What a model gives away of a text word by word: beginnings of the text are put before it, and its likeliest continuation is
// compared with the true one (Carlini et al. 2023, "Quantifying Memorization Across Neural Language Models").
class ExtractionProbe {
public:
    void add(std::span<const std::int32_t> continuation, std::span<const std::int32_t> truth);

    std::size_t probes() const { return probes_; }
    double verbatim() const;  // share that came out whole
    double matched() const;   // mean number of tokens until the first wrong one
    std::size_t longest() const { return longest_; }

private:
    std::size_t probes_ = 0, whole_ = 0, sum_ = 0, longest_ = 0;
};

// Weights for which `loss` is small: one after another is moved up and down by a step that is halved when no move helps (pattern
// search, Hooke and Jeeves 1961). At most `evaluations` calls; weights stay within 0 and `most`. The first error ends it.
struct WeightSearch {
    double step = 0.25;
    double least_step = 0.03;
    double most = 2.0;
    std::size_t evaluations = 40;
};
struct FoundWeights {
    std::vector<double> weights;
    double loss = 0;
    double start_loss = 0;
    std::size_t evaluations = 0;
};
base::Result<FoundWeights> search_weights(std::vector<double> start, const WeightSearch& how,
                                          const std::function<base::Result<double>(std::span<const double>)>& loss);

}  // namespace hanse::forge
