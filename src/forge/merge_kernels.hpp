// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "rounding.hpp"

namespace hanse::forge {

// The few loops that merges are made of, over pieces that fit the nearest cache. Where a working type is given, the result of every
// operation is rounded to it; sums over models are kept in f32 and rounded once at their end, as tensor libraries on a CPU do it.
// All vectorise; none allocates.
namespace kernel {

void subtract(Working type, const float* x, const float* y, float* out, std::size_t count);  // x - y
void add(Working type, const float* x, const float* y, float* out, std::size_t count);       // x + y
void scale(Working type, const float* x, float by, float* out, std::size_t count);           // x * by
void divide(Working type, float* x, float by, std::size_t count);                            // x /= by
void round(Working type, float* x, std::size_t count);
void accumulate(const float* x, float* sum, std::size_t count);                      // sum += x
void accumulate_fused(const float* x, float by, float* sum, std::size_t count);      // sum = fma(x, by, sum)
void accumulate_exactly(const float* x, double by, double* sum, std::size_t count);  // sum += x * by
void accumulate_squares(const float* x, double* sum, std::size_t count);
void narrow(const double* x, float* out, std::size_t count);

// out = ±1, the sign of each sum; zero counts as +1.
void signs(const float* sum, float* out, std::size_t count);
// Where x has that sign: sum += x and weights += weight.
void accumulate_agreeing(const float* x, const float* sign, float weight, float* sum, float* weights, std::size_t count);
// x /= weights, but by `instead` where a weight is smaller than `least`.
void divide_by(Working type, float* x, const float* weights, float least, float instead, std::size_t count);

// (1 - w) base + w x with w = clamp(t / |x - base|, 0, 1), the quotient as reciprocal times t
void step_toward(Working type, const float* x, const float* base, float t, float* out, std::size_t count);

double dot(const float* x, const float* y, std::size_t count);
double squares(Working type, const float* x, std::size_t count);  // sum of the squares, each rounded
double magnitude(const float* x, std::size_t count);              // sum of absolute values

// The order of magnitudes as whole numbers: the bits without the sign. Sixteen bits are exact for numbers that were rounded to a
// 16-bit type; of f32 they are the upper half.
void keys(Working type, const float* x, std::uint32_t* out, std::size_t count);
void count_keys(const std::uint32_t* keys, std::uint32_t* bins, std::size_t count);

// x = 0 unless its magnitude's key is in (low, high), or at a bound that is let in.
struct KeyRange {
    std::uint32_t low = 0, high = UINT32_MAX;
    bool low_in = true, high_in = true;
};
void keep_range(Working type, float* x, KeyRange range, std::size_t count);

// x = 0 unless a number drawn for (seed, first + i) is below `share`.
void keep_by_chance(float* x, float share, std::uint64_t seed, std::uint64_t first, std::size_t count);
// In [0, 1), the same for the same arguments (SplitMix64's finaliser over a counter).
float chance(std::uint64_t seed, std::uint64_t index);

}  // namespace kernel
}  // namespace hanse::forge
