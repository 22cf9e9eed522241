// SPDX-License-Identifier: Apache-2.0
#include "forge/reference_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "forge/matrix_product.hpp"

namespace hanse::forge {

void normalise(std::span<const float> rows, std::span<const float> weight, float epsilon, std::span<float> out) {
    const auto width = weight.size();
    for (std::size_t begin = 0; begin < rows.size(); begin += width) {
        double squares = 0;
        for (std::size_t i = 0; i < width; ++i) squares += static_cast<double>(rows[begin + i]) * rows[begin + i];
        const auto scale = 1.0F / std::sqrt(static_cast<float>(squares / static_cast<double>(width)) + epsilon);
        for (std::size_t i = 0; i < width; ++i) out[begin + i] = rows[begin + i] * scale * weight[i];
    }
}

void rotate(std::span<float> rows, std::size_t head_width, std::size_t row_width, std::size_t window, float base, Rotation way) {
    const auto pairs = head_width / 2;
    std::vector<float> cosines(window * pairs), sines(window * pairs);
    for (std::size_t place = 0; place < window; ++place) {
        for (std::size_t i = 0; i < pairs; ++i) {
            const auto angle = static_cast<double>(place) *
                               std::pow(static_cast<double>(base), -2.0 * static_cast<double>(i) / static_cast<double>(head_width));
            cosines[place * pairs + i] = static_cast<float>(std::cos(angle));
            sines[place * pairs + i] = static_cast<float>(way == Rotation::forwards ? std::sin(angle) : -std::sin(angle));
        }
    }
    for (std::size_t row = 0; row < rows.size() / row_width; ++row) {
        const auto* cosine = cosines.data() + row % window * pairs;
        const auto* sine = sines.data() + row % window * pairs;
        for (std::size_t head = 0; head < row_width; head += head_width) {
            float* values = rows.data() + row * row_width + head;
            for (std::size_t i = 0; i < pairs; ++i) {
                const auto a = values[2 * i];
                const auto b = values[2 * i + 1];
                values[2 * i] = a * cosine[i] - b * sine[i];
                values[2 * i + 1] = a * sine[i] + b * cosine[i];
            }
        }
    }
}

void attend(const LlamaShape& shape, std::span<const float> query, std::span<const float> key, std::span<const float> value,
            std::size_t window, std::span<float> out, Floats* weights) {
    const std::size_t width = shape.width;
    const std::size_t width_kv = shape.width_kv();
    const std::size_t head_width = shape.head_width();
    const auto rows = query.size() / width;
    const auto scale = 1.0F / std::sqrt(static_cast<float>(head_width));
    Floats scores(window * window);
    if (weights != nullptr) weights->resize(static_cast<std::size_t>(shape.heads) * rows * window);
    for (std::size_t begin = 0; begin < rows; begin += window) {
        for (std::size_t head = 0; head < shape.heads; ++head) {
            const auto head_kv = head * shape.heads_kv / shape.heads;
            const float* q = query.data() + begin * width + head * head_width;
            const float* k = key.data() + begin * width_kv + head_kv * head_width;
            const float* v = value.data() + begin * width_kv + head_kv * head_width;
            multiply(window, window, head_width, {q, width}, {k, width_kv, true}, scores.data(), window);
            for (std::size_t i = 0; i < window; ++i) {
                float* row = scores.data() + i * window;
                float most = -std::numeric_limits<float>::infinity();
                for (std::size_t j = 0; j <= i; ++j) most = std::max(most, row[j]);
                float sum = 0;
                for (std::size_t j = 0; j <= i; ++j) sum += row[j] = std::exp((row[j] - most) * scale);
                for (std::size_t j = 0; j <= i; ++j) row[j] /= sum;
                std::fill(row + i + 1, row + window, 0.0F);
            }
            multiply(window, head_width, window, {scores.data(), window}, {v, width_kv}, out.data() + begin * width + head * head_width,
                     width);
            if (weights != nullptr)
                std::ranges::copy(scores, weights->begin() + static_cast<std::ptrdiff_t>((head * rows + begin) * window));
        }
    }
}

namespace {

float swish(float x) { return x / (1.0F + std::exp(-x)); }

// out = down · (swish(gate · x) ∘ (up · x)), rows of x.
void feed_forward(const LlamaShape& shape, const FeedForward& block, std::span<const float> inputs, std::span<float> out) {
    const std::size_t width = shape.width;
    const std::size_t ff = shape.ff;
    const auto rows = inputs.size() / width;
    Floats inner(rows * ff), up(rows * ff);
    multiply(rows, ff, width, {inputs.data(), width}, {block.gate.data(), width, true}, inner.data(), ff);
    multiply(rows, ff, width, {inputs.data(), width}, {block.up.data(), width, true}, up.data(), ff);
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] = swish(inner[i]) * up[i];
    multiply(rows, width, ff, {inner.data(), ff}, {block.down.data(), ff, true}, out.data(), width);
}

struct Choice {
    std::size_t row;
    float weight;
};

// Softmax over all experts, the likeliest `used` of them, their weights brought to sum 1. Of equals the first wins.
std::vector<std::vector<Choice>> choose_experts(const LlamaShape& shape, std::span<const float> logits) {
    const std::size_t experts = shape.experts;
    std::vector<std::vector<Choice>> chosen(experts);
    std::vector<std::size_t> order(experts);
    std::vector<float> weight(experts);
    for (std::size_t row = 0; row < logits.size() / experts; ++row) {
        const auto* line = logits.data() + row * experts;
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::stable_sort(order, [&](auto a, auto b) { return line[a] > line[b]; });
        float sum = 0;
        for (std::size_t i = 0; i < shape.experts_used; ++i) sum += weight[i] = std::exp(line[order[i]] - line[order[0]]);
        for (std::size_t i = 0; i < shape.experts_used; ++i)
            if (weight[i] > 0) chosen[order[i]].push_back({row, weight[i] / sum});
    }
    return chosen;
}

void mixture(const LlamaShape& shape, const LlamaLayer& layer, std::span<const float> inputs, std::span<const float> logits,
             std::span<float> out) {
    const std::size_t width = shape.width;
    std::ranges::fill(out, 0.0F);
    const auto chosen = choose_experts(shape, logits);
    for (std::size_t expert = 0; expert < chosen.size(); ++expert) {
        if (chosen[expert].empty()) continue;
        Floats gathered(chosen[expert].size() * width), answer(gathered.size());
        for (std::size_t i = 0; i < chosen[expert].size(); ++i)
            std::copy_n(inputs.data() + chosen[expert][i].row * width, width, gathered.data() + i * width);
        feed_forward(shape, layer.blocks[expert], gathered, answer);
        for (std::size_t i = 0; i < chosen[expert].size(); ++i) {
            float* to = out.data() + chosen[expert][i].row * width;
            for (std::size_t j = 0; j < width; ++j) to[j] += chosen[expert][i].weight * answer[i * width + j];
        }
    }
}

void attention(const LlamaShape& shape, const LlamaLayer& layer, std::span<const float> inputs, std::size_t window, std::span<float> out) {
    const std::size_t width = shape.width;
    const std::size_t width_kv = shape.width_kv();
    const auto rows = inputs.size() / width;
    Floats query(rows * width), key(rows * width_kv), value(rows * width_kv), mixed(rows * width);
    multiply(rows, width, width, {inputs.data(), width}, {layer.query.data(), width, true}, query.data(), width);
    multiply(rows, width_kv, width, {inputs.data(), width}, {layer.key.data(), width, true}, key.data(), width_kv);
    multiply(rows, width_kv, width, {inputs.data(), width}, {layer.value.data(), width, true}, value.data(), width_kv);
    rotate(query, shape.head_width(), width, window, shape.rope_base, Rotation::forwards);
    rotate(key, shape.head_width(), width_kv, window, shape.rope_base, Rotation::forwards);
    attend(shape, query, key, value, window, mixed, nullptr);
    multiply(rows, width, width, {mixed.data(), width}, {layer.output.data(), width, true}, out.data(), width);
}

void add(std::span<float> to, std::span<const float> what) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += what[i];
}

}  // namespace

Floats forward(const LlamaModel& model, const Windows& windows, const ForwardHooks& hooks) {
    const auto& shape = model.shape;
    const std::size_t width = shape.width;
    const auto rows = windows.count() * windows.length;
    Floats state(rows * width), normal(rows * width), change(rows * width);
    for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(model.embedding.data() + static_cast<std::size_t>(windows.tokens[i]) * width, width, state.data() + i * width);
    for (std::size_t number = 0; number < model.layers.size(); ++number) {
        const auto& layer = model.layers[number];
        normalise(state, layer.attention_norm, shape.norm_epsilon, normal);
        attention(shape, layer, normal, windows.length, change);
        add(state, change);
        normalise(state, layer.ffn_norm, shape.norm_epsilon, normal);
        if (hooks.ffn_inputs) hooks.ffn_inputs(number, normal);
        if (shape.experts == 0) {
            feed_forward(shape, layer.blocks.front(), normal, change);
        } else {
            Floats logits(rows * shape.experts);
            multiply(rows, shape.experts, width, {normal.data(), width}, {layer.router.data(), width, true}, logits.data(), shape.experts);
            if (hooks.router_logits) hooks.router_logits(number, normal, logits);
            mixture(shape, layer, normal, logits, change);
        }
        add(state, change);
    }
    normalise(state, model.output_norm, shape.norm_epsilon, normal);
    const auto& head = model.head.empty() ? model.embedding : model.head;
    Floats logits(rows * shape.vocabulary);
    multiply(rows, shape.vocabulary, width, {normal.data(), width}, {head.data(), width, true}, logits.data(), shape.vocabulary);
    return logits;
}

TextLoss text_loss(const LlamaModel& model, const Windows& windows, std::size_t from, const ForwardHooks& hooks) {
    TextLoss loss;
    const auto logits = forward(model, windows, hooks);
    const std::size_t vocabulary = model.shape.vocabulary;
    double nats = 0;
    std::size_t hits = 0;
    for (std::size_t begin = 0; begin < windows.count() * windows.length; begin += windows.length) {
        for (std::size_t place = std::max<std::size_t>(from, 1); place < windows.length; ++place) {
            const auto* row = logits.data() + (begin + place - 1) * vocabulary;
            const auto right = static_cast<std::size_t>(windows.tokens[begin + place]);
            const auto* most = std::max_element(row, row + vocabulary);
            double sum = 0;
            for (std::size_t i = 0; i < vocabulary; ++i) sum += std::exp(static_cast<double>(row[i]) - *most);
            nats += std::log(sum) - (static_cast<double>(row[right]) - *most);
            hits += static_cast<std::size_t>(most - row) == right ? 1U : 0U;
            ++loss.tokens;
        }
    }
    if (loss.tokens > 0) {
        loss.nats = nats / static_cast<double>(loss.tokens);
        loss.hits = static_cast<double>(hits) / static_cast<double>(loss.tokens);
    }
    return loss;
}

}  // namespace hanse::forge
