// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>
#include <optional>

#include "forge/convert.hpp"
#include "forge/numbers.hpp"
#include "layer_name.hpp"
#include "printable.hpp"

// Which tensor gets how many bits. The names and rules of the mixes are those of llama.cpp, so that a file is what its name promises
// elsewhere too.

namespace hanse::forge {
namespace {

using base::Result;
using enum TensorType;

struct Mix {
    std::string_view name;
    TensorType type;
    std::uint32_t file_type;
    enum class Size : std::uint8_t { plain, small, medium } size = Size::plain;
};
using enum Mix::Size;
constexpr Mix mixes[] = {
    {"Q8_0", q8_0, 7},
    {"Q6_K", q6_k, 18},
    {"Q5_K_M", q5_k, 17, medium},
    {"Q5_K_S", q5_k, 16, small},
    {"Q4_K_M", q4_k, 15, medium},
    {"Q4_K_S", q4_k, 14, small},
    {"Q3_K_M", q3_k, 12, medium},
    {"Q2_K", q2_k, 10},
    {"Q5_1", q5_1, 9},
    {"Q5_0", q5_0, 8},
    {"Q4_1", q4_1, 3},
    {"Q4_0", q4_0, 2},
    {"BF16", bf16, 32},
    {"F16", f16, 1},
    {"F32", f32, 0},
};

// The first eighth, the last eighth and every third layer between them.
bool has_more_bits(std::uint64_t layer, std::uint64_t layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

struct Model {
    std::uint64_t layers = 0;
    std::uint64_t heads_per_kv = 1;
    std::uint64_t experts = 0;
    bool tied = false;
};

TensorType type_for(const Mix& mix, const Model& model, std::string_view name, std::uint64_t layer) {
    const TensorType type = mix.type;
    if (name == "output.weight" || (name == "token_embd.weight" && model.tied)) return type == q8_0 || !is_quantised(type) ? type : q6_k;
    if (mix.size == plain && type != q2_k) return type;
    if (name.ends_with("attn_v.weight")) {
        if (model.experts >= 8) return q8_0;
        if (type == q2_k) return model.heads_per_kv >= 4 ? q4_k : q3_k;
        if (type == q3_k) return layer < 2 ? q5_k : q4_k;
        if (mix.size == medium && has_more_bits(layer, model.layers)) return q6_k;
        if (type == q4_k && mix.size == small && layer < 4) return q5_k;
        return type;
    }
    if (name.ends_with("ffn_down.weight") || name.ends_with("ffn_down_exps.weight")) {
        if (type == q2_k) return q3_k;
        if (type == q3_k) return layer < model.layers / 16 ? q5_k : q4_k;
        if (mix.size == medium && has_more_bits(layer, model.layers)) return q6_k;
        if (type == q4_k && mix.size == small && layer < model.layers / 8) return q5_k;
        return type;
    }
    if (name.ends_with("attn_k.weight") && model.experts >= 8) return q8_0;
    if (name.ends_with("attn_output.weight")) {
        if (model.experts == 8 && type != q6_k && type != q8_0) return q5_k;
        if (type == q2_k) return q3_k;
        if (type == q3_k) return q4_k;
    }
    return type;
}

// Rows that are no whole superblocks of 256 get the next better type with blocks of 32.
TensorType fitting(TensorType type, std::uint64_t row) {
    if (row % block(type).elements == 0) return type;
    const TensorType instead = type == q6_k                   ? q8_0
                               : type == q5_k                 ? q5_1
                               : type == q4_k                 ? q5_0
                               : type == q3_k || type == q2_k ? iq4_nl
                                                              : f16;
    return row % block(instead).elements == 0 ? instead : f16;
}

}  // namespace

std::vector<std::string> quantised_mixes() {
    std::vector<std::string> names;
    for (const Mix& mix : mixes) names.emplace_back(mix.name);
    return names;
}

Result<Conversion> plan_quantised(const TensorFile& model, std::string_view wanted) {
    std::string upper(wanted);
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto* mix = std::ranges::find(mixes, std::string_view(upper), &Mix::name);
    if (mix == std::end(mixes)) {
        std::string names;
        for (const std::string& name : quantised_mixes()) names += (names.empty() ? "" : ", ") + name;
        return base::fail(base::ErrorKind::invalid, std::format("{} is no type to quantise to; these are: {}", printable(wanted), names),
                          {}, "type");
    }
    if (model.format() != TensorFormat::gguf)
        return base::fail(base::ErrorKind::invalid,
                          std::format("{} is no GGUF file; convert it first (hanse forge convert)", model.path().string()));
    const std::string architecture = model.metadata().text("general.architecture");
    const auto heads = model.metadata().whole(architecture + ".attention.head_count"),
               kv = model.metadata().whole(architecture + ".attention.head_count_kv");
    const Model facts{model.metadata().whole(architecture + ".block_count").value_or(0),
                      heads.value_or(1) / std::max<std::uint64_t>(1, kv.value_or(heads.value_or(1))),
                      model.metadata().whole(architecture + ".expert_count").value_or(0), !model.find("output.weight")};
    Conversion out{.plan = {TensorFormat::gguf, model.metadata(), {}, 0}};
    out.plan.metadata.set("general.file_type", mix->file_type);
    out.plan.metadata.set("general.quantization_version", std::uint32_t{2});
    for (std::size_t i = 0; i < model.tensors().size(); ++i) {
        Tensor tensor = model.tensor(i);
        const auto parts = layer_name(tensor.name);
        const bool kept = tensor.shape.size() < 2 || !is_real(tensor.type) || !tensor.name.ends_with("weight") ||
                          tensor.name.contains("_norm") || tensor.name.contains("ffn_gate_inp");
        if (!kept && is_quantised(tensor.type))
            return base::fail(base::ErrorKind::invalid,
                              std::format("tensor {} is quantised already ({}); quantise from the original weights", printable(tensor.name),
                                          name(tensor.type)));
        if (!kept) tensor.type = fitting(type_for(*mix, facts, tensor.name, parts ? parts->layer : 0), tensor.row());
        if (!can_write(tensor.type) && tensor.type != model.tensor(i).type)
            return base::fail(base::ErrorKind::invalid,
                              std::format("tensor {} cannot be written as {}", printable(tensor.name), name(tensor.type)));
        out.plan.tensors.push_back(std::move(tensor));
        out.moves.push_back({.source = i});
    }
    return out;
}

}  // namespace hanse::forge
