// SPDX-License-Identifier: Apache-2.0
#include "forge/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include "forge/numbers.hpp"
#include "forge/tensor_writer.hpp"
#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

constexpr std::string_view weight_name = "model.layers.0.mlp.up_proj.weight";

// Models of one layer with one matrix, as they are needed to try a method by hand.
class MergeTest : public testing::Test {
protected:
    void model(std::string_view name, const std::vector<float>& values, std::vector<std::uint64_t> shape,
               TensorType type = TensorType::f32) {
        std::filesystem::create_directories(folder_ / name);
        const Tensor tensor{std::string(weight_name), type, std::move(shape)};
        auto writer = TensorWriter::create(folder_ / name / "model.safetensors", {TensorFormat::safetensors, {}, {tensor}, 0});
        ASSERT_TRUE(writer) << writer.error().message;
        std::vector<std::byte> bytes(tensor.bytes());
        ASSERT_TRUE(from_floats(type, values, tensor.row(), bytes));
        ASSERT_TRUE(writer->write(0, 0, bytes));
        ASSERT_TRUE(writer->complete(0));
        ASSERT_TRUE(writer->finish());
    }

    base::Result<std::vector<float>> merge(std::string recipe, unsigned threads = 2, std::uint64_t seed = 1) {
        for (const std::string_view name : {"base", "one", "two", "three"})
            for (std::size_t at = recipe.find("$" + std::string(name)); at != std::string::npos; at = recipe.find("$" + std::string(name)))
                recipe.replace(at, name.size() + 1, (folder_ / name).string());
        const auto parsed = MergeRecipe::parse(recipe);
        if (!parsed) return std::unexpected(parsed.error());
        const std::string output = std::format("out-{}", number_++);
        auto planned = Merge::plan(*parsed, {.output = folder_ / output, .seed = seed});
        if (!planned) return std::unexpected(planned.error());
        Crew crew(threads);
        if (auto done = planned->run(crew); !done) return std::unexpected(done.error());
        const auto file = TensorFile::open(folder_ / output);
        if (!file) return std::unexpected(file.error());
        std::vector<float> out(file->tensor(0).elements());
        to_floats(file->tensor(0).type, file->bytes(0), out);
        return out;
    }

    static std::string deltas(std::string_view method, std::string_view parameters = "", double density = 1) {
        return std::format(
            "models:\n- model: $one\n  parameters: {{weight: 1, density: {0}}}\n- model: $two\n  parameters: {{weight: 1, density: "
            "{0}}}\nbase_model: $base\nmerge_method: {1}\nparameters: {{lambda: 1{2}}}\n",
            density, method, parameters);
    }

    const TemporaryFolder folder_;
    int number_ = 0;
};

using Floats = std::vector<float>;

TEST_F(MergeTest, linear_is_the_weighted_mean_and_undivided_the_weighted_sum) {
    model("one", {1, 2, 3, 4}, {2, 2});
    model("two", {5, 6, 7, 8}, {2, 2});
    const std::string two =
        "models:\n- model: $one\n  parameters: {weight: 3}\n- model: $two\n  parameters: {weight: 1}\nmerge_method: linear\n";
    EXPECT_EQ(merge(two).value(), (Floats{2, 3, 4, 5}));
    EXPECT_EQ(merge(two + "parameters: {normalize: false}\n").value(), (Floats{8, 12, 16, 20}));
}

TEST_F(MergeTest, task_arithmetic_adds_what_the_models_learned) {
    model("base", {1, 1, 1, 1}, {2, 2});
    model("one", {2, 1, 1, 0}, {2, 2});
    model("two", {1, 3, 1, 0}, {2, 2});
    EXPECT_EQ(merge(deltas("task_arithmetic")).value(), (Floats{2, 3, 1, -1}));
}

TEST_F(MergeTest, ties_keeps_the_largest_and_lets_signs_vote) {
    model("base", {0, 0, 0, 0}, {4});
    model("one", {4, -1, 3, 0.5}, {4});
    model("two", {2, 2, -5, 0.25}, {4});
    EXPECT_EQ(merge(deltas("ties")).value(), (Floats{3, 2, -5, 0.375}));
    EXPECT_EQ(merge(deltas("ties", "", 0.5)).value(), (Floats{4, 2, -5, 0}))
        << "two of four are kept of each, the first of equal ones dropped";
}

TEST_F(MergeTest, ties_keeps_exactly_the_share_that_was_asked_for) {
    Floats values(40'000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(1 + i % 7);  // many of equal magnitude
    model("base", Floats(values.size(), 0), {200, 200});
    model("one", values, {200, 200}, TensorType::bf16);
    for (const double density : {0.0, 0.1, 0.37, 0.9, 1.0}) {
        const auto out = merge(std::format("models: [{{model: $one, parameters: {{weight: 1, density: {}}}}}]\nbase_model: "
                                           "$base\nmerge_method: ties\ndtype: bfloat16\n",
                                           density))
                             .value();
        const auto kept = std::ranges::count_if(out, [](float x) { return x != 0; });
        EXPECT_EQ(kept, static_cast<std::ptrdiff_t>(density * 40'000));
        float least = 8, dropped = 0;
        for (std::size_t i = 0; i < out.size(); ++i)
            (out[i] != 0 ? least : dropped) = out[i] != 0 ? std::min(least, values[i]) : std::max(dropped, values[i]);
        EXPECT_GE(least, dropped == 8 ? 0 : dropped * (kept > 0 ? 1 : 0));
    }
}

TEST_F(MergeTest, sce_selects_a_share_of_what_varies_and_lets_the_larger_changes_weigh_more) {
    model("base", std::vector<float>(8, 1.0F), {2, 4});
    model("one", {1, 1, 1, 1, 2, 4, 1.5F, 1.25F}, {2, 4});
    model("two", {1, 1, 1, 1, 2, 2, 1.5F, 1.0F}, {2, 4});
    // Two of the eight vary between the models, and half of these is one.
    const auto half = merge(deltas("sce", ", select_topk: 0.5"));
    ASSERT_TRUE(half) << half.error().message;
    EXPECT_EQ(std::count(half->begin(), half->end(), 1.0F), 7);
    // Weights 9 : 1 by squares of 3 and 1, the mean of the changes by them.
    EXPECT_FLOAT_EQ((*half)[5], 1 + (0.9F * 3 + 0.1F * 1));
}

TEST_F(MergeTest, sce_weighs_all_the_same_where_changes_are_tiny) {
    model("base", {0, 0, 0, 0}, {2, 2});
    model("one", {0x1p-12F, 0, 0, 0}, {2, 2});
    model("two", {0x1p-13F, 0, 0, 0}, {2, 2});
    const auto out = merge(deltas("sce"));
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_FLOAT_EQ((*out)[0], 0.75F * 0x1p-12F);
}

TEST_F(MergeTest, breadcrumbs_drops_both_ends) {
    model("base", Floats(10, 0), {10});
    model("one", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {10});
    const auto out =
        merge("models: [{model: $one, parameters: {weight: 1, density: 0.5, gamma: 0.2}}]\nbase_model: $base\nmerge_method: breadcrumbs\n");
    EXPECT_EQ(out.value(), (Floats{0, 0, 0, 4, 5, 6, 7, 8, 0, 0}));
    const auto few = merge(
        "models: [{model: $one, parameters: {weight: 1, density: 0.5, gamma: 0.01}}]\nbase_model: $base\nmerge_method: breadcrumbs\n");
    EXPECT_EQ(few.value(), (Floats{0, 0, 0, 0, 0, 6, 7, 8, 9, 10})) << "no outlier to drop leaves the largest";
}

TEST_F(MergeTest, random_methods_keep_the_share_and_the_sum_and_repeat_on_any_number_of_threads) {
    model("base", Floats(90'000, 0), {300, 300});
    Floats ones(90'000);
    for (std::size_t i = 0; i < ones.size(); ++i) ones[i] = 1 + static_cast<float>(i % 300) / 1000;
    model("one", ones, {300, 300});
    double sum = 0;
    for (const float x : ones) sum += static_cast<double>(x);
    for (const std::string_view method : {"dare_linear", "dare_ties", "della", "della_linear"}) {
        const auto recipe = std::format(
            "models: [{{model: $one, parameters: {{weight: 1, density: 0.6, epsilon: 0.1}}}}]\nbase_model: $base\nmerge_method: "
            "{}\nparameters: {{normalize: false}}\n",
            method);
        const auto out = merge(recipe, 2).value();
        const auto kept = static_cast<double>(std::ranges::count_if(out, [](float x) { return x != 0; })) / 90'000;
        EXPECT_NEAR(kept, 0.6, 0.006) << method;
        double total = 0;
        for (const float x : out) total += static_cast<double>(x);
        EXPECT_NEAR(total / sum, 1, 1e-4) << method;
        EXPECT_EQ(merge(recipe, 1).value(), out) << method;
        EXPECT_NE(merge(recipe, 2, 2).value(), out) << method << ": another seed draws otherwise";
        if (method == "della") {
            double low = 0, high = 0;  // the larger half of each row is kept more often
            for (std::size_t i = 0; i < out.size(); ++i) (i % 300 < 150 ? low : high) += out[i] != 0 ? 1 : 0;
            EXPECT_NEAR(low / 45'000, 0.55, 0.01);
            EXPECT_NEAR(high / 45'000, 0.65, 0.01);
        }
    }
}

TEST_F(MergeTest, slerp_walks_along_the_arc) {
    model("base", {1, 0}, {2});
    model("one", {0, 1}, {2});
    const auto out =
        merge("models: [{model: $base}, {model: $one}]\nbase_model: $base\nmerge_method: slerp\nparameters: {t: 0.5}\n").value();
    EXPECT_FLOAT_EQ(out[0], std::sqrt(0.5F));
    EXPECT_FLOAT_EQ(out[1], std::sqrt(0.5F));
}

TEST_F(MergeTest, means_on_the_sphere_of_two_models_are_the_middle_of_the_arc) {
    model("one", {3, 0, 0}, {3});
    model("two", {0, 3, 0}, {3});
    for (const std::string_view method : {"karcher", "multislerp", "nuslerp"}) {
        const auto out =
            merge(
                std::format(
                    "models: [{{model: $one, parameters: {{weight: 1}}}}, {{model: $two, parameters: {{weight: 1}}}}]\nmerge_method: {}\n",
                    method))
                .value();
        EXPECT_NEAR(out[0], 3 * std::sqrt(0.5), 1e-5) << method;
        EXPECT_NEAR(out[1], 3 * std::sqrt(0.5), 1e-5) << method;
        EXPECT_EQ(out[2], 0) << method;
    }
}

TEST_F(MergeTest, model_stock_trusts_what_the_models_agree_on) {
    model("base", {0, 0}, {2});
    model("one", {1, 0}, {2});
    model("two", {1, 0}, {2});
    EXPECT_EQ(merge(deltas("model_stock")).value(), (Floats{1, 0})) << "full agreement: their mean";
    model("two", {0, 1}, {2});
    EXPECT_EQ(merge(deltas("model_stock")).value(), (Floats{0, 0})) << "none: the base";
}

TEST_F(MergeTest, nearswap_takes_near_values_over_and_moves_a_step_toward_far_ones) {
    model("base", {1, 1, 1}, {3});
    model("one", {1.0625, 3, 1}, {3});
    EXPECT_EQ(merge("models: [{model: $one}]\nbase_model: $base\nmerge_method: nearswap\nparameters: {t: 0.25}\n").value(),
              (Floats{1.0625, 1.25, 1}));
}

TEST_F(MergeTest, tells_what_is_missing_before_anything_is_written) {
    model("base", {1, 1}, {2});
    model("one", {1, 1, 1}, {3});
    const auto refused = [&](const std::string& recipe, std::string_view what) {
        const auto out = merge(recipe);
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().kind, base::ErrorKind::invalid);
        EXPECT_TRUE(out.error().message.contains(what)) << out.error().message;
    };
    refused("models: [{model: $one, parameters: {weight: 1}}, {model: $base, parameters: {weight: 1}}]\nmerge_method: linear\n",
            "another shape");
    refused("models: [{model: $base, parameters: {weight: 1}}]\nmerge_method: ties\n", "needs base_model");
    refused("models: [{model: $base}]\nmerge_method: linear\n", "no weight");
    refused("models: [{model: $base}, {model: $base}]\nmerge_method: passthrough\n", "exactly 1 model");
    refused("models: [{model: $base}]\nmerge_method: frankenmerge\n", "is not known");
    refused("models: [{model: $base+lora, parameters: {weight: 1}}]\nmerge_method: linear\n", "adapter");
}

TEST_F(MergeTest, says_who_the_parents_were_and_has_the_statement_signed) {
    model("one", {1, 2}, {2});
    const auto recipe = MergeRecipe::parse(std::format("models: [{{model: {}}}]\nmerge_method: passthrough\n", (folder_ / "one").string()));
    auto planned = Merge::plan(*recipe, {.output = folder_ / "signed"});
    ASSERT_TRUE(planned);
    Crew crew(1);
    std::string signed_text;
    ASSERT_TRUE(planned->run(crew, {}, [&](std::string_view statement) -> base::Result<std::string> {
        signed_text = statement;
        return "signature of the tester";
    }));
    EXPECT_TRUE(signed_text.contains("\"parents\":[{\"name\":")) << signed_text;
    EXPECT_TRUE(signed_text.contains("\"outputs\":[{\"name\":\"model.safetensors\",\"sha256\":")) << signed_text;
    EXPECT_TRUE(folder_.read("signed/hanse-forge.json").contains("signature of the tester"));
    EXPECT_TRUE(TensorFile::open(folder_ / "signed")
                    ->metadata()
                    .text("hanse.forge.parents")
                    .contains(planned->summary().parents[0].sha256[0].second));
}

}  // namespace
}  // namespace hanse::forge
