// SPDX-License-Identifier: Apache-2.0
#include "expert_mask.hpp"

#include <ggml-backend.h>
#include <ggml.h>

#include <algorithm>
#include <string_view>

#include "engine/expert.hpp"

namespace hanse::engine {
namespace {

constexpr std::string_view logits_name = "ffn_moe_logits-";
constexpr std::string_view keys_name = "cache_k_l";
constexpr float never = -1e30F;  // exp() of its distance to any other logit is 0, and no difference is undefined

}  // namespace

std::vector<std::string> experts_taking_part(std::span<const ExpertFacts> experts, std::span<const std::uint32_t> left_out) {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < experts.size(); ++i)
        if (std::ranges::find(left_out, i) == left_out.end()) names.push_back(experts[i].name);
    return names;
}

ExpertMask::ExpertMask(std::uint32_t experts, std::uint32_t layers, std::uint32_t slots)
    : experts_(experts),
      layers_(layers),
      left_out_(slots) {}

void ExpertMask::leave_out(std::uint32_t slot, std::span<const std::uint32_t> experts) {
    if (slot < left_out_.size()) left_out_[slot].assign(experts.begin(), experts.end());
}

void ExpertMask::begin(std::span<const BatchToken> batch) {
    expected_ = masked_ = 0;
    active_ = false;
    tokens_.clear();
    rows_.clear();
    for (const auto& one : batch) {
        if (left_out_[one.slot].empty()) continue;
        active_ = true;
        expected_ += layers_ - 1 + (one.output ? 1 : 0);  // the last layer goes on with those alone whose logits are wanted
    }
}

bool ExpertMask::callback(ggml_tensor* tensor, bool ask, void* mask) {
    auto& self = *static_cast<ExpertMask*>(mask);
    if (ask) return self.active_ && self.asked(*tensor);
    self.computed(*tensor);
    return true;
}

bool ExpertMask::asked(const ggml_tensor& tensor) {
    if (tensor.op == GGML_OP_SET_ROWS && std::string_view(tensor.name).starts_with(keys_name)) note_tokens(tensor);
    if (tensor.op == GGML_OP_GET_ROWS) note_outputs(tensor);
    return std::string_view(tensor.name).starts_with(logits_name);
}

// Keys are stored in rows of {cells of one stream} × {streams}; the rows' numbers are an input of the graph.
void ExpertMask::note_tokens(const ggml_tensor& store) {
    const auto* numbers = store.src[1];
    tokens_.clear();
    rows_.clear();
    if (numbers == nullptr || numbers->type != GGML_TYPE_I64 || numbers->buffer == nullptr) return;
    const auto cells = ggml_nrows(&store) / static_cast<std::int64_t>(left_out_.size());
    if (cells == 0) return;
    places_.resize(static_cast<std::size_t>(ggml_nelements(numbers)));
    ggml_backend_tensor_get(numbers, places_.data(), 0, places_.size() * sizeof(std::int64_t));
    for (const auto place : places_) tokens_.push_back(static_cast<std::uint32_t>(place / cells));
    rows_ = tokens_;
}

// States (not weights, which no operation makes) of which some tokens' rows are kept.
void ExpertMask::note_outputs(const ggml_tensor& pick) {
    const auto *states = pick.src[0], *numbers = pick.src[1];
    if (states->op == GGML_OP_NONE || states->ne[1] != static_cast<std::int64_t>(tokens_.size()) || numbers->type != GGML_TYPE_I32 ||
        numbers->ne[1] != 1 || numbers->buffer == nullptr)
        return;
    picked_.resize(static_cast<std::size_t>(ggml_nelements(numbers)));
    ggml_backend_tensor_get(numbers, picked_.data(), 0, picked_.size() * sizeof(std::int32_t));
    rows_.clear();
    for (const auto number : picked_)
        if (number >= 0 && static_cast<std::size_t>(number) < tokens_.size()) rows_.push_back(tokens_[static_cast<std::size_t>(number)]);
}

void ExpertMask::computed(ggml_tensor& tensor) {
    const auto rows = static_cast<std::size_t>(ggml_nrows(&tensor));
    if (tensor.type != GGML_TYPE_F32 || tensor.ne[0] != experts_ || rows != rows_.size()) return;  // whole() tells
    logits_.resize(rows * experts_);
    ggml_backend_tensor_get(&tensor, logits_.data(), 0, logits_.size() * sizeof(float));
    for (std::size_t row = 0; row < rows; ++row) {
        if (rows_[row] >= left_out_.size()) return;
        const auto& out = left_out_[rows_[row]];
        for (const auto expert : out)
            if (expert < experts_) logits_[row * experts_ + expert] = never;
        masked_ += out.empty() ? 0 : 1;
    }
    ggml_backend_tensor_set(&tensor, logits_.data(), 0, logits_.size() * sizeof(float));
}

}  // namespace hanse::engine
