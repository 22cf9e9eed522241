// SPDX-License-Identifier: Apache-2.0
#include "training.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hanse::recombination {
namespace {

constexpr forge::LlamaShape shape{.layers = 2, .width = 16, .heads = 4, .heads_kv = 2, .ff = 24, .vocabulary = 32};

std::vector<std::int32_t> tokens() {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 24; ++i) ids.push_back(i * i * 7 % 32);
    return ids;
}

double loss_of(forge::LlamaModel& model) {
    const auto ids = tokens();
    return forge::text_loss(model, {ids, 12}, 1).nats;
}

TEST(Training, gradients_are_the_slopes_of_the_loss) {
    auto model = random_model(shape, 3);
    Training training(model, Trained::everything);
    const auto ids = tokens();
    EXPECT_NEAR(training.gradients({ids, 12}), loss_of(model), 1e-4);
    std::size_t checked = 0;
    for (auto& parameter : training.parameters()) {
        for (std::size_t i = 3; i < parameter.weights->size(); i += parameter.weights->size() / 3 + 1) {
            auto& weight = (*parameter.weights)[i];
            const auto kept = weight;
            const float step = 1e-2F;
            weight = kept + step;
            const auto above = loss_of(model);
            weight = kept - step;
            const auto below = loss_of(model);
            weight = kept;
            EXPECT_NEAR(parameter.gradient[i], (above - below) / (2 * step), 2e-3 + 0.02 * std::abs(parameter.gradient[i]));
            ++checked;
        }
    }
    EXPECT_GT(checked, 50U);
}

TEST(Training, owners_leave_the_trunk_as_it_is) {
    const auto before = random_model(shape, 3);
    auto after = before;
    train(after, std::string(1000, '\x05'), Trained::blocks, {.steps = 5, .windows = 2, .window = 12});
    EXPECT_NE(after.layers[0].blocks, before.layers[0].blocks);
    auto without = after;
    for (std::size_t i = 0; i < shape.layers; ++i) without.layers[i].blocks = before.layers[i].blocks;
    EXPECT_EQ(without, before);
}

TEST(Training, learns_a_text_and_repeats_itself) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += "\x01\x02\x03\x04\x05\x06";
    auto one = random_model(shape, 4), two = random_model(shape, 4);
    for (auto* model : {&one, &two}) train(*model, text, Trained::everything, {.steps = 60, .windows = 4, .window = 12, .rate = 1e-2F});
    EXPECT_EQ(one, two);
    std::vector<std::int32_t> ids(text.begin(), text.begin() + 24);
    EXPECT_LT(forge::text_loss(one, {ids, 12}, 6).nats, 0.5);
}

}  // namespace
}  // namespace hanse::recombination
