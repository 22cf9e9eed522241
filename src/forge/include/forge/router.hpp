// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "forge/statistics.hpp"

namespace hanse::forge {

// The rows of `blk.N.ffn_gate_inp` for all layers: experts × width each, without a bias, since the architecture "llama" has
// none. The engine takes softmax(rows · x), keeps the best and brings their weights to sum 1.
struct Router {
    std::uint32_t experts = 0;
    std::uint32_t width = 0;
    std::vector<std::vector<float>> layers;
    bool operator==(const Router&) const = default;
};

// Rows of unit length weigh owners alike; as they are solved, a row's product with x estimates P(owner | x).
enum class RowLength : std::uint8_t { unit, as_solved };
struct RidgeOptions {
    double penalty = 0.01;     // λ
    double temperature = 1.0;  // of the softmax, folded into the rows
    RowLength length = RowLength::unit;
};

// W = (Σ A_e + λI)⁻¹ [s_1 … s_E], each row brought to length 1 (DUME, arXiv 2603.29765, without the bias). Only the sum of
// the products is needed, so it may come out of a secure sum. Computed in double with one order of operations: the same
// sums give the same bytes on every machine of this architecture.
// `invalid`: shapes differ, nobody is there, or the matrix is not positive (raise the penalty).
base::Result<Router> ridge_router(const Statistics& total, std::span<const Statistics* const> owners, const RidgeOptions& options = {});

// Each row the mean of what the owner's feed-forward part reads, of length 1 (FlexOlmo, arXiv 2507.07024, with hidden states in
// place of embeddings). A row depends on its owner alone, so leaving takes a row away and changes no other.
base::Result<Router> means_router(std::span<const Statistics* const> owners, double temperature = 1.0);

// mergekit-moe's other ways, on what the caller read from the model: one row for each owner and layer. `positive` and
// `negative` are states of prompts, averaged; the difference of their means, of length 1.
struct PromptStates {
    std::vector<std::vector<float>> positive;  // a prompt each, `width` numbers
    std::vector<std::vector<float>> negative = {};
};
base::Result<std::vector<float>> prompt_row(const PromptStates& states, std::size_t width);
// Uniform in [0, 1) or normal, of length 1 for each row.
enum class RandomRows : std::uint8_t { uniform, normal };
Router random_router(std::uint32_t layers, std::uint32_t experts, std::uint32_t width, RandomRows how, base::Random& random);

}  // namespace hanse::forge
