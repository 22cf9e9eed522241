// SPDX-License-Identifier: Apache-2.0
#include "forge/tensor_type.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace hanse::forge {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

struct Row {
    TensorType type;
    std::string_view name;
    std::string_view safetensors;
    std::uint32_t gguf;
    Block block;
};

constexpr std::array rows{
    Row{TensorType::f32, "F32", "F32", 0, {1, 4}},
    Row{TensorType::f16, "F16", "F16", 1, {1, 2}},
    Row{TensorType::bf16, "BF16", "BF16", 30, {1, 2}},
    Row{TensorType::f8_e4m3, "F8_E4M3", "F8_E4M3", none, {1, 1}},
    Row{TensorType::f8_e5m2, "F8_E5M2", "F8_E5M2", none, {1, 1}},
    Row{TensorType::f64, "F64", "F64", 28, {1, 8}},
    Row{TensorType::boolean, "BOOL", "BOOL", none, {1, 1}},
    Row{TensorType::u8, "U8", "U8", none, {1, 1}},
    Row{TensorType::u16, "U16", "U16", none, {1, 2}},
    Row{TensorType::u32, "U32", "U32", none, {1, 4}},
    Row{TensorType::u64, "U64", "U64", none, {1, 8}},
    Row{TensorType::i8, "I8", "I8", 24, {1, 1}},
    Row{TensorType::i16, "I16", "I16", 25, {1, 2}},
    Row{TensorType::i32, "I32", "I32", 26, {1, 4}},
    Row{TensorType::i64, "I64", "I64", 27, {1, 8}},
    Row{TensorType::q4_0, "Q4_0", "", 2, {32, 18}},
    Row{TensorType::q4_1, "Q4_1", "", 3, {32, 20}},
    Row{TensorType::q5_0, "Q5_0", "", 6, {32, 22}},
    Row{TensorType::q5_1, "Q5_1", "", 7, {32, 24}},
    Row{TensorType::q8_0, "Q8_0", "", 8, {32, 34}},
    Row{TensorType::q8_1, "Q8_1", "", 9, {32, 36}},
    Row{TensorType::q2_k, "Q2_K", "", 10, {256, 84}},
    Row{TensorType::q3_k, "Q3_K", "", 11, {256, 110}},
    Row{TensorType::q4_k, "Q4_K", "", 12, {256, 144}},
    Row{TensorType::q5_k, "Q5_K", "", 13, {256, 176}},
    Row{TensorType::q6_k, "Q6_K", "", 14, {256, 210}},
    Row{TensorType::q8_k, "Q8_K", "", 15, {256, 292}},
    Row{TensorType::iq2_xxs, "IQ2_XXS", "", 16, {256, 66}},
    Row{TensorType::iq2_xs, "IQ2_XS", "", 17, {256, 74}},
    Row{TensorType::iq3_xxs, "IQ3_XXS", "", 18, {256, 98}},
    Row{TensorType::iq1_s, "IQ1_S", "", 19, {256, 50}},
    Row{TensorType::iq4_nl, "IQ4_NL", "", 20, {32, 18}},
    Row{TensorType::iq3_s, "IQ3_S", "", 21, {256, 110}},
    Row{TensorType::iq2_s, "IQ2_S", "", 22, {256, 82}},
    Row{TensorType::iq4_xs, "IQ4_XS", "", 23, {256, 136}},
    Row{TensorType::iq1_m, "IQ1_M", "", 29, {256, 56}},
    Row{TensorType::tq1_0, "TQ1_0", "", 34, {256, 54}},
    Row{TensorType::tq2_0, "TQ2_0", "", 35, {256, 66}},
    Row{TensorType::mxfp4, "MXFP4", "", 39, {32, 17}},
    Row{TensorType::nvfp4, "NVFP4", "", 40, {64, 36}},
    Row{TensorType::q1_0, "Q1_0", "", 41, {128, 18}},
    Row{TensorType::q2_0, "Q2_0", "", 42, {64, 18}},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].type) != i) return false;
    return true;
}
static_assert(in_order() && static_cast<std::size_t>(TensorType::q2_0) + 1 == rows.size());

const Row& row(TensorType type) { return rows[static_cast<std::size_t>(type)]; }

}  // namespace

std::string_view name(TensorType type) { return row(type).name; }
Block block(TensorType type) { return row(type).block; }
bool is_quantised(TensorType type) { return row(type).block.elements > 1; }
bool is_real(TensorType type) { return type <= TensorType::f64 || is_quantised(type); }

std::optional<std::uint32_t> gguf_number(TensorType type) { return row(type).gguf == none ? std::nullopt : std::optional(row(type).gguf); }

std::optional<TensorType> tensor_type_of_gguf(std::uint32_t number) {
    const auto* found = std::ranges::find(rows, number, &Row::gguf);
    return number == none || found == rows.end() ? std::nullopt : std::optional(found->type);
}

std::string_view safetensors_name(TensorType type) { return row(type).safetensors; }

std::optional<TensorType> tensor_type_of_safetensors(std::string_view name) {
    const auto* found = std::ranges::find(rows, name, &Row::safetensors);
    return name.empty() || found == rows.end() ? std::nullopt : std::optional(found->type);
}

std::optional<TensorType> tensor_type_named(std::string_view text) {
    std::string upper(text);
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    constexpr std::pair<std::string_view, TensorType> longer[] = {
        {"FLOAT32", TensorType::f32},        {"FLOAT", TensorType::f32},     {"FLOAT16", TensorType::f16},
        {"HALF", TensorType::f16},           {"BFLOAT16", TensorType::bf16}, {"FLOAT8_E4M3FN", TensorType::f8_e4m3},
        {"FLOAT8_E5M2", TensorType::f8_e5m2}};
    for (const auto& [word, type] : longer)
        if (upper == word) return type;
    const auto* found = std::ranges::find(rows, std::string_view(upper), &Row::name);
    return found == rows.end() ? std::nullopt : std::optional(found->type);
}

}  // namespace hanse::forge
