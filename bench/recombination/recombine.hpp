// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/ngram_table.hpp"
#include "forge/reference_model.hpp"
#include "forge/router.hpp"
#include "forge/statistics.hpp"

namespace hanse::recombination {

using Models = std::vector<forge::LlamaModel>;  // the public one first, then the owners'; all with one trunk

// Merges of the feed-forward blocks, for the table: the mean of all; seed + λ Σ δ; TIES (arXiv 2306.01708) with the largest
// `density` of each tensor's differences.
forge::LlamaModel average_of(const Models& models);
forge::LlamaModel task_arithmetic(const Models& models, float lambda);
forge::LlamaModel ties(const Models& models, double density, float lambda);

// All blocks over the public trunk, chosen by the router.
forge::LlamaModel mixture_of(const Models& models, const forge::Router& router, std::uint32_t used);

// What each owner computes at home: its own texts through its own model.
forge::Statistics statistics_of(const forge::LlamaModel& model, const std::string& text, std::size_t tokens, std::size_t window);

// A token-level router with the context behind it, without training: what each token says is taken as evidence for an owner and
// added up along the text and over the layers passed so far, old evidence fading.
//   evidence(t) = keep · evidence(t-1) + weight · log max(p, floor),   p the ridge's estimate of P(owner | x), not normalised
// The logits of a layer are the mean of the layers' evidence up to it. State: one number an owner, layer and sequence.
struct Evidence {
    float keep = 1.0F;
    float weight = 0.3F;
    float floor = 0.02F;
};
forge::RouterLogits evidence_router(const Evidence& evidence, std::size_t owners, std::size_t window);
// Mean of the logits over all tokens so far, times `sharpness`.
forge::RouterLogits prefix_mean_router(float sharpness, std::size_t owners, std::size_t window);
// The owners' n-gram tables in place of hidden states: log p of the bytes so far.
forge::RouterLogits ngram_router(const catalog::NgramTable& table, std::span<const std::string> owners, const forge::Windows& windows);

}  // namespace hanse::recombination
