// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "file_type.hpp"
#include "forge/convert.hpp"
#include "forge/numbers.hpp"
#include "gguf_tokenizer.hpp"
#include "layer_name.hpp"
#include "model_config.hpp"
#include "printable.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

std::unexpected<base::Error> invalid(std::string message) { return base::fail(ErrorKind::invalid, std::move(message), "invalid_model"); }

void add_hyperparameters(const ModelConfig& config, const std::string& arch, Metadata& to) {
    const auto whole = [&](std::string_view key, std::uint64_t value) {
        to.set(std::format("{}.{}", arch, key), static_cast<std::uint32_t>(value));
    };
    const auto real = [&](std::string_view key, double value) { to.set(std::format("{}.{}", arch, key), static_cast<float>(value)); };
    whole("block_count", config.layers);
    whole("context_length", config.context);
    whole("embedding_length", config.width);
    whole("feed_forward_length", config.feed_forward);
    whole("attention.head_count", config.heads);
    whole("attention.head_count_kv", config.kv_heads);
    real("attention.layer_norm_rms_epsilon", config.epsilon);
    whole("attention.key_length", config.head_width);
    whole("attention.value_length", config.head_width);
    whole("rope.dimension_count", config.head_width);
    real("rope.freq_base", config.rope_theta);
    whole("vocab_size", config.vocabulary);
    if (!config.scaling || config.scaling->type == "llama3") return;
    to.set(arch + ".rope.scaling.type", config.scaling->type);
    real("rope.scaling.factor", config.scaling->factor);
    if (config.scaling->type == "yarn") whole("rope.scaling.original_context_length", config.scaling->original_context);
}

// xIELU's four numbers a layer (Apertus) stand among the weights with Hugging Face and in the metadata of GGUF.
Result<bool> take_xielu(const TensorFile& model, std::size_t index, std::vector<std::vector<float>>& numbers) {
    constexpr std::string_view names[] = {"alpha_n", "alpha_p", "beta", "eps"};
    const Tensor& tensor = model.tensor(index);
    const auto parts = layer_name(tensor.name);
    if (!parts) return false;
    for (std::size_t k = 0; k < 4; ++k) {
        if (parts->after != std::format(".mlp.act_fn.{}", names[k])) continue;
        if (tensor.elements() != 1 || !is_real(tensor.type))
            return invalid(std::format("tensor {} is not one number", printable(tensor.name)));
        numbers[k].resize(std::max<std::size_t>(numbers[k].size(), parts->layer + 1));
        to_floats(tensor.type, model.bytes(index), std::span(&numbers[k][parts->layer], 1));
        return true;
    }
    return false;
}

TensorType type_of(const Tensor& tensor, std::optional<TensorType> wanted) {
    if (tensor.shape.size() < 2) return TensorType::f32;
    TensorType type = wanted.value_or(gguf_number(tensor.type) ? tensor.type : TensorType::bf16);
    if (tensor.row() % block(type).elements != 0) type = TensorType::f16;
    return type;
}

}  // namespace

Result<Conversion> plan_to_gguf(const TensorFile& model, std::optional<TensorType> wanted) {
    if (model.format() != TensorFormat::safetensors) return invalid(std::format("{} is a GGUF file already", model.path().string()));
    if (wanted && (!can_write(*wanted) || !gguf_number(*wanted)))
        return invalid(std::format("GGUF files of type {} cannot be written", name(*wanted)));
    const auto folder = std::filesystem::is_directory(model.path()) ? model.path() : model.path().parent_path();
    const auto config = ModelConfig::read(folder);
    if (!config) return std::unexpected(config.error());
    const std::string arch = config->is_apertus() ? "apertus" : "llama";
    Conversion out{.direction = Conversion::Direction::to_gguf, .plan = {TensorFormat::gguf, {}, {}, 0}};
    Metadata& metadata = out.plan.metadata;
    metadata.set("general.architecture", arch);
    metadata.set("general.type", std::string("model"));
    metadata.set("general.name", config->name);
    add_hyperparameters(*config, arch, metadata);

    std::vector<std::vector<float>> xielu(4);
    std::uint64_t rows = 0, matrix_bytes = 0;
    TensorType most = TensorType::f16;
    for (std::size_t i = 0; i < model.tensors().size(); ++i) {
        const Tensor& tensor = model.tensor(i);
        if (tensor.name.ends_with("rotary_emb.inv_freq")) continue;     // computed
        if (tensor.name == "lm_head.weight" && config->tied) continue;  // the embedding, once more
        auto taken = take_xielu(model, i, xielu);
        if (!taken) return std::unexpected(taken.error());
        if (*taken) continue;
        const auto gguf = gguf_name(tensor.name);
        if (!gguf) return invalid(std::format("tensor {} has no place in a GGUF file of architecture {}", printable(tensor.name), arch));
        if (!is_real(tensor.type))
            return invalid(std::format("tensor {} holds no real numbers but {}", printable(tensor.name), name(tensor.type)));
        if (tensor.elements() == 0) return invalid(std::format("tensor {} is empty", printable(tensor.name)));
        TensorMove move{.source = i};
        const bool q = gguf->contains("attn_q."), k = gguf->contains("attn_k.");
        if ((q || k) && !config->is_apertus()) {
            move.heads = q ? config->heads : config->kv_heads;
            if (tensor.shape.front() != move.heads * config->head_width)
                return invalid(std::format("tensor {} has {} rows, {} heads of {} need {}", printable(tensor.name), tensor.shape.front(),
                                           move.heads, config->head_width, move.heads * config->head_width));
        }
        if (*gguf == "token_embd.weight") rows = tensor.shape.front();
        out.plan.tensors.push_back({*gguf, type_of(tensor, wanted), tensor.shape});
        out.moves.push_back(std::move(move));
        if (tensor.shape.size() > 1 && out.plan.tensors.back().bytes() > matrix_bytes) {
            matrix_bytes = out.plan.tensors.back().bytes();
            most = out.plan.tensors.back().type;
        }
    }
    if (rows == 0) return invalid(std::format("{} has no token embedding", model.path().string()));
    if (config->scaling && config->scaling->type == "llama3") {
        auto factors = rope_factors(*config);
        out.plan.tensors.push_back({"rope_freqs.weight", TensorType::f32, {factors.size()}});
        out.moves.push_back({.made = std::move(factors)});
    }
    if (config->is_apertus()) {
        constexpr std::string_view keys[] = {"xielu.alpha_n", "xielu.alpha_p", "xielu.beta", "xielu.eps"};
        for (std::size_t k = 0; k < 4; ++k) {
            if (xielu[k].size() != config->layers)
                return invalid(std::format("{} is not there for each of the {} layers", keys[k], config->layers));
            metadata.set(std::string(keys[k]), xielu[k]);
        }
    }
    metadata.set(arch + ".vocab_size", static_cast<std::uint32_t>(rows));
    if (const auto type = file_type_of(most)) metadata.set("general.file_type", *type);
    if (auto done = add_tokenizer(folder, *config, rows, metadata); !done) return std::unexpected(done.error());
    return out;
}

}  // namespace hanse::forge
