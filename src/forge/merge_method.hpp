// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/tensor_file.hpp"
#include "rounding.hpp"

namespace hanse::forge {

enum class MergeMethod : std::uint8_t {
    linear,
    slerp,
    nuslerp,
    multislerp,
    karcher,
    task_arithmetic,
    ties,
    dare_linear,
    dare_ties,
    della,
    della_linear,
    breadcrumbs,
    breadcrumbs_ties,
    sce,
    model_stock,
    nearswap,
    arcee_fusion,
    passthrough,
};
struct MethodFacts {
    std::string_view name;
    MergeMethod method;
    enum class Base : std::uint8_t { none, optional, required } base;
    std::size_t models_least, models_most;  // without the base
};
const MethodFacts* method_named(std::string_view name);
const MethodFacts& facts(MergeMethod method);
std::vector<std::string> method_names();

// What a recipe says for one input of one tensor, and for the tensor.
struct InputParameters {
    double weight = 1, density = 1, gamma = 0.01, epsilon = 0.15;
};
struct TensorParameters {
    double t = 0, lambda = 1, select_topk = 1, tolerance = 1e-5, eps = 1e-8;
    bool normalize = true, rescale = true, normalize_weights = true, flatten = true, row_wise = false, filter_wise = false;
    std::uint64_t max_iter = 10;
    std::optional<double> scale = {};
};

struct MergeInput {
    std::size_t model = 0;   // of the plan's list
    std::size_t tensor = 0;  // of its file
    InputParameters parameters = {};
};

// One output tensor: from which inputs, by what.
struct TensorTask {
    Tensor out;
    MergeMethod method = MergeMethod::passthrough;
    Working working = Working::f32;
    std::vector<MergeInput> inputs;  // without the base
    std::optional<MergeInput> base = {};
    TensorParameters parameters = {};
    bool copied = false;  // bytes go through unchanged
};

// A piece of a tensor in f32, rounded to the working type: `count` elements from `first`. `x` holds one pointer an input.
struct Piece {
    std::uint64_t first = 0;
    std::size_t count = 0;
    std::vector<float*> x;
    float* base = nullptr;
    float* out = nullptr;
};

// A merge of one tensor in passes over it. The tensor is cut into segments, each of which one thread walks from its beginning to its
// end, piece by piece; what a pass finds it keeps per segment, so results do not depend on the number of threads. Pieces are scratch: a
// method may change them.
class TensorMethod {
public:
    virtual ~TensorMethod() = default;
    // A piece holds whole rows.
    virtual bool by_rows() const { return false; }
    virtual std::size_t segments_most() const { return 256; }
    virtual unsigned passes() const { return 0; }
    virtual void begin(unsigned pass, std::size_t segments) { (void)pass, (void)segments; }
    virtual void look(unsigned pass, std::size_t segment, Piece& piece) { (void)pass, (void)segment, (void)piece; }
    virtual void end(unsigned pass) { (void)pass; }
    virtual void apply(std::size_t segment, Piece& piece) = 0;
};

// `seed`: for the random methods, already mixed with the tensor's name.
std::unique_ptr<TensorMethod> tensor_method(const TensorTask& task, std::uint64_t seed);
std::unique_ptr<TensorMethod> delta_method(const TensorTask& task, std::uint64_t seed);
std::unique_ptr<TensorMethod> consensus_selection(const TensorTask& task);  // SCE
std::unique_ptr<TensorMethod> spherical_method(const TensorTask& task);
std::unique_ptr<TensorMethod> fusion_method(const TensorTask& task);

}  // namespace hanse::forge
