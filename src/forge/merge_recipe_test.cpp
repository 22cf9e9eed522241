// SPDX-License-Identifier: Apache-2.0
#include "forge/merge_recipe.hpp"

#include <gtest/gtest.h>

namespace hanse::forge {
namespace {

TEST(MergeRecipe, reads_models_with_weights_filters_and_gradients) {
    const auto recipe = MergeRecipe::parse(R"(
models:
- model: a/b
  parameters:
    weight: [0, 1]
    density:
      - filter: mlp
        value: 0.5
      - value: 1
- model: c
merge_method: ties
base_model: c
parameters: {normalize: true, lambda: 2}
dtype: bfloat16
out_dtype: float32
)");
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->method, "ties");
    EXPECT_EQ(recipe->base->path, "c");
    EXPECT_TRUE(recipe->whole_models);
    EXPECT_EQ(recipe->dtype, TensorType::bf16);
    EXPECT_EQ(recipe->out_dtype, TensorType::f32);
    const auto& own = recipe->slices[0].sources[0].parameters;
    const std::vector<const Parameters*> levels{&own, nullptr, &recipe->parameters};
    EXPECT_EQ(parameter("weight", levels, {"x"}, 0.25), 0.25);
    EXPECT_EQ(parameter("density", levels, {"model.layers.1.mlp.up_proj.weight"}, 0), 0.5);
    EXPECT_EQ(parameter("density", levels, {"model.layers.1.self_attn.q_proj.weight"}, 0), 1);
    EXPECT_EQ(parameter("normalize", levels, {"x"}, 0), 1);
    EXPECT_EQ(parameter("lambda", levels, {"x"}, 0), 2);
    EXPECT_EQ(parameter("t", levels, {"x"}, 0), std::nullopt);
}

TEST(MergeRecipe, a_gradient_is_linear_between_its_numbers) {
    const ParameterRule rule{.values = {0, 0.5, 0.3, 0.7, 1}};
    EXPECT_DOUBLE_EQ(rule.at(0), 0);
    EXPECT_DOUBLE_EQ(rule.at(0.25), 0.5);
    EXPECT_DOUBLE_EQ(rule.at(0.375), 0.4);
    EXPECT_DOUBLE_EQ(rule.at(1), 1);
    EXPECT_DOUBLE_EQ((ParameterRule{.values = {0.4}}.at(0.9)), 0.4);
}

TEST(MergeRecipe, the_nearest_level_that_has_a_fitting_rule_decides) {
    const Parameters source{{"weight", {{"mlp", {0.1}}}}}, slice{{"weight", {{"", {0.2}}}}}, global{{"weight", {{"", {0.3}}}}};
    EXPECT_EQ(parameter("weight", {&source, &slice, &global}, {"a.mlp.b"}, 0), 0.1);
    EXPECT_EQ(parameter("weight", {&source, &slice, &global}, {"a.attn.b"}, 0), 0.2);
    EXPECT_EQ(parameter("weight", {&source, nullptr, &global}, {"a.attn.b"}, 0), 0.3);
}

TEST(MergeRecipe, reads_slices_modules_and_tokenizers) {
    const auto slices = MergeRecipe::parse(
        "slices:\n- sources:\n  - model: a+lora\n    layer_range: [0, 8]\n  base_model: b@main\nmerge_method: passthrough\n");
    ASSERT_TRUE(slices) << slices.error().message;
    EXPECT_EQ(slices->slices[0].sources[0].model, (ModelName{"a", "", "lora"}));
    EXPECT_EQ(slices->slices[0].sources[0].layers, (LayerRange{0, 8}));
    EXPECT_EQ(slices->slices[0].base, (ModelName{"b", "main", ""}));
    const auto modules = MergeRecipe::parse(
        "modules:\n  text:\n    models:\n    - model: a\n    parameters:\n      weight: 1\nparameters:\n  weight: 2\nmerge_method: "
        "linear\n");
    ASSERT_TRUE(modules) << modules.error().message;
    EXPECT_EQ(modules->parameters.at("weight")[0].values[0], 1);
    const auto tokens = MergeRecipe::parse(
        "models: [{model: a}]\nmerge_method: linear\ntokenizer:\n  source: union\n  pad_to_multiple_of: 64\n  tokens:\n    <x>: {source: "
        "a, force: true}\n    <y>: {source: {kind: zero}}\n"
        "    <z>: {source: {kind: model_token, model: a, token: q}}\n");
    ASSERT_TRUE(tokens) << tokens.error().message;
    EXPECT_EQ(tokens->tokenizer.source, TokenizerRule::Source::union_of_all);
    EXPECT_EQ(tokens->tokenizer.pad_to_multiple_of, 64U);
    EXPECT_TRUE(tokens->tokenizer.tokens.at("<x>").force);
    EXPECT_EQ(tokens->tokenizer.tokens.at("<y>").kind, TokenRule::Kind::zero);
    EXPECT_EQ(tokens->tokenizer.tokens.at("<z>").token, "q");
}

TEST(MergeRecipe, names_the_key_that_is_wrong) {
    const auto expect = [](std::string_view yaml, std::string_view key, std::string_view what) {
        const auto recipe = MergeRecipe::parse(yaml);
        ASSERT_FALSE(recipe) << yaml;
        EXPECT_EQ(recipe.error().param, key) << recipe.error().message;
        EXPECT_TRUE(recipe.error().message.contains(what)) << recipe.error().message;
    };
    expect("models: {a: [1, 2}", "text", "no YAML");
    expect("models: [{model: a}]\nmerge_methid: linear\n", "merge_methid", "merge_method is near");
    expect("models: [{model: a}]\n", "merge_method", "missing");
    expect("merge_method: linear\n", "models", "either models or slices");
    expect("models: [{model: a}]\nslices: []\nmerge_method: linear\n", "models", "not both");
    expect("models: [{weight: 1}]\nmerge_method: linear\n", "models[0].weight", "not known");
    expect("models: [{model: a, parameters: {weight: big}}]\nmerge_method: linear\n", "models[0].parameters.weight", "a number");
    expect("models: [{model: a, parameters: {weight: [{filter: x}]}}]\nmerge_method: linear\n", "models[0].parameters.weight[0]",
           "no value");
    expect("slices: [{sources: [{model: a, layer_range: [4, 2]}]}]\nmerge_method: linear\n", "slices[0].sources[0].layer_range",
           "whole numbers");
    expect("models: [{model: a}]\nmerge_method: linear\ndtype: int8\n", "dtype", "no type of weights");
    expect("models: [{model: a}]\nmerge_method: linear\ntokenizer_source: base\ntokenizer: {source: base}\n", "tokenizer_source",
           "together");
}

}  // namespace
}  // namespace hanse::forge
