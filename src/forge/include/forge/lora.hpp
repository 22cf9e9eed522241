// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "forge/crew.hpp"
#include "forge/mixture.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// A change of a weight matrix as the product of two thin ones, W + scale · B·A (LoRA, arXiv 2106.09685). Row-major, f32.
struct LowRank {
    std::uint32_t outs = 0, ins = 0, rank = 0;
    std::vector<float> a;  // rank × ins
    std::vector<float> b;  // outs × rank
    bool operator==(const LowRank&) const = default;
};

// An adapter: low-rank changes by the name of the tensor that they change. Several owners' adapters can lie in one, side by side in the
// rank (FLoRA, arXiv 2409.05976): their sum is exact, unlike an average of A and B apart, and each can be taken out again. `alpha`
// is LoRA's: a matrix of rank r counts alpha / r times; 0: once. A stack has 0, its parts' factors are in B.
struct Adapter {
    struct Part {
        std::string name;
        std::map<std::string, std::uint32_t, std::less<>> ranks;  // by tensor; 0 where it changes nothing
        bool operator==(const Part&) const = default;
    };
    std::string architecture = "llama";
    float alpha = 0;
    std::map<std::string, LowRank, std::less<>> tensors;
    std::vector<Part> parts = {};  // of a stack, in their order within the rank

    float factor(const LowRank& tensor) const { return alpha == 0 ? 1.0F : alpha / static_cast<float>(tensor.rank); }
    bool operator==(const Adapter&) const = default;
};

// The best low-rank form of a matrix (rows × columns): a truncated singular value decomposition by random projection with two power
// iterations (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1), exact where the rank suffices. `left_over`: the share of the
// matrix's squared size that is not in it.
struct Truncated {
    LowRank form;
    double left_over = 0;
};
Truncated truncate_matrix(std::span<const float> matrix, std::uint32_t rows, std::uint32_t columns, std::uint32_t rank, std::uint64_t seed);

// What was trained from `base` to `tuned`, for every matrix that differs. Tensors that differ but are no matrix (norms) cannot be in an
// adapter: `invalid`, naming the first, unless `matrices_only`. `left_over` of the worst tensor is reported.
struct Extraction {
    std::uint32_t rank = 16;
    bool matrices_only = false;
    std::uint64_t seed = 1;
};
struct Extracted {
    Adapter adapter;
    double left_over_most = 0;
    std::string left_over_tensor;
};
base::Result<Extracted> extract_adapter(const TensorFile& base, const TensorFile& tuned, const Extraction& how);

// Writes base + Σ scale · adapter. Tensors that no adapter names are copied; quantised ones that change are quantised anew.
struct ScaledAdapter {
    const Adapter* adapter;
    float scale = 1.0F;
};
base::Result<void> merge_adapters(const TensorFile& base, std::span<const ScaledAdapter> adapters, const std::filesystem::path& out,
                                  Crew& crew, const ForgeProgress& progress = {});

// Side by side; the answer of the stack is the sum of the scaled answers. `invalid`: two parts of one name, or shapes that differ.
struct NamedAdapter {
    std::string name;
    const Adapter* adapter;
    float scale = 1.0F;
};
base::Result<Adapter> stack_adapters(std::span<const NamedAdapter> adapters);
// Without one part: bit for bit the stack that it never was in. `not_found`.
base::Result<Adapter> unstack_adapter(const Adapter& stack, std::string_view part);

// Fed-SB (arXiv 2502.15436): all owners keep the same A and B and train only the small matrix between them, W + B·R·A. Their R, as whole
// multiples of 2^-32 modulo 2^64, add up in a secure sum (secure_sum.hpp), and the mean of R is exactly the mean of the changes.
// `invalid` for a number beyond 2^20.
base::Result<std::vector<std::uint64_t>> core_to_fixed(std::span<const float> core);
std::vector<float> mean_core(std::span<const std::uint64_t> sum, std::uint32_t owners);
// B·R in place of B.
LowRank with_core(const LowRank& shared, std::span<const float> core);

// llama.cpp's adapter format: GGUF, general.type "adapter", adapter.type "lora", tensors NAME.lora_a and NAME.lora_b. Parts of a stack are
// in hanse.lora.N.name and hanse.lora.N.ranks.
base::Result<void> write_adapter(const std::filesystem::path& path, const Adapter& adapter);
base::Result<Adapter> read_adapter(const std::filesystem::path& path);

}  // namespace hanse::forge
