// SPDX-License-Identifier: Apache-2.0
#include "recombine.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

namespace hanse::recombination {

using forge::Floats;
using forge::LlamaModel;

namespace {

// Each tensor of the blocks of the first model, with those of the others.
void each_tensor(LlamaModel& target, const Models& models, const std::function<void(Floats&, const std::vector<const Floats*>&)>& combine) {
    for (std::size_t i = 0; i < target.layers.size(); ++i) {
        for (auto part : {&forge::FeedForward::gate, &forge::FeedForward::up, &forge::FeedForward::down}) {
            std::vector<const Floats*> parts;
            for (const auto& model : models) parts.push_back(&(model.layers[i].blocks.front().*part));
            combine(target.layers[i].blocks.front().*part, parts);
        }
    }
}

// δ with all but its largest entries set to 0.
Floats trimmed(const Floats& model, const Floats& base, double density) {
    Floats change(model.size()), sizes(model.size());
    for (std::size_t i = 0; i < model.size(); ++i) sizes[i] = std::abs(change[i] = model[i] - base[i]);
    const auto keep = static_cast<std::size_t>(density * static_cast<double>(model.size()));
    if (keep == 0 || keep >= model.size()) return change;
    std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(keep - 1), sizes.end(), std::greater());
    for (auto& one : change)
        if (std::abs(one) < sizes[keep - 1]) one = 0;
    return change;
}

}  // namespace

LlamaModel average_of(const Models& models) {
    auto result = models.front();
    each_tensor(result, models, [](Floats& to, const auto& parts) {
        for (std::size_t i = 0; i < to.size(); ++i) {
            to[i] = 0;
            for (const auto* part : parts) to[i] += (*part)[i] / static_cast<float>(parts.size());
        }
    });
    return result;
}

LlamaModel task_arithmetic(const Models& models, float lambda) {
    auto result = models.front();
    each_tensor(result, models, [lambda](Floats& to, const auto& parts) {
        for (std::size_t i = 0; i < to.size(); ++i)
            for (std::size_t j = 1; j < parts.size(); ++j) to[i] += lambda * ((*parts[j])[i] - (*parts[0])[i]);
    });
    return result;
}

LlamaModel ties(const Models& models, double density, float lambda) {
    auto result = models.front();
    each_tensor(result, models, [=](Floats& to, const auto& parts) {
        std::vector<Floats> changes;
        for (std::size_t j = 1; j < parts.size(); ++j) changes.push_back(trimmed(*parts[j], *parts[0], density));
        for (std::size_t i = 0; i < to.size(); ++i) {
            float all = 0;
            for (const auto& change : changes) all += change[i];
            float sum = 0;
            float count = 0;
            for (const auto& change : changes) {
                if (change[i] == 0 || (change[i] > 0) != (all >= 0)) continue;
                sum += change[i];
                count += 1;
            }
            if (count > 0) to[i] += lambda * sum / count;
        }
    });
    return result;
}

LlamaModel mixture_of(const Models& models, const forge::Router& router, std::uint32_t used) {
    auto result = models.front();
    result.shape.experts = static_cast<std::uint32_t>(models.size());
    result.shape.experts_used = used;
    for (std::size_t i = 0; i < result.layers.size(); ++i) {
        result.layers[i].router = router.layers[i];
        for (std::size_t j = 1; j < models.size(); ++j) result.layers[i].blocks.push_back(models[j].layers[i].blocks.front());
    }
    return result;
}

forge::Statistics statistics_of(const LlamaModel& model, const std::string& text, std::size_t tokens, std::size_t window) {
    forge::StatisticsCollector collector(model.shape.layers, model.shape.width);
    const auto windows = tokens / window;
    const auto stride = (text.size() - window) / windows;
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < windows; ++i)
        for (std::size_t j = 0; j < window; ++j) ids.push_back(static_cast<std::uint8_t>(text[i * stride + j]));
    forge::forward(model, {ids, window}, {.ffn_inputs = [&](std::size_t layer, auto rows) { collector.add(layer, rows); }});
    return collector.finish().value();
}

forge::RouterLogits evidence_router(const Evidence& evidence, std::size_t owners, std::size_t window) {
    auto sums = std::make_shared<Floats>();
    return [=](std::size_t layer, std::span<const float>, std::span<float> logits) {
        if (layer == 0) sums->assign(logits.size(), 0.0F);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const bool begins = i / owners % window == 0;
            const auto before = begins ? 0.0F : evidence.keep * logits[i - owners];
            logits[i] = before + evidence.weight * std::log(std::max(logits[i], evidence.floor));
        }
        for (std::size_t i = 0; i < logits.size(); ++i) {
            (*sums)[i] += logits[i];
            logits[i] = (*sums)[i] / static_cast<float>(layer + 1);
        }
    };
}

forge::RouterLogits prefix_mean_router(float sharpness, std::size_t owners, std::size_t window) {
    return [=](std::size_t, std::span<const float>, std::span<float> logits) {
        Floats sums(owners);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const auto place = i / owners % window;
            auto& sum = sums[i % owners];
            sum = (place == 0 ? 0.0F : sum) + logits[i];
            logits[i] = sharpness * sum / static_cast<float>(place + 1);
        }
    };
}

forge::RouterLogits ngram_router(const catalog::NgramTable& table, std::span<const std::string> owners, const forge::Windows& windows) {
    auto scores = std::make_shared<Floats>(windows.tokens.size() * owners.size());
    std::string text;
    for (std::size_t i = 0; i < windows.tokens.size(); ++i) {
        if (i % windows.length == 0) text.clear();
        text += static_cast<char>(windows.tokens[i]);
        for (std::size_t j = 0; j < owners.size(); ++j)
            (*scores)[i * owners.size() + j] =
                static_cast<float>(table.find(owners[j])->log_likelihood(text) * static_cast<double>(text.size()));
    }
    return [scores](std::size_t, std::span<const float>, std::span<float> logits) { std::ranges::copy(*scores, logits.begin()); };
}

}  // namespace hanse::recombination
