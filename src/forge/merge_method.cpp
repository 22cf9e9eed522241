// SPDX-License-Identifier: Apache-2.0
#include "merge_method.hpp"

#include <algorithm>
#include <cmath>

#include "merge_kernels.hpp"

namespace hanse::forge {
namespace {

using enum MethodFacts::Base;
constexpr std::size_t any = SIZE_MAX;
constexpr MethodFacts methods[] = {
    {"linear", MergeMethod::linear, none, 1, any},
    {"slerp", MergeMethod::slerp, required, 1, 1},
    {"nuslerp", MergeMethod::nuslerp, optional, 2, 2},
    {"multislerp", MergeMethod::multislerp, optional, 2, any},
    {"karcher", MergeMethod::karcher, none, 2, any},
    {"task_arithmetic", MergeMethod::task_arithmetic, required, 1, any},
    {"ties", MergeMethod::ties, required, 1, any},
    {"dare_linear", MergeMethod::dare_linear, required, 1, any},
    {"dare_ties", MergeMethod::dare_ties, required, 1, any},
    {"della", MergeMethod::della, required, 1, any},
    {"della_linear", MergeMethod::della_linear, required, 1, any},
    {"breadcrumbs", MergeMethod::breadcrumbs, required, 1, any},
    {"breadcrumbs_ties", MergeMethod::breadcrumbs_ties, required, 1, any},
    {"sce", MergeMethod::sce, required, 1, any},
    {"model_stock", MergeMethod::model_stock, required, 2, any},
    {"nearswap", MergeMethod::nearswap, required, 1, 1},
    {"arcee_fusion", MergeMethod::arcee_fusion, required, 1, 1},
    {"passthrough", MergeMethod::passthrough, none, 1, 1},
};

// Σ w x / Σ w, or undivided: products and sum fused in f32, divided there, and rounded once to the working type.
class Linear final : public TensorMethod {
public:
    explicit Linear(const TensorTask& task) : type_(task.working), normalize_(task.parameters.normalize) {
        float total = 0;
        for (const MergeInput& input : task.inputs) {
            weights_.push_back(static_cast<float>(input.parameters.weight));
            total += weights_.back();
        }
        total_ = std::fabs(total) < 1e-8F ? 1.0F : total;
    }
    void apply(std::size_t, Piece& piece) override {
        std::fill_n(piece.out, piece.count, 0.0F);
        for (std::size_t i = 0; i < weights_.size(); ++i) kernel::accumulate_fused(piece.x[i], weights_[i], piece.out, piece.count);
        if (normalize_) kernel::divide(type_, piece.out, total_, piece.count);
        else kernel::round(type_, piece.out, piece.count);
    }

private:
    Working type_;
    bool normalize_;
    std::vector<float> weights_;
    float total_ = 1;
};

class Nearswap final : public TensorMethod {
public:
    explicit Nearswap(const TensorTask& task) : type_(task.working), t_(static_cast<float>(task.parameters.t)) {}
    void apply(std::size_t, Piece& piece) override { kernel::step_toward(type_, piece.x[0], piece.base, t_, piece.out, piece.count); }

private:
    Working type_;
    float t_;
};

class Passthrough final : public TensorMethod {
public:
    explicit Passthrough(const TensorTask& task) : type_(task.working), scale_(task.parameters.scale) {}
    void apply(std::size_t, Piece& piece) override {
        if (scale_) kernel::scale(type_, piece.x[0], static_cast<float>(*scale_), piece.out, piece.count);
        else std::copy_n(piece.x[0], piece.count, piece.out);
    }

private:
    Working type_;
    std::optional<double> scale_;
};

}  // namespace

const MethodFacts* method_named(std::string_view name) {
    const auto* found = std::ranges::find(methods, name, &MethodFacts::name);
    return found == std::end(methods) ? nullptr : found;
}

const MethodFacts& facts(MergeMethod method) { return *std::ranges::find(methods, method, &MethodFacts::method); }

std::vector<std::string> method_names() {
    std::vector<std::string> names;
    for (const MethodFacts& each : methods) names.emplace_back(each.name);
    return names;
}

std::unique_ptr<TensorMethod> tensor_method(const TensorTask& task, std::uint64_t seed) {
    switch (task.method) {
        case MergeMethod::linear: return std::make_unique<Linear>(task);
        case MergeMethod::nearswap: return std::make_unique<Nearswap>(task);
        case MergeMethod::passthrough: return std::make_unique<Passthrough>(task);
        case MergeMethod::sce: return consensus_selection(task);
        case MergeMethod::arcee_fusion: return fusion_method(task);
        case MergeMethod::slerp:
        case MergeMethod::nuslerp:
        case MergeMethod::multislerp:
        case MergeMethod::karcher:
        case MergeMethod::model_stock: return spherical_method(task);
        default: return delta_method(task, seed);
    }
}

}  // namespace hanse::forge
