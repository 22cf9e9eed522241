// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "forge/crew.hpp"
#include "forge/router.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// Models that owners made from one public model by training its feed-forward blocks alone, put together into one: a GGUF file of the
// architecture "llama" with experts, which the engine runs as it is. Attention, norms, embeddings and head are the public model's, the
// trunk, and must be so byte for byte in every owner's file.
//
// Experts are stacked outermost (blk.N.ffn_{gate,up,down}_exps), so an expert is one piece of each tensor and one row of
// blk.N.ffn_gate_inp. Joining and leaving copy bytes and compute nothing but the router, whatever the weights' type. Expert 0 is the
// public model's own block, and is called "public". What each expert is stands in the metadata:
//   hanse.mixture.trunk, .router, .used, .penalty, .temperature
//   hanse.expert.N.name, .owner, .licence, .label, .output_floor, .digest (SHA-256 of its blocks, in hex)
// A mixture that all owners have left is the public model again, under its own name for every tensor.
struct ExpertTerms {
    std::string name;  // unique in the mixture; lower-case letters, digits, '-' and '_'
    std::string owner = {};
    std::string licence = {};
    std::string label = {};         // where the weights may lie, as `hanse policy` writes labels
    std::string output_floor = {};  // what answers that it took part in carry at least
    std::string digest = {};        // set by the forge
    bool operator==(const ExpertTerms&) const = default;
};

struct MixtureFacts {
    std::string trunk_digest;
    std::string router;      // "ridge", "means", "prompts", "random" or "uniform"
    std::uint32_t used = 1;  // experts a token, at most; fewer where there are fewer
    RidgeOptions ridge = {};
    std::vector<ExpertTerms> experts;  // by number
};
inline constexpr std::string_view public_expert = "public";

// `invalid`: the file is no mixture of the forge's.
base::Result<MixtureFacts> mixture_facts(const TensorFile& file);

// SHA-256 over the names, types, shapes and bytes of everything but the feed-forward blocks, in hex. The same for the public
// model, each owner's and the mixture.
base::Result<std::string> trunk_digest(const TensorFile& model);
// `invalid`, naming the tensor or the key in which `model` is no child of the trunk: another architecture, other hyperparameters, another
// vocabulary, a trunk tensor that differs, blocks of another type or shape.
base::Result<void> check_trunk(const TensorFile& trunk, const TensorFile& model);

struct Contribution {
    ExpertTerms terms;
    const TensorFile* model;
};

using ForgeProgress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_all)>;

// `router` has one row for the public block and one for each owner, in this order. Without owners the public model is written.
base::Result<void> recombine(const TensorFile& trunk, std::span<const Contribution> owners, const MixtureFacts& how, const Router& router,
                             const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress = {});

// The mixture without one expert, byte for byte the one that recombine() makes without it. `router`: made anew for those that stay;
// nothing: the old rows stay (means, prompts, random). `not_found`: no expert has this name; `invalid`: it is the public one.
base::Result<void> withdraw(const TensorFile& mixture, std::string_view expert, const std::optional<Router>& router,
                            const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress = {});

// The rows of a mixture as they are.
base::Result<Router> router_of(const TensorFile& mixture);

}  // namespace hanse::forge
