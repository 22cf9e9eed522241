// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "forge/numbers.hpp"
#include "forge/reference_model.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {

// For tests: small models with random weights and a vocabulary of bytes, as GGUF files that the engine loads. Token i + 3 is the
// byte i; before them stand the unknown one and those that begin and end a text.
inline constexpr std::uint32_t byte_tokens = 259;

inline LlamaModel sample_model(const LlamaShape& shape, std::uint64_t seed) {
    base::SeededRandom random(seed);
    const auto drawn = [&](std::size_t count, double scale) {
        Floats values(count);
        for (auto& one : values) one = static_cast<float>((static_cast<double>(random.next() >> 11) * 0x1p-52 - 1) * scale);
        return values;
    };
    const auto near_one = [&](std::size_t count) {
        auto values = drawn(count, 0.2);
        for (auto& one : values) one += 1;
        return values;
    };
    const std::size_t width = shape.width;
    const auto scale = std::sqrt(3.0 / static_cast<double>(width));
    LlamaModel model{shape, drawn(shape.vocabulary * width, 1), {}, near_one(width), drawn(shape.vocabulary * width, scale)};
    for (std::uint32_t i = 0; i < shape.layers; ++i) {
        LlamaLayer layer{near_one(width),
                         drawn(width * width, scale),
                         drawn(shape.width_kv() * width, scale),
                         drawn(shape.width_kv() * width, scale),
                         drawn(width * width, scale),
                         near_one(width),
                         {},
                         {}};
        for (std::uint32_t e = 0; e < std::max(1U, shape.experts); ++e)
            layer.blocks.push_back({drawn(shape.ff * width, scale), drawn(shape.ff * width, scale), drawn(width * shape.ff, scale)});
        if (shape.experts > 0) layer.router = drawn(shape.experts * width, scale);
        model.layers.push_back(std::move(layer));
    }
    return model;
}

// The same trunk with other feed-forward blocks.
inline LlamaModel sample_child(const LlamaModel& trunk, std::uint64_t seed) {
    auto child = trunk;
    const auto other = sample_model(trunk.shape, seed);
    for (std::size_t i = 0; i < child.layers.size(); ++i) child.layers[i].blocks = other.layers[i].blocks;
    return child;
}

inline Metadata sample_metadata(const LlamaShape& shape) {
    Metadata metadata;
    metadata.set("general.architecture", std::string("llama"));
    metadata.set("general.name", std::string("sample"));
    metadata.set("general.license", std::string("apache-2.0"));
    const std::pair<std::string_view, std::uint32_t> numbers[] = {{"context_length", 256},
                                                                  {"embedding_length", shape.width},
                                                                  {"block_count", shape.layers},
                                                                  {"feed_forward_length", shape.ff},
                                                                  {"rope.dimension_count", shape.head_width()},
                                                                  {"attention.head_count", shape.heads},
                                                                  {"attention.head_count_kv", shape.heads_kv},
                                                                  {"vocab_size", shape.vocabulary}};
    for (const auto& [key, value] : numbers) metadata.set(std::format("llama.{}", key), value);
    metadata.set("llama.rope.freq_base", shape.rope_base);
    metadata.set("llama.attention.layer_norm_rms_epsilon", shape.norm_epsilon);
    if (shape.experts > 0) {
        metadata.set("llama.expert_count", shape.experts);
        metadata.set("llama.expert_used_count", shape.experts_used);
    }
    std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> kinds{2, 3, 3};
    for (std::uint32_t byte = 0; byte < shape.vocabulary - 3; ++byte) {
        tokens.push_back(byte < 256 ? std::format("<0x{:02X}>", byte) : std::format("word{}", byte));
        kinds.push_back(byte < 256 ? 6 : 1);
    }
    metadata.set("tokenizer.ggml.model", std::string("llama"));
    metadata.set("tokenizer.ggml.tokens", tokens);
    metadata.set("tokenizer.ggml.scores", std::vector<float>(tokens.size(), 0.0F));
    metadata.set("tokenizer.ggml.token_type", kinds);
    metadata.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    metadata.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
    metadata.set("tokenizer.ggml.add_space_prefix", false);
    return metadata;
}

// Norms and the router stay f32, as llama.cpp wants them; what else there is becomes `type`.
inline base::Result<void> write_sample(const std::filesystem::path& path, const LlamaModel& model, TensorType type = TensorType::f32) {
    const auto& shape = model.shape;
    const std::uint64_t width = shape.width, width_kv = shape.width_kv(), ff = shape.ff, experts = shape.experts;
    TensorPlan plan{TensorFormat::gguf, sample_metadata(shape), {}, 0};
    std::vector<Floats> values;
    const auto add = [&](std::string name, std::vector<std::uint64_t> tensor_shape, Floats content, bool keeps) {
        plan.tensors.push_back({std::move(name), keeps ? TensorType::f32 : type, std::move(tensor_shape)});
        values.push_back(std::move(content));
    };
    add("token_embd.weight", {shape.vocabulary, width}, model.embedding, false);
    add("output_norm.weight", {width}, model.output_norm, true);
    if (!model.head.empty()) add("output.weight", {shape.vocabulary, width}, model.head, false);
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const auto& layer = model.layers[i];
        const auto name = [i](std::string_view rest) { return std::format("blk.{}.{}.weight", i, rest); };
        add(name("attn_norm"), {width}, layer.attention_norm, true);
        add(name("attn_q"), {width, width}, layer.query, false);
        add(name("attn_k"), {width_kv, width}, layer.key, false);
        add(name("attn_v"), {width_kv, width}, layer.value, false);
        add(name("attn_output"), {width, width}, layer.output, false);
        add(name("ffn_norm"), {width}, layer.ffn_norm, true);
        if (experts > 0) add(name("ffn_gate_inp"), {experts, width}, layer.router, true);
        for (const auto& [part, member] :
             {std::pair{"ffn_gate", &FeedForward::gate}, {"ffn_up", &FeedForward::up}, {"ffn_down", &FeedForward::down}}) {
            std::vector<std::uint64_t> block = member == &FeedForward::down ? std::vector{width, ff} : std::vector{ff, width};
            Floats all;
            for (const auto& one : layer.blocks) all.insert(all.end(), (one.*member).begin(), (one.*member).end());
            if (experts > 0) block.insert(block.begin(), experts);
            add(name(experts > 0 ? std::string(part) + "_exps" : part), block, std::move(all), false);
        }
    }
    auto writer = TensorWriter::create(path, plan);
    if (!writer) return std::unexpected(writer.error());
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::vector<std::byte> bytes(plan.tensors[i].bytes());
        if (auto made = from_floats(plan.tensors[i].type, values[i], plan.tensors[i].row(), bytes); !made) return made;
        if (auto wrote = writer->write(i, 0, bytes); !wrote) return wrote;
        if (auto done = writer->complete(i); !done) return done;
    }
    return writer->finish();
}

}  // namespace hanse::forge
