// SPDX-License-Identifier: Apache-2.0
#include "merge_kernels.hpp"

#include <algorithm>
#include <cmath>

// Each loop is written once, for all working types, and instantiated inside a function that has a clone for each generation of
// processors.
#define FOR_WORKING_TYPE(type, loop)                                                             \
    switch (type) {                                                                              \
        case Working::bf16: [&] __attribute__((always_inline)) { loop(Working::bf16) }(); break; \
        case Working::f16: [&] __attribute__((always_inline)) { loop(Working::f16) }(); break;   \
        case Working::f32: [&] __attribute__((always_inline)) { loop(Working::f32) }(); break;   \
    }

namespace hanse::forge::kernel {

#define LOOP(w) \
    for (std::size_t i = 0; i < count; ++i) out[i] = rounded<w>(x[i] - y[i]);
HANSE_VECTOR_CLONES void subtract(Working type, const float* __restrict x, const float* __restrict y, float* __restrict out,
                                  std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w) \
    for (std::size_t i = 0; i < count; ++i) out[i] = rounded<w>(x[i] + y[i]);
HANSE_VECTOR_CLONES void add(Working type, const float* __restrict x, const float* __restrict y, float* __restrict out,
                             std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w) \
    for (std::size_t i = 0; i < count; ++i) out[i] = rounded<w>(x[i] * by);
HANSE_VECTOR_CLONES void scale(Working type, const float* x, float by, float* out, std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w) \
    for (std::size_t i = 0; i < count; ++i) x[i] = rounded<w>(x[i] / by);
HANSE_VECTOR_CLONES void divide(Working type, float* x, float by, std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w) \
    for (std::size_t i = 0; i < count; ++i) x[i] = rounded<w>(x[i]);
HANSE_VECTOR_CLONES void round(Working type, float* x, std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w)                                                                     \
    for (std::size_t i = 0; i < count; ++i) {                                       \
        const float divisor = std::fabs(weights[i]) < least ? instead : weights[i]; \
        x[i] = rounded<w>(x[i] / divisor);                                          \
    }
HANSE_VECTOR_CLONES void divide_by(Working type, float* __restrict x, const float* __restrict weights, float least, float instead,
                                   std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP
#define LOOP(w)                                                            \
    for (std::size_t i = 0; i < count; ++i) {                              \
        const float away = std::fabs(rounded<w>(x[i] - base[i]));          \
        const float quotient = rounded<w>(rounded<w>(1.0F / away) * t);    \
        const float share = quotient < 1.0F ? quotient : 1.0F;             \
        const float kept = rounded<w>(rounded<w>(1.0F - share) * base[i]); \
        out[i] = rounded<w>(kept + rounded<w>(share * x[i]));              \
    }
HANSE_VECTOR_CLONES void step_toward(Working type, const float* __restrict x, const float* __restrict base, float t, float* __restrict out,
                                     std::size_t count){FOR_WORKING_TYPE(type, LOOP)}
#undef LOOP

HANSE_VECTOR_CLONES void accumulate_fused(const float* __restrict x, float by, float* __restrict sum, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sum[i] = __builtin_fmaf(x[i], by, sum[i]);
}

HANSE_VECTOR_CLONES void accumulate(const float* __restrict x, float* __restrict sum, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += x[i];
}

HANSE_VECTOR_CLONES void accumulate_exactly(const float* __restrict x, double by, double* __restrict sum, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += static_cast<double>(x[i]) * by;
}

HANSE_VECTOR_CLONES void accumulate_squares(const float* __restrict x, double* __restrict sum, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
}

HANSE_VECTOR_CLONES void narrow(const double* __restrict x, float* __restrict out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(x[i]);
}

HANSE_VECTOR_CLONES void signs(const float* __restrict sum, float* __restrict out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = sum[i] >= 0.0F ? 1.0F : -1.0F;
}

HANSE_VECTOR_CLONES void accumulate_agreeing(const float* __restrict x, const float* __restrict sign, float weight, float* __restrict sum,
                                             float* __restrict weights, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const bool agrees = x[i] * sign[i] > 0.0F;
        sum[i] += agrees ? x[i] : 0.0F;
        weights[i] += agrees ? weight : 0.0F;
    }
}

// Sixteen sums side by side, so that the order of additions does not hold up the loop, and is the same on every processor.
HANSE_VECTOR_CLONES double dot(const float* x, const float* y, std::size_t count) {
    double sums[16] = {};
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (std::size_t k = 0; k < 16; ++k) sums[k] += static_cast<double>(x[i + k]) * static_cast<double>(y[i + k]);
    for (std::size_t k = 0; i < count; ++i, ++k) sums[k] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

#define LOOP(w)                                                                                               \
    for (; i + 16 <= count; i += 16)                                                                          \
        for (std::size_t k = 0; k < 16; ++k) sums[k] += static_cast<double>(rounded<w>(x[i + k] * x[i + k])); \
    for (std::size_t k = 0; i < count; ++i, ++k) sums[k] += static_cast<double>(rounded<w>(x[i] * x[i]));
HANSE_VECTOR_CLONES double squares(Working type, const float* x, std::size_t count) {
    double sums[16] = {};
    std::size_t i = 0;
    FOR_WORKING_TYPE(type, LOOP)
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}
#undef LOOP

HANSE_VECTOR_CLONES double magnitude(const float* x, std::size_t count) {
    double sums[16] = {};
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (std::size_t k = 0; k < 16; ++k) sums[k] += static_cast<double>(std::fabs(x[i + k]));
    for (std::size_t k = 0; i < count; ++i, ++k) sums[k] += static_cast<double>(std::fabs(x[i]));
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

HANSE_VECTOR_CLONES void keys(Working type, const float* __restrict x, std::uint32_t* __restrict out, std::size_t count) {
    if (type == Working::f16) {
        for (std::size_t i = 0; i < count; ++i) out[i] = to_f16(x[i]) & 0x7FFFU;
    } else if (type == Working::bf16) {
        for (std::size_t i = 0; i < count; ++i) out[i] = (std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU) >> 16U;
    } else {
        for (std::size_t i = 0; i < count; ++i) out[i] = std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU;
    }
}

void count_keys(const std::uint32_t* keys, std::uint32_t* bins, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ++bins[keys[i]];
}

HANSE_VECTOR_CLONES void keep_range(Working type, float* __restrict x, KeyRange range, std::size_t count) {
    // Whole numbers, so an open bound is the closed one beside it.
    const std::uint32_t low = range.low + (range.low_in ? 0U : 1U), high = range.high - (range.high_in ? 0U : 1U);
    if (type == Working::f16) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t key = to_f16(x[i]) & 0x7FFFU;
            const bool in = (key >= low) & (key <= high);
            x[i] = in ? x[i] : 0.0F;
        }
        return;
    }
    const unsigned shift = type == Working::bf16 ? 16U : 0U;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t key = (std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU) >> shift;
        const bool in = (key >= low) & (key <= high);
        x[i] = in ? x[i] : 0.0F;
    }
}

float chance(std::uint64_t seed, std::uint64_t index) {
    std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    return static_cast<float>(z >> 40U) * 0x1p-24F;
}

void keep_by_chance(float* x, float share, std::uint64_t seed, std::uint64_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (chance(seed, first + i) >= share) x[i] = 0.0F;
}

}  // namespace hanse::forge::kernel
