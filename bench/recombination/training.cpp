// SPDX-License-Identifier: Apache-2.0
#include "training.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "forge/matrix_product.hpp"

namespace hanse::recombination {

using forge::Floats;
using forge::Into;
using forge::LlamaModel;
using forge::LlamaShape;
using forge::Windows;

namespace {

// A normal number from two uniform ones (Box and Muller 1958): the standard library's differ between platforms.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : source_(seed) {}
    double uniform() { return static_cast<double>(source_() >> 11) * 0x1p-53; }
    double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
    std::uint64_t below(std::uint64_t end) { return source_() % end; }

private:
    std::mt19937_64 source_;
};

Floats drawn(Chance& chance, std::size_t count, double scale) {
    Floats values(count);
    for (auto& one : values) one = static_cast<float>(chance.normal() * scale);
    return values;
}

// y = x · wᵀ was computed: the slope of x, and the gradient of w where it is wanted.
void backward_product(std::size_t rows, std::size_t outs, std::size_t ins, const Floats& slope, const Floats& weights, const Floats& inputs,
                      Floats* gradient, Floats* back, Into into) {
    if (gradient != nullptr)
        forge::multiply(outs, ins, rows, {slope.data(), outs, true}, {inputs.data(), ins}, gradient->data(), ins, Into::add);
    if (back != nullptr) forge::multiply(rows, ins, outs, {slope.data(), outs}, {weights.data(), ins}, back->data(), ins, into);
}

// Adds to `back` the slope through y = x / rms(x) ∘ w.
void backward_norm(const Floats& inputs, const Floats& weights, float epsilon, const Floats& slope, Floats* gradient, Floats& back) {
    const auto width = weights.size();
    for (std::size_t begin = 0; begin < inputs.size(); begin += width) {
        const float* x = inputs.data() + begin;
        const float* y = slope.data() + begin;
        double squares = 0;
        double along = 0;
        for (std::size_t i = 0; i < width; ++i) {
            squares += static_cast<double>(x[i]) * x[i];
            along += static_cast<double>(y[i]) * weights[i] * x[i];
        }
        const auto scale = 1.0F / std::sqrt(static_cast<float>(squares / static_cast<double>(width)) + epsilon);
        const auto pull = static_cast<float>(along) * scale * scale * scale / static_cast<float>(width);
        for (std::size_t i = 0; i < width; ++i) {
            if (gradient != nullptr) (*gradient)[i] += y[i] * x[i] * scale;
            back[begin + i] += y[i] * weights[i] * scale - x[i] * pull;
        }
    }
}

}  // namespace

LlamaModel random_model(const LlamaShape& shape, std::uint64_t seed) {
    Chance chance(seed);
    LlamaModel model;
    model.shape = shape;
    const std::size_t width = shape.width;
    const auto inwards = 1.0 / std::sqrt(static_cast<double>(width));
    const auto outwards = inwards / std::sqrt(2.0 * shape.layers);
    model.embedding = drawn(chance, shape.vocabulary * width, 0.05);
    model.head = drawn(chance, shape.vocabulary * width, 0.02);
    model.output_norm.assign(width, 1.0F);
    for (std::uint32_t i = 0; i < shape.layers; ++i) {
        forge::LlamaLayer layer;
        layer.attention_norm.assign(width, 1.0F);
        layer.ffn_norm.assign(width, 1.0F);
        layer.query = drawn(chance, width * width, inwards);
        layer.key = drawn(chance, shape.width_kv() * width, inwards);
        layer.value = drawn(chance, shape.width_kv() * width, inwards);
        layer.output = drawn(chance, width * width, outwards);
        layer.blocks.push_back({drawn(chance, shape.ff * width, inwards), drawn(chance, shape.ff * width, inwards),
                                drawn(chance, width * shape.ff, outwards * std::sqrt(static_cast<double>(width) / shape.ff))});
        model.layers.push_back(std::move(layer));
    }
    return model;
}

struct Training::Trace {
    struct Layer {
        Floats inputs, normal, query, key, value, weights, mixed, middle, ffn_normal, gate, up, inner;
    };
    std::vector<Layer> layers;
    Floats last, normal, logits;
};

Training::Training(LlamaModel& model, Trained what) : model_(model) {
    auto add = [this](Floats& weights, bool decays) { parameters_.push_back({.weights = &weights, .decays = decays}); };
    if (what == Trained::everything) {
        add(model.embedding, true);
        add(model.head, true);
        add(model.output_norm, false);
    }
    for (auto& layer : model.layers) {
        auto& block = layer.blocks.front();
        for (auto* one : {&block.gate, &block.up, &block.down}) add(*one, true);
        if (what == Trained::blocks) continue;
        for (auto* one : {&layer.query, &layer.key, &layer.value, &layer.output}) add(*one, true);
        for (auto* one : {&layer.attention_norm, &layer.ffn_norm}) add(*one, false);
    }
    for (auto& one : parameters_)
        for (auto* values : {&one.gradient, &one.mean, &one.square}) values->assign(one.weights->size(), 0.0F);
}

Floats* Training::gradient_of(const Floats& weights) {
    const auto found = std::ranges::find(parameters_, &weights, [](const Parameter& one) -> const Floats* { return one.weights; });
    return found == parameters_.end() ? nullptr : &found->gradient;
}

namespace {

void forward_layer(const LlamaShape& shape, const forge::LlamaLayer& layer, std::size_t window, auto& trace, Floats& state) {
    const std::size_t width = shape.width;
    const std::size_t width_kv = shape.width_kv();
    const std::size_t ff = shape.ff;
    const auto rows = state.size() / width;
    trace.inputs = state;
    for (auto* one : {&trace.normal, &trace.query, &trace.mixed, &trace.ffn_normal}) one->resize(rows * width);
    for (auto* one : {&trace.key, &trace.value}) one->resize(rows * width_kv);
    for (auto* one : {&trace.gate, &trace.up, &trace.inner}) one->resize(rows * ff);
    forge::normalise(state, layer.attention_norm, shape.norm_epsilon, trace.normal);
    forge::multiply(rows, width, width, {trace.normal.data(), width}, {layer.query.data(), width, true}, trace.query.data(), width);
    forge::multiply(rows, width_kv, width, {trace.normal.data(), width}, {layer.key.data(), width, true}, trace.key.data(), width_kv);
    forge::multiply(rows, width_kv, width, {trace.normal.data(), width}, {layer.value.data(), width, true}, trace.value.data(), width_kv);
    forge::rotate(trace.query, shape.head_width(), width, window, shape.rope_base, forge::Rotation::forwards);
    forge::rotate(trace.key, shape.head_width(), width_kv, window, shape.rope_base, forge::Rotation::forwards);
    forge::attend(shape, trace.query, trace.key, trace.value, window, trace.mixed, &trace.weights);
    forge::multiply(rows, width, width, {trace.mixed.data(), width}, {layer.output.data(), width, true}, state.data(), width, Into::add);
    trace.middle = state;
    const auto& block = layer.blocks.front();
    forge::normalise(state, layer.ffn_norm, shape.norm_epsilon, trace.ffn_normal);
    forge::multiply(rows, ff, width, {trace.ffn_normal.data(), width}, {block.gate.data(), width, true}, trace.gate.data(), ff);
    forge::multiply(rows, ff, width, {trace.ffn_normal.data(), width}, {block.up.data(), width, true}, trace.up.data(), ff);
    for (std::size_t i = 0; i < trace.inner.size(); ++i) trace.inner[i] = trace.gate[i] / (1.0F + std::exp(-trace.gate[i])) * trace.up[i];
    forge::multiply(rows, width, ff, {trace.inner.data(), ff}, {block.down.data(), ff, true}, state.data(), width, Into::add);
}

}  // namespace

double Training::backward_head(const Windows& windows, const Trace& trace, Floats& slope) {
    const auto& shape = model_.shape;
    const std::size_t vocabulary = shape.vocabulary;
    const auto rows = trace.last.size() / shape.width;
    const auto counted = rows - windows.count();
    Floats logit_slope(rows * vocabulary);
    double loss = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        if (row % windows.length == windows.length - 1) continue;  // what follows is not in the window
        const float* logits = trace.logits.data() + row * vocabulary;
        float* to = logit_slope.data() + row * vocabulary;
        const auto most = *std::max_element(logits, logits + vocabulary);
        float sum = 0;
        for (std::size_t i = 0; i < vocabulary; ++i) sum += to[i] = std::exp(logits[i] - most);
        const auto right = static_cast<std::size_t>(windows.tokens[row + 1]);
        loss += std::log(sum) - (logits[right] - most);
        for (std::size_t i = 0; i < vocabulary; ++i) to[i] /= sum * static_cast<float>(counted);
        to[right] -= 1.0F / static_cast<float>(counted);
    }
    Floats normal_slope(rows * shape.width);
    backward_product(rows, vocabulary, shape.width, logit_slope, model_.head, trace.normal, gradient_of(model_.head), &normal_slope,
                     Into::replace);
    slope.assign(rows * shape.width, 0.0F);
    backward_norm(trace.last, model_.output_norm, shape.norm_epsilon, normal_slope, gradient_of(model_.output_norm), slope);
    return loss / static_cast<double>(counted);
}

void Training::backward_block(std::size_t number, Trace& trace, Floats& slope) {
    const auto& shape = model_.shape;
    auto& layer = model_.layers[number];
    auto& block = layer.blocks.front();
    auto& t = trace.layers[number];
    const std::size_t width = shape.width;
    const std::size_t ff = shape.ff;
    const auto rows = slope.size() / width;
    Floats inner_slope(rows * ff), normal_slope(rows * width);
    backward_product(rows, width, ff, slope, block.down, t.inner, gradient_of(block.down), &inner_slope, Into::replace);
    Floats& gate_slope = t.inner;  // not needed any more
    for (std::size_t i = 0; i < inner_slope.size(); ++i) {
        const auto sigmoid = 1.0F / (1.0F + std::exp(-t.gate[i]));
        gate_slope[i] = inner_slope[i] * t.up[i] * sigmoid * (1.0F + t.gate[i] * (1.0F - sigmoid));
        inner_slope[i] *= t.gate[i] * sigmoid;
    }
    backward_product(rows, ff, width, gate_slope, block.gate, t.ffn_normal, gradient_of(block.gate), &normal_slope, Into::replace);
    backward_product(rows, ff, width, inner_slope, block.up, t.ffn_normal, gradient_of(block.up), &normal_slope, Into::add);
    backward_norm(t.middle, layer.ffn_norm, shape.norm_epsilon, normal_slope, gradient_of(layer.ffn_norm), slope);
}

void Training::backward_attention(std::size_t number, std::size_t window, Trace& trace, Floats& slope) {
    const auto& shape = model_.shape;
    auto& layer = model_.layers[number];
    auto& t = trace.layers[number];
    const std::size_t width = shape.width;
    const std::size_t width_kv = shape.width_kv();
    const std::size_t head_width = shape.head_width();
    const auto rows = slope.size() / width;
    Floats mixed_slope(rows * width), query_slope(rows * width), key_slope(rows * width_kv), value_slope(rows * width_kv);
    backward_product(rows, width, width, slope, layer.output, t.mixed, gradient_of(layer.output), &mixed_slope, Into::replace);
    Floats weight_slope(window * window);
    const auto scale = 1.0F / std::sqrt(static_cast<float>(head_width));
    for (std::size_t begin = 0; begin < rows; begin += window) {
        for (std::size_t head = 0; head < shape.heads; ++head) {
            const auto at = begin * width + head * head_width;
            const auto at_kv = begin * width_kv + head * shape.heads_kv / shape.heads * head_width;
            const float* weights = t.weights.data() + (head * rows + begin) * window;
            forge::multiply(window, window, head_width, {mixed_slope.data() + at, width}, {t.value.data() + at_kv, width_kv, true},
                            weight_slope.data(), window);
            forge::multiply(window, head_width, window, {weights, window, true}, {mixed_slope.data() + at, width},
                            value_slope.data() + at_kv, width_kv, Into::add);
            for (std::size_t i = 0; i < window; ++i) {
                float* line = weight_slope.data() + i * window;
                const float* weight = weights + i * window;
                float sum = 0;
                for (std::size_t j = 0; j <= i; ++j) sum += line[j] * weight[j];
                for (std::size_t j = 0; j < window; ++j) line[j] = j <= i ? weight[j] * (line[j] - sum) * scale : 0.0F;
            }
            forge::multiply(window, head_width, window, {weight_slope.data(), window}, {t.key.data() + at_kv, width_kv},
                            query_slope.data() + at, width);
            forge::multiply(window, head_width, window, {weight_slope.data(), window, true}, {t.query.data() + at, width},
                            key_slope.data() + at_kv, width_kv, Into::add);
        }
    }
    forge::rotate(query_slope, head_width, width, window, shape.rope_base, forge::Rotation::backwards);
    forge::rotate(key_slope, head_width, width_kv, window, shape.rope_base, forge::Rotation::backwards);
    Floats normal_slope(rows * width);
    backward_product(rows, width, width, query_slope, layer.query, t.normal, gradient_of(layer.query), &normal_slope, Into::replace);
    backward_product(rows, width_kv, width, key_slope, layer.key, t.normal, gradient_of(layer.key), &normal_slope, Into::add);
    backward_product(rows, width_kv, width, value_slope, layer.value, t.normal, gradient_of(layer.value), &normal_slope, Into::add);
    backward_norm(t.inputs, layer.attention_norm, shape.norm_epsilon, normal_slope, gradient_of(layer.attention_norm), slope);
}

double Training::gradients(const Windows& windows) {
    const auto& shape = model_.shape;
    const std::size_t width = shape.width;
    const auto rows = windows.count() * windows.length;
    for (auto& one : parameters_) std::ranges::fill(one.gradient, 0.0F);
    Trace trace;
    trace.layers.resize(shape.layers);
    Floats state(rows * width);
    for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(model_.embedding.data() + static_cast<std::size_t>(windows.tokens[i]) * width, width, state.data() + i * width);
    for (std::size_t i = 0; i < shape.layers; ++i) forward_layer(shape, model_.layers[i], windows.length, trace.layers[i], state);
    trace.last = std::move(state);
    trace.normal.resize(rows * width);
    forge::normalise(trace.last, model_.output_norm, shape.norm_epsilon, trace.normal);
    trace.logits.resize(rows * shape.vocabulary);
    forge::multiply(rows, shape.vocabulary, width, {trace.normal.data(), width}, {model_.head.data(), width, true}, trace.logits.data(),
                    shape.vocabulary);
    Floats slope;
    const auto loss = backward_head(windows, trace, slope);
    for (std::size_t i = shape.layers; i-- > 0;) {
        backward_block(i, trace, slope);
        backward_attention(i, windows.length, trace, slope);
    }
    if (auto* gradient = gradient_of(model_.embedding); gradient != nullptr)
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < width; ++j)
                (*gradient)[static_cast<std::size_t>(windows.tokens[i]) * width + j] += slope[i * width + j];
    return loss;
}

double Training::step(const Windows& windows, float rate) {
    constexpr float keep_mean = 0.9F, keep_square = 0.95F, decay = 0.05F;
    const auto loss = gradients(windows);
    double squares = 0;
    for (const auto& one : parameters_)
        for (const auto value : one.gradient) squares += static_cast<double>(value) * value;
    const auto shrink = static_cast<float>(std::min(1.0, 1.0 / std::sqrt(squares + 1e-12)));
    ++steps_;
    const auto mean_scale = 1.0F / (1.0F - std::pow(keep_mean, static_cast<float>(steps_)));
    const auto square_scale = 1.0F / (1.0F - std::pow(keep_square, static_cast<float>(steps_)));
    for (auto& one : parameters_) {
        float* weights = one.weights->data();
        for (std::size_t i = 0; i < one.gradient.size(); ++i) {
            const auto gradient = one.gradient[i] * shrink;
            one.mean[i] = keep_mean * one.mean[i] + (1 - keep_mean) * gradient;
            one.square[i] = keep_square * one.square[i] + (1 - keep_square) * gradient * gradient;
            const auto move = one.mean[i] * mean_scale / (std::sqrt(one.square[i] * square_scale) + 1e-8F);
            weights[i] -= rate * (move + (one.decays ? decay * weights[i] : 0.0F));
        }
    }
    return loss;
}

void train(LlamaModel& model, const std::string& text, Trained what, const Course& course, const Report& report) {
    Training training(model, what);
    Chance chance(course.seed);
    const std::size_t length = course.window;
    std::vector<std::int32_t> tokens(course.windows * length);
    const auto warm = std::max(1U, course.steps / 10);
    double mean = 0;
    for (std::uint32_t step = 0; step < course.steps; ++step) {
        for (std::size_t i = 0; i < course.windows; ++i) {
            const auto from = chance.below(text.size() - length);
            for (std::size_t j = 0; j < length; ++j) tokens[i * length + j] = static_cast<std::uint8_t>(text[from + j]);
        }
        const auto done = static_cast<float>(step) / static_cast<float>(course.steps);
        const auto rate = course.rate * (step < warm ? static_cast<float>(step + 1) / static_cast<float>(warm)
                                                     : 0.05F + 0.475F * (1 + std::cos(std::numbers::pi_v<float> * done)));
        const auto loss = training.step({tokens, length}, rate);
        mean = step == 0 ? loss : 0.98 * mean + 0.02 * loss;
        if (report && (step + 1) % 100 == 0) report(step + 1, mean);
    }
}

}  // namespace hanse::recombination
