// SPDX-License-Identifier: Apache-2.0
#include "forge/numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <format>
#include <limits>

#include "ggml_types.hpp"
#include "rounding.hpp"

namespace hanse::forge {
namespace {

// Eight bits with a sign, an exponent and a mantissa.
template <int mantissa, int bias, bool has_infinities>
float from_f8(std::uint8_t bits) {
    const int exponent = (bits & 0x7F) >> mantissa;
    const int fraction = bits & ((1 << mantissa) - 1);
    constexpr int top = 0x7F >> mantissa;
    float value = 0;
    if (has_infinities && exponent == top)
        value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    else if (!has_infinities && (bits & 0x7F) == 0x7F) value = std::numeric_limits<float>::quiet_NaN();
    else if (exponent == 0) value = std::ldexp(static_cast<float>(fraction), 1 - bias - mantissa);
    else value = std::ldexp(static_cast<float>(fraction + (1 << mantissa)), exponent - bias - mantissa);
    return (bits & 0x80) != 0 ? -value : value;
}

template <int mantissa, int bias, bool has_infinities>
std::uint8_t to_f8(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint8_t>((bits >> 24U) & 0x80U);
    const std::uint32_t rest = bits & 0x7FFFFFFFU;
    constexpr std::uint8_t over = has_infinities ? 0x7F & ~((1 << mantissa) - 1) : 0x7F;
    if (rest > 0x7F800000U) return sign | 0x7F;
    std::uint32_t out = 0;
    if (rest < static_cast<std::uint32_t>(128 - bias) << 23U) {
        // Below the smallest normal number: a sum that shifts it to where the last bit is that of the format, and rounds it.
        constexpr auto shift = static_cast<std::uint32_t>(127 + 24 - bias - mantissa) << 23U;
        out = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) + std::bit_cast<float>(shift)) - shift;
    } else {
        constexpr int cut = 23 - mantissa;
        out = (rest - (static_cast<std::uint32_t>(127 - bias) << 23U) + (1U << (cut - 1)) - 1 + ((rest >> cut) & 1U)) >> cut;
    }
    return sign | static_cast<std::uint8_t>(std::min<std::uint32_t>(out, over));
}

constexpr auto from_e4m3 = from_f8<3, 7, false>;
constexpr auto from_e5m2 = from_f8<2, 15, true>;
constexpr auto to_e4m3 = to_f8<3, 7, false>;
constexpr auto to_e5m2 = to_f8<2, 15, true>;

template <float (*convert)(std::uint8_t)>
void widen_f8(const std::byte* from, float* to, std::size_t count) {
    static const std::array<float, 256> values = [] {
        std::array<float, 256> made{};
        for (int i = 0; i < 256; ++i) made[static_cast<std::size_t>(i)] = convert(static_cast<std::uint8_t>(i));
        return made;
    }();
    for (std::size_t i = 0; i < count; ++i) to[i] = values[static_cast<std::uint8_t>(from[i])];
}

HANSE_VECTOR_CLONES void widen_bf16(const std::uint16_t* from, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = from_bf16(from[i]);
}

HANSE_VECTOR_CLONES void widen_f16(const std::uint16_t* from, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = from_f16(from[i]);
}

HANSE_VECTOR_CLONES void narrow_bf16(const float* from, std::uint16_t* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = to_bf16(from[i]);
}

HANSE_VECTOR_CLONES void narrow_f16(const float* from, std::uint16_t* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = to_f16(from[i]);
}

// A piece at a time in a buffer of the right alignment: files promise none.
template <typename Number, typename Convert>
void widen(std::span<const std::byte> from, std::span<float> to, const Convert& convert) {
    std::array<Number, 1024> piece;
    for (std::size_t i = 0; i < to.size(); i += piece.size()) {
        const std::size_t count = std::min(piece.size(), to.size() - i);
        std::memcpy(piece.data(), from.data() + i * sizeof(Number), count * sizeof(Number));
        convert(piece.data(), to.data() + i, count);
    }
}

template <typename Number, typename Convert>
void narrow(std::span<const float> from, std::span<std::byte> to, const Convert& convert) {
    std::array<Number, 1024> piece;
    for (std::size_t i = 0; i < from.size(); i += piece.size()) {
        const std::size_t count = std::min(piece.size(), from.size() - i);
        convert(from.data() + i, piece.data(), count);
        std::memcpy(to.data() + i * sizeof(Number), piece.data(), count * sizeof(Number));
    }
}

}  // namespace

void to_floats(TensorType type, std::span<const std::byte> from, std::span<float> to) {
    switch (type) {
        case TensorType::f32: std::memcpy(to.data(), from.data(), to.size_bytes()); return;
        case TensorType::f16: widen<std::uint16_t>(from, to, widen_f16); return;
        case TensorType::bf16: widen<std::uint16_t>(from, to, widen_bf16); return;
        case TensorType::f8_e4m3: widen_f8<from_e4m3>(from.data(), to.data(), to.size()); return;
        case TensorType::f8_e5m2: widen_f8<from_e5m2>(from.data(), to.data(), to.size()); return;
        case TensorType::f64:
            widen<double>(from, to, [](const double* in, float* out, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
            });
            return;
        default: break;
    }
    if (is_quantised(type)) ggml::dequantise(*gguf_number(type), from.data(), to.data(), to.size());
    else std::ranges::fill(to, std::numeric_limits<float>::quiet_NaN());
}

bool can_write(TensorType type) {
    if (!is_quantised(type)) return is_real(type);
    const ggml::TypeFacts facts = ggml::facts(*gguf_number(type));
    return facts.writable && facts.elements == block(type).elements && facts.bytes == block(type).bytes;
}

base::Result<void> from_floats(TensorType type, std::span<const float> from, std::uint64_t row, std::span<std::byte> to) {
    switch (type) {
        case TensorType::f32: std::memcpy(to.data(), from.data(), from.size_bytes()); return {};
        case TensorType::f16: narrow<std::uint16_t>(from, to, narrow_f16); return {};
        case TensorType::bf16: narrow<std::uint16_t>(from, to, narrow_bf16); return {};
        case TensorType::f8_e4m3:
            for (std::size_t i = 0; i < from.size(); ++i) to[i] = std::byte{to_e4m3(from[i])};
            return {};
        case TensorType::f8_e5m2:
            for (std::size_t i = 0; i < from.size(); ++i) to[i] = std::byte{to_e5m2(from[i])};
            return {};
        case TensorType::f64:
            narrow<double>(from, to, [](const float* in, double* out, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(in[i]);
            });
            return {};
        default: break;
    }
    if (!can_write(type)) return base::fail(base::ErrorKind::invalid, std::format("weights cannot be written as {}", name(type)));
    if (row % block(type).elements != 0)
        return base::fail(base::ErrorKind::invalid, std::format("rows of {} are no whole blocks of {}", row, name(type)));
    ggml::quantise(*gguf_number(type), from.data(), to.data(), from.size() / row, row);
    return {};
}

}  // namespace hanse::forge
