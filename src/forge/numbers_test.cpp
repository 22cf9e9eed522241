// SPDX-License-Identifier: Apache-2.0
#include "forge/numbers.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "forge/tensor_file.hpp"
#include "ggml_types.hpp"
#include "rounding.hpp"

namespace hanse::forge {
namespace {

template <typename Number>
std::vector<float> widened(TensorType type, const std::vector<Number>& numbers) {
    std::vector<float> out(numbers.size() * sizeof(Number) / block(type).bytes * block(type).elements);
    to_floats(type, std::as_bytes(std::span(numbers)), out);
    return out;
}

TEST(Numbers, every_half_survives_the_way_there_and_back) {
    for (std::uint32_t i = 0; i < 65'536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float half = from_f16(bits), brain = from_bf16(bits);
        EXPECT_TRUE(std::isnan(half) ? (to_f16(half) & 0x7FFF) == 0x7E00 : to_f16(half) == bits) << i;
        EXPECT_TRUE(std::isnan(brain) ? to_bf16(brain) == 0x7FC0 : to_bf16(brain) == bits) << i;
        EXPECT_TRUE(std::isnan(half) || half == static_cast<float>(std::bit_cast<_Float16>(bits))) << i;
    }
}

TEST(Numbers, rounds_to_nearest_even_as_the_compiler_does) {
    std::uint32_t state = 1;
    for (int i = 0; i < 2'000'000; ++i) {
        state = state * 1664525U + 1013904223U;
        const auto value = std::bit_cast<float>(state);
        if (std::isnan(value)) continue;
        ASSERT_EQ(to_f16(value), std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) << value;
    }
    EXPECT_EQ(to_bf16(1.00390625F), 0x3F80);  // a tie goes to the even one
    EXPECT_EQ(to_bf16(1.01171875F), 0x3F82);
    EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), 0x7F80);  // over the largest
    EXPECT_EQ(to_f16(65520.0F), 0x7C00);
    EXPECT_EQ(to_f16(0x1p-25F), 0);
    EXPECT_EQ(to_f16(0x1.8p-25F), 1);
}

TEST(Numbers, fp8_has_the_values_of_its_paper) {
    const std::vector<std::uint8_t> bits{0x00, 0x01, 0x08, 0x38, 0x7E, 0xFE, 0x7F};
    const auto e4m3 = widened(TensorType::f8_e4m3, bits);
    EXPECT_EQ(e4m3[1], 0x1p-9F);
    EXPECT_EQ(e4m3[2], 0x1p-6F);
    EXPECT_EQ(e4m3[3], 1.0F);
    EXPECT_EQ(e4m3[4], 448.0F);
    EXPECT_EQ(e4m3[5], -448.0F);
    EXPECT_TRUE(std::isnan(e4m3[6]));
    const auto e5m2 = widened(TensorType::f8_e5m2, std::vector<std::uint8_t>{0x01, 0x04, 0x3C, 0x7B, 0x7C, 0x7D});
    EXPECT_EQ(e5m2[0], 0x1p-16F);
    EXPECT_EQ(e5m2[1], 0x1p-14F);
    EXPECT_EQ(e5m2[2], 1.0F);
    EXPECT_EQ(e5m2[3], 57344.0F);
    EXPECT_TRUE(std::isinf(e5m2[4]));
    EXPECT_TRUE(std::isnan(e5m2[5]));
}

TEST(Numbers, fp8_rounds_to_the_nearest_of_its_values) {
    for (const TensorType type : {TensorType::f8_e4m3, TensorType::f8_e5m2}) {
        std::vector<std::uint8_t> all(256);
        for (std::size_t i = 0; i < 256; ++i) all[i] = static_cast<std::uint8_t>(i);
        const auto values = widened(type, all);
        std::vector<std::byte> back(256);
        ASSERT_TRUE(from_floats(type, values, 256, back));
        for (std::size_t i = 0; i < 256; ++i)
            EXPECT_TRUE(std::isnan(values[i]) || static_cast<std::size_t>(back[i]) == i) << name(type) << i;
        // Between neighbours: below the middle to the lower one, the middle to the even one.
        for (std::size_t i = 0; i + 1 < 126 && std::isfinite(values[i + 1]); ++i) {
            const float middle = (values[i] + values[i + 1]) / 2;
            const float tried[] = {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, 1e9F)};
            std::byte out[3];
            ASSERT_TRUE(from_floats(type, tried, 3, out));
            EXPECT_EQ(static_cast<std::size_t>(out[0]), i + i % 2) << name(type) << i;
            EXPECT_EQ(static_cast<std::size_t>(out[1]), i);
            EXPECT_EQ(static_cast<std::size_t>(out[2]), i + 1);
        }
    }
    const float large[] = {1e9F, 464.0F, 465.0F};
    std::byte out[3];
    ASSERT_TRUE(from_floats(TensorType::f8_e4m3, large, 3, out));
    EXPECT_EQ(out[0], std::byte{0x7F});
    EXPECT_EQ(out[1], std::byte{0x7E}) << "the tie between 448 and what would be 480 goes to the even 448";
    EXPECT_EQ(out[2], std::byte{0x7F});
}

TEST(Numbers, block_sizes_are_those_of_ggml) {
    for (int i = 0; i <= static_cast<int>(TensorType::q2_0); ++i) {
        const auto type = static_cast<TensorType>(i);
        if (!gguf_number(type)) continue;
        const auto facts = ggml::facts(*gguf_number(type));
        EXPECT_EQ(facts.elements, block(type).elements) << name(type);
        EXPECT_EQ(facts.bytes, block(type).bytes) << name(type);
    }
}

TEST(Numbers, quantised_weights_come_back_near_to_what_they_were) {
    std::vector<float> weights(4 * 512);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i) * 0.37F) * 0.1F;
    const std::pair<TensorType, double> expected[] = {{TensorType::q8_0, 0.001}, {TensorType::q6_k, 0.004}, {TensorType::q5_k, 0.008},
                                                      {TensorType::q4_k, 0.016}, {TensorType::q4_0, 0.016}, {TensorType::q5_0, 0.008}};
    for (const auto& [type, error] : expected) {
        const Tensor tensor{"t", type, {4, 512}};
        std::vector<std::byte> bytes(tensor.bytes());
        ASSERT_TRUE(from_floats(type, weights, 512, bytes)) << name(type);
        std::vector<float> back(weights.size());
        to_floats(type, bytes, back);
        double worst = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(back[i] - weights[i])));
        EXPECT_LT(worst, error) << name(type);
        EXPECT_GT(worst, 0) << name(type);
    }
    std::vector<std::byte> out(1024);
    EXPECT_FALSE(can_write(TensorType::iq2_xxs)) << "it needs an importance matrix";
    EXPECT_FALSE(from_floats(TensorType::q4_k, std::span(weights).first(32), 32, out));
}

}  // namespace
}  // namespace hanse::forge
