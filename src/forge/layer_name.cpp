// SPDX-License-Identifier: Apache-2.0
#include "layer_name.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace hanse::forge {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;  // GGUF, Hugging Face

constexpr std::array outside{
    Pair{"token_embd.weight", "model.embed_tokens.weight"},
    Pair{"output_norm.weight", "model.norm.weight"},
    Pair{"output.weight", "lm_head.weight"},
};

constexpr std::array inside{
    Pair{"attn_norm.weight", "input_layernorm.weight"},
    Pair{"attn_norm.weight", "attention_layernorm.weight"},  // Apertus
    Pair{"ffn_norm.weight", "post_attention_layernorm.weight"},
    Pair{"ffn_norm.weight", "feedforward_layernorm.weight"},  // Apertus
    Pair{"attn_q.weight", "self_attn.q_proj.weight"},
    Pair{"attn_k.weight", "self_attn.k_proj.weight"},
    Pair{"attn_v.weight", "self_attn.v_proj.weight"},
    Pair{"attn_output.weight", "self_attn.o_proj.weight"},
    Pair{"attn_q.bias", "self_attn.q_proj.bias"},
    Pair{"attn_k.bias", "self_attn.k_proj.bias"},
    Pair{"attn_v.bias", "self_attn.v_proj.bias"},
    Pair{"attn_output.bias", "self_attn.o_proj.bias"},
    Pair{"attn_q_norm.weight", "self_attn.q_norm.weight"},
    Pair{"attn_k_norm.weight", "self_attn.k_norm.weight"},
    Pair{"ffn_gate.weight", "mlp.gate_proj.weight"},
    Pair{"ffn_up.weight", "mlp.up_proj.weight"},
    Pair{"ffn_down.weight", "mlp.down_proj.weight"},
    Pair{"ffn_gate.bias", "mlp.gate_proj.bias"},
    Pair{"ffn_up.bias", "mlp.up_proj.bias"},
    Pair{"ffn_down.bias", "mlp.down_proj.bias"},
};

}  // namespace

std::optional<LayerName> layer_name(std::string_view tensor) {
    for (const std::string_view mark : {"layers.", "blk.", ".h."}) {
        const auto found = tensor.find(mark);
        if (found == std::string_view::npos) continue;
        const char* begin = tensor.data() + found + mark.size();
        std::uint64_t layer = 0;
        const auto read = std::from_chars(begin, tensor.data() + tensor.size(), layer);
        if (read.ec != std::errc{} || read.ptr == tensor.data() + tensor.size() || *read.ptr != '.') continue;
        return LayerName{std::string(tensor.data(), begin), layer, std::string(read.ptr, tensor.data() + tensor.size())};
    }
    return std::nullopt;
}

bool is_before_layers(std::string_view tensor) {
    return tensor.contains("embed_tokens") || tensor.starts_with("token_embd") || tensor.contains("wte");
}

bool is_vocabulary_tensor(std::string_view tensor) {
    return tensor.ends_with("embed_tokens.weight") || tensor.ends_with("lm_head.weight") || tensor == "token_embd.weight" ||
           tensor == "output.weight";
}

std::string_view tied_to(std::string_view tensor) {
    if (tensor == "lm_head.weight") return "model.embed_tokens.weight";
    if (tensor == "output.weight") return "token_embd.weight";
    return {};
}

std::optional<std::string> gguf_name(std::string_view hugging_face) {
    for (const auto& [gguf, name] : outside)
        if (hugging_face == name) return std::string(gguf);
    const auto parts = layer_name(hugging_face);
    if (!parts || parts->before != "model.layers.") return std::nullopt;
    for (const auto& [gguf, name] : inside)
        if (std::string_view(parts->after).substr(1) == name) return "blk." + std::to_string(parts->layer) + "." + std::string(gguf);
    return std::nullopt;
}

std::optional<std::string> hugging_face_name(std::string_view gguf) {
    for (const auto& [name, hugging_face] : outside)
        if (gguf == name) return std::string(hugging_face);
    const auto parts = layer_name(gguf);
    if (!parts || parts->before != "blk.") return std::nullopt;
    for (const auto& [name, hugging_face] : inside)
        if (std::string_view(parts->after).substr(1) == name)
            return "model.layers." + std::to_string(parts->layer) + "." + std::string(hugging_face);
    return std::nullopt;
}

}  // namespace hanse::forge
