// SPDX-License-Identifier: Apache-2.0
#include "forge/reference_file.hpp"

#include <format>
#include <unordered_set>

#include "forge/numbers.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

class Loader {
public:
    explicit Loader(const TensorFile& file) : file_(file) {}

    Result<LlamaModel> load() {
        if (file_.metadata().text("general.architecture") != "llama") return wrong("general.architecture", "it is not llama");
        auto& shape = model_.shape;
        shape.layers = whole("block_count");
        shape.width = whole("embedding_length");
        shape.heads = whole("attention.head_count");
        shape.heads_kv = file_.metadata().whole("llama.attention.head_count_kv") ? whole("attention.head_count_kv") : shape.heads;
        shape.ff = whole("feed_forward_length");
        shape.experts = whole("expert_count");
        shape.experts_used = whole("expert_used_count");
        shape.rope_base = static_cast<float>(file_.metadata().number("llama.rope.freq_base").value_or(10'000.0));
        shape.norm_epsilon = static_cast<float>(file_.metadata().number("llama.attention.layer_norm_rms_epsilon").value_or(1e-5));
        if (shape.heads == 0 || shape.heads_kv == 0 || shape.width % shape.heads != 0 || shape.heads % shape.heads_kv != 0)
            return wrong("llama.attention.head_count", "it does not divide the width");
        if (shape.experts_used > shape.experts || (shape.experts > 0 && shape.experts_used == 0))
            return wrong("llama.expert_used_count", "it is not between 1 and the number of experts");
        const auto rotated = whole("rope.dimension_count");
        if ((rotated != 0 && rotated != shape.head_width()) || file_.metadata().find("llama.rope.scaling.type") != nullptr)
            return wrong("llama.rope", "the reference rotates whole heads and scales nothing");
        tensors();
        if (!error_.empty()) return wrong("tensors", error_);
        for (const auto& tensor : file_.tensors())
            if (!seen_.contains(tensor.name)) return wrong(tensor.name, "the reference does not know this tensor");
        return std::move(model_);
    }

private:
    std::unexpected<base::Error> wrong(std::string_view field, std::string_view what) const {
        return fail(ErrorKind::invalid, std::format("{}, {}: {}", file_.path().string(), field, what), "no_reference", std::string(field));
    }
    std::uint32_t whole(std::string_view key) const {
        return static_cast<std::uint32_t>(file_.metadata().whole(std::format("llama.{}", key)).value_or(0));
    }

    Floats read(const std::string& name, std::uint64_t elements) {
        const auto found = file_.find(name);
        if (!found || file_.tensor(*found).elements() != elements || !is_real(file_.tensor(*found).type)) {
            if (error_.empty()) error_ = std::format("{} is missing or has another size or type than {} numbers", name, elements);
            return {};
        }
        seen_.insert(name);
        Floats values(elements);
        to_floats(file_.tensor(*found).type, file_.bytes(*found), values);
        return values;
    }

    void tensors() {
        const auto& shape = model_.shape;
        const std::uint64_t width = shape.width;
        model_.shape.vocabulary = vocabulary();
        model_.embedding = read("token_embd.weight", shape.vocabulary * width);
        model_.output_norm = read("output_norm.weight", width);
        if (file_.find("output.weight")) model_.head = read("output.weight", shape.vocabulary * width);
        for (std::uint32_t number = 0; number < shape.layers && error_.empty(); ++number) {
            const auto name = [number](std::string_view rest) { return std::format("blk.{}.{}.weight", number, rest); };
            LlamaLayer layer;
            layer.attention_norm = read(name("attn_norm"), width);
            layer.query = read(name("attn_q"), width * width);
            layer.key = read(name("attn_k"), shape.width_kv() * width);
            layer.value = read(name("attn_v"), shape.width_kv() * width);
            layer.output = read(name("attn_output"), width * width);
            layer.ffn_norm = read(name("ffn_norm"), width);
            const std::uint64_t block = width * shape.ff;
            if (shape.experts == 0) {
                layer.blocks.push_back({read(name("ffn_gate"), block), read(name("ffn_up"), block), read(name("ffn_down"), block)});
            } else {
                layer.router = read(name("ffn_gate_inp"), shape.experts * width);
                const auto gate = read(name("ffn_gate_exps"), shape.experts * block), up = read(name("ffn_up_exps"), shape.experts * block),
                           down = read(name("ffn_down_exps"), shape.experts * block);
                for (std::uint32_t expert = 0; expert < shape.experts && error_.empty(); ++expert) {
                    const auto slab = [&](const Floats& all) {
                        return Floats(all.begin() + static_cast<std::ptrdiff_t>(expert * block),
                                      all.begin() + static_cast<std::ptrdiff_t>((expert + 1) * block));
                    };
                    layer.blocks.push_back({slab(gate), slab(up), slab(down)});
                }
            }
            model_.layers.push_back(std::move(layer));
        }
    }

    std::uint32_t vocabulary() const {
        const auto found = file_.find("token_embd.weight");
        return found && file_.tensor(*found).shape.size() == 2 ? static_cast<std::uint32_t>(file_.tensor(*found).shape[0]) : 0;
    }

    const TensorFile& file_;
    LlamaModel model_;
    std::unordered_set<std::string> seen_;
    std::string error_;
};

}  // namespace

Result<LlamaModel> read_reference(const TensorFile& file) { return Loader(file).load(); }

}  // namespace hanse::forge
