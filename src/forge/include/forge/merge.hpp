// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "forge/crew.hpp"
#include "forge/merge_recipe.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

struct MergeOptions {
    std::filesystem::path output;  // a folder for models from safetensors, a file for GGUF
    std::uint64_t seed = 0;        // of the random methods
    std::uint64_t shard_bytes = 5'000'000'000;
    bool digests = true;  // SHA-256 of every parent, for the record
};

struct MergeParent {
    std::string name;  // as the recipe has it
    std::filesystem::path path;
    std::uint64_t bytes = 0;
    std::vector<std::pair<std::string, std::string>> sha256 = {};  // of each file; empty before run()
};

// What a merge would do, and how it looks when it is done.
struct MergeSummary {
    std::string method;
    TensorFormat format = TensorFormat::safetensors;
    std::vector<MergeParent> parents;
    std::vector<Tensor> tensors;
    std::uint64_t copied_tensors = 0;  // whose bytes go through unchanged
    std::uint64_t layers = 0;
    std::uint64_t bytes_to_read = 0;  // all passes over all inputs
    std::uint64_t bytes_to_write = 0;
};

// Told bytes read and written so far, bytes in all, and how many of the latter an earlier run had done. Called from one thread at a time.
using MergeProgress = std::function<void(std::uint64_t done, std::uint64_t total, std::uint64_t resumed)>;
// Signs a statement; the room that may know keys brings it. Empty: unsigned.
using Signer = std::function<base::Result<std::string>(std::string_view statement)>;

// Merges models by a recipe. plan() opens the inputs and fits everything together without reading weights, so that whatever is wrong (a
// missing tensor, different vocabularies, a method's missing base) is told before work begins. run() streams: it keeps some MB a thread,
// never a model, and not even a tensor.
//
// Rounding: task arithmetic, TIES' consensus, nearswap and passthrough round to the working type after every operation, linear sums in f32
// and rounds once: the bits that mergekit 0.1.5 gives. Spherical methods and model stock compute their few scalars in double precision;
// random ones draw from `seed`, the tensor's name and the element's place, so they do not depend on threads. docs/forge.md tells where this
// differs on purpose.
//
// The output carries the parents' digests and the recipe: in its metadata, and as manifest hanse-forge.json beside it. Errors: `invalid`
// names what does not fit; those of reading and writing as in tensor_file.hpp and tensor_writer.hpp. Used from one thread.
class Merge {
public:
    static base::Result<Merge> plan(const MergeRecipe& recipe, const MergeOptions& options);
    const MergeSummary& summary() const;
    base::Result<void> run(Crew& crew, const MergeProgress& progress = {}, const Signer& signer = {});

    Merge(Merge&&) noexcept;
    Merge& operator=(Merge&&) noexcept;
    ~Merge();

private:
    struct State;
    explicit Merge(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::forge
