// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace hanse::forge {

// A model of the Llama family in plain f32, as its paper writes it (Touvron et al. 2023: pre-normalisation with
// RMSNorm, rotary positions, SwiGLU), with a mixture of experts in the feed-forward part as Mixtral has it (Jiang et
// al. 2024). It is what other ways to compute the same are held against: the engine's logits, and the router's
// statistics. Small models only: all weights lie in memory, four bytes each.
//
// Matrices are row-major, out × in. Rotation is of adjacent pairs, as in GGUF files of architecture "llama".
struct LlamaShape {
    std::uint32_t layers = 0;
    std::uint32_t width = 0;  // of the residual stream
    std::uint32_t heads = 0;
    std::uint32_t heads_kv = 0;
    std::uint32_t ff = 0;  // inner width of one feed-forward block
    std::uint32_t vocabulary = 0;
    std::uint32_t experts = 0;  // 0: one block and no router
    std::uint32_t experts_used = 0;
    float rope_base = 10'000.0F;
    float norm_epsilon = 1e-5F;

    std::uint32_t head_width() const { return width / heads; }
    std::uint32_t width_kv() const { return heads_kv * head_width(); }
    bool operator==(const LlamaShape&) const = default;
};

using Floats = std::vector<float>;

struct FeedForward {
    Floats gate, up;  // ff × width
    Floats down;      // width × ff
    bool operator==(const FeedForward&) const = default;
};

struct LlamaLayer {
    Floats attention_norm;
    Floats query, key, value, output;
    Floats ffn_norm;
    std::vector<FeedForward> blocks;  // one, or as many as experts
    Floats router;                    // experts × width
    bool operator==(const LlamaLayer&) const = default;
};

struct LlamaModel {
    LlamaShape shape;
    Floats embedding;  // vocabulary × width
    std::vector<LlamaLayer> layers;
    Floats output_norm;
    Floats head;  // vocabulary × width; empty: the embedding's
    bool operator==(const LlamaModel&) const = default;
};

// Windows of the same length, one after another; each is a text of its own that begins at position 0.
struct Windows {
    std::span<const std::int32_t> tokens;
    std::size_t length = 0;
    std::size_t count() const { return length == 0 ? 0 : tokens.size() / length; }
};

// What the feed-forward part of one layer reads, one row a token: what a router's statistics are made of.
using FfnInputs = std::function<void(std::size_t layer, std::span<const float> rows)>;
// May change the router's logits (one row a token, one column an expert) before experts are chosen.
using RouterLogits = std::function<void(std::size_t layer, std::span<const float> ffn_inputs, std::span<float> logits)>;

struct ForwardHooks {
    FfnInputs ffn_inputs = {};
    RouterLogits router_logits = {};
};

// Logits behind each token: rows × vocabulary. Token ids must be below the vocabulary's size.
Floats forward(const LlamaModel& model, const Windows& windows, const ForwardHooks& hooks = {});

// The parts of which forward() is made, for who also needs the way back.
void normalise(std::span<const float> rows, std::span<const float> weight, float epsilon, std::span<float> out);
// Rotates every head of every row by its place in its window; backwards undoes it.
enum class Rotation : unsigned char { forwards, backwards };
void rotate(std::span<float> rows, std::size_t head_width, std::size_t row_width, std::size_t window, float base, Rotation way);
// Causal softmax(q·kᵀ/√d)·v within each window; `weights` (heads × rows × window), if given, receives the softmax.
void attend(const LlamaShape& shape, std::span<const float> query, std::span<const float> key, std::span<const float> value,
            std::size_t window, std::span<float> out, Floats* weights);

// Mean of -log p(token | those before it in its window), over tokens from place `from` (at least 1) of each window,
// in nats; and how often the likeliest token was the right one.
struct TextLoss {
    double nats = 0;
    double hits = 0;
    std::size_t tokens = 0;
};
TextLoss text_loss(const LlamaModel& model, const Windows& windows, std::size_t from, const ForwardHooks& hooks = {});

}  // namespace hanse::forge
