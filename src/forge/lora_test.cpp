// SPDX-License-Identifier: Apache-2.0
#include "forge/lora.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "forge/matrix_product.hpp"
#include "forge/reference_file.hpp"
#include "forge/secure_sum.hpp"
#include "sample_model.hpp"
#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

constexpr LlamaShape shape{.layers = 2, .width = 64, .heads = 4, .heads_kv = 2, .ff = 96, .vocabulary = byte_tokens};

std::vector<float> drawn(std::size_t count, std::uint64_t seed) {
    base::SeededRandom random(seed);
    std::vector<float> values(count);
    for (auto& one : values) one = static_cast<float>(random.next() >> 40) * 0x1p-23F - 1.0F;
    return values;
}

LowRank change(std::uint32_t outs, std::uint32_t ins, std::uint32_t rank, std::uint64_t seed) {
    return {outs, ins, rank, drawn(std::size_t{rank} * ins, seed), drawn(std::size_t{outs} * rank, seed + 1)};
}

std::vector<float> product(const LowRank& one) {
    std::vector<float> result(std::size_t{one.outs} * one.ins);
    multiply(one.outs, one.ins, one.rank, {one.b.data(), one.rank}, {one.a.data(), one.ins}, result.data(), one.ins);
    return result;
}

double distance(std::span<const float> a, std::span<const float> b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
    return most;
}

Adapter adapter(std::uint64_t seed, std::uint32_t rank, float alpha) {
    Adapter made;
    made.alpha = alpha;
    made.tensors.emplace("blk.0.ffn_up.weight", change(shape.ff, shape.width, rank, seed));
    made.tensors.emplace("blk.1.attn_q.weight", change(shape.width, shape.width, rank, seed + 10));
    return made;
}

TEST(Lora, a_matrix_of_low_rank_comes_back_whole) {
    const auto matrix = product(change(120, 80, 5, 1));
    const auto made = truncate_matrix(matrix, 120, 80, 5, 7);
    EXPECT_LT(distance(product(made.form), matrix), 2e-5);
    EXPECT_LT(made.left_over, 1e-5);
}

TEST(Lora, what_is_left_over_is_what_the_smaller_singular_values_hold) {
    // Singular values 8, 4, 2, 1 in four places of a diagonal.
    std::vector<float> matrix(64 * 64);
    for (const auto& [i, value] : {std::pair{3, 8.0F}, {20, 4.0F}, {31, 2.0F}, {60, 1.0F}})
        matrix[static_cast<std::size_t>(i * 64 + i)] = value;
    const auto made = truncate_matrix(matrix, 64, 64, 2, 7);
    EXPECT_NEAR(made.left_over, 5.0 / 85.0, 1e-4);
    EXPECT_LT(distance(product(made.form), matrix), 2.001);
}

TEST(Lora, extracting_what_was_merged_gives_the_same_change) {
    const TemporaryFolder folder;
    Crew crew(2);
    ASSERT_TRUE(write_sample(folder / "base.gguf", sample_model(shape, 1)));
    const auto base = TensorFile::open(folder / "base.gguf").value();
    const auto made = adapter(5, 4, 8);
    const ScaledAdapter once[] = {{&made, 0.5F}};
    ASSERT_TRUE(merge_adapters(base, once, folder / "tuned.gguf", crew));
    const auto tuned = TensorFile::open(folder / "tuned.gguf").value();
    const auto extracted = extract_adapter(base, tuned, {.rank = 4});
    ASSERT_TRUE(extracted) << extracted.error().message;
    ASSERT_EQ(extracted->adapter.tensors.size(), 2U);
    EXPECT_LT(extracted->left_over_most, 1e-4);
    for (const auto& [name, one] : made.tensors) {
        auto expected = product(one);
        for (auto& value : expected) value *= 0.5F * 8 / 4;
        EXPECT_LT(distance(product(extracted->adapter.tensors.at(name)), expected), 1e-4) << name;
    }
}

TEST(Lora, a_change_of_a_norm_is_refused_by_name) {
    const TemporaryFolder folder;
    auto model = sample_model(shape, 1);
    ASSERT_TRUE(write_sample(folder / "base.gguf", model));
    model.layers[1].ffn_norm[3] += 0.5F;
    ASSERT_TRUE(write_sample(folder / "tuned.gguf", model));
    const auto base = TensorFile::open(folder / "base.gguf").value(), tuned = TensorFile::open(folder / "tuned.gguf").value();
    const auto refused = extract_adapter(base, tuned, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("blk.1.ffn_norm.weight"), std::string::npos);
    EXPECT_TRUE(extract_adapter(base, tuned, {.matrices_only = true}));
}

TEST(Lora, a_stack_is_the_sum_of_its_parts_whatever_their_ranks) {
    const auto one = adapter(1, 4, 8), two = adapter(50, 3, 0);
    const NamedAdapter parts[] = {{"law", &one, 0.25F}, {"code", &two, 0.75F}};
    const auto stack = stack_adapters(parts).value();
    for (const auto& [name, change] : stack.tensors) {
        EXPECT_EQ(change.rank, 7U);
        auto expected = product(one.tensors.at(name));
        const auto second = product(two.tensors.at(name));
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 0.25F * 2 * expected[i] + 0.75F * second[i];
        EXPECT_LT(distance(product(change), expected), 1e-4);
    }
}

TEST(Lora, unstacked_is_never_stacked_bit_for_bit) {
    const auto one = adapter(1, 4, 8), two = adapter(50, 3, 6);
    auto three = adapter(90, 2, 1);
    three.tensors.erase("blk.1.attn_q.weight");
    three.tensors.emplace("blk.1.ffn_down.weight", change(shape.width, shape.ff, 2, 99));
    const NamedAdapter a{"a", &one, 0.3F}, b{"b", &two, 0.3F}, c{"c", &three, 0.4F};
    const NamedAdapter all[] = {a, b, c}, without_a[] = {b, c}, without_b[] = {a, c}, without_c[] = {a, b};
    const auto stack = stack_adapters(all).value();
    EXPECT_EQ(unstack_adapter(stack, "a").value(), stack_adapters(without_a).value());
    EXPECT_EQ(unstack_adapter(stack, "b").value(), stack_adapters(without_b).value());
    EXPECT_EQ(unstack_adapter(stack, "c").value(), stack_adapters(without_c).value());
    EXPECT_EQ(unstack_adapter(stack, "d").error().kind, base::ErrorKind::not_found);
    const NamedAdapter twice[] = {a, a};
    EXPECT_FALSE(stack_adapters(twice));
}

TEST(Lora, adapters_come_back_as_they_were_written) {
    const TemporaryFolder folder;
    const auto one = adapter(1, 4, 8), two = adapter(50, 3, 6);
    const NamedAdapter parts[] = {{"law", &one, 0.5F}, {"code", &two, 0.5F}};
    for (const auto& made : {one, stack_adapters(parts).value()}) {
        ASSERT_TRUE(write_adapter(folder / "adapter.gguf", made));
        const auto back = read_adapter(folder / "adapter.gguf");
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, made);
    }
    EXPECT_FALSE(write_adapter(folder / "none.gguf", {}));
}

TEST(Lora, models_are_no_adapters) {
    const TemporaryFolder folder;
    ASSERT_TRUE(write_sample(folder / "base.gguf", sample_model(shape, 1)));
    EXPECT_FALSE(read_adapter(folder / "base.gguf"));
}

TEST(Lora, merging_keeps_what_no_adapter_names_and_quantises_the_rest_anew) {
    const TemporaryFolder folder;
    Crew crew(2);
    ASSERT_TRUE(write_sample(folder / "base.gguf", sample_model(shape, 1), TensorType::q8_0));
    const auto base = TensorFile::open(folder / "base.gguf").value();
    const auto made = adapter(5, 4, 1);
    const ScaledAdapter once[] = {{&made, 1.0F}};
    ASSERT_TRUE(merge_adapters(base, once, folder / "tuned.gguf", crew));
    const auto tuned = TensorFile::open(folder / "tuned.gguf").value();
    for (std::size_t i = 0; i < base.tensors().size(); ++i) {
        EXPECT_EQ(base.tensor(i), tuned.tensor(i));
        EXPECT_EQ(std::ranges::equal(base.bytes(i), tuned.bytes(i)), !made.tensors.contains(base.tensor(i).name)) << base.tensor(i).name;
    }
    Adapter other;
    other.tensors.emplace("nothing.weight", change(4, 4, 1, 1));
    const ScaledAdapter wrong[] = {{&other, 1.0F}};
    EXPECT_FALSE(merge_adapters(base, wrong, folder / "wrong.gguf", crew));
}

TEST(Lora, the_mean_of_cores_under_masks_is_exactly_the_mean_of_the_changes) {
    constexpr std::uint32_t owners = 3;
    const auto shared = change(40, 30, 6, 3);
    std::vector<std::vector<std::uint64_t>> fixed;
    std::vector<float> expected(40 * 30);
    for (std::uint64_t i = 0; i < owners; ++i) {
        const auto core = drawn(36, 20 + i);
        fixed.push_back(core_to_fixed(core).value());
        const auto full = product(with_core(shared, core));
        for (std::size_t j = 0; j < full.size(); ++j) expected[j] += full[j] / owners;
    }
    base::SeededRandom random(5);
    const SumRound round{owners, 2, {}};
    SumSecret secret = {};
    std::vector<SumMember> members;
    for (std::uint32_t i = 0; i < owners; ++i)
        members.push_back(SumMember::create(round, i, std::vector<SumSecret>(owners, secret), random).value());
    auto collector = SumCollector::create(round, 36).value();
    for (const auto& from : members) {
        for (auto& to : members) {
            if (&to == &from) continue;
            ASSERT_TRUE(to.take(from.shares()[static_cast<std::size_t>(&to - members.data())]));
        }
    }
    for (std::uint32_t i = 0; i < owners; ++i) ASSERT_TRUE(collector.add(i, members[i].masked(fixed[i]).value()));
    std::vector<SumReveal> reveals;
    for (auto& member : members) reveals.push_back(member.reveal(collector.sent()).value());
    const auto sum = collector.finish(reveals).value();
    std::vector<std::uint64_t> plain(36);
    for (const auto& one : fixed)
        for (std::size_t i = 0; i < 36; ++i) plain[i] += one[i];
    EXPECT_EQ(sum, plain);
    EXPECT_LT(distance(product(with_core(shared, mean_core(sum, owners))), expected), 1e-4);
}

TEST(Lora, a_core_beyond_reason_is_refused) {
    EXPECT_FALSE(core_to_fixed(std::vector<float>{1, NAN}));
    EXPECT_FALSE(core_to_fixed(std::vector<float>{0x1p20F}));
    EXPECT_TRUE(core_to_fixed(std::vector<float>{-0x1p19F}));
}

}  // namespace
}  // namespace hanse::forge
