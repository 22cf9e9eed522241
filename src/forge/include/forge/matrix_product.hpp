// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace hanse::forge {

// A product of matrices of f32 in row-major order, for the reference model: several times as fast as plain loops,
// since it uses the widest vectors that the machine has, and without a library that must be built for each of them.
// The order of additions depends on that width only, so a machine repeats itself bit for bit. One thread.
struct MatrixView {
    const float* data;
    std::size_t stride;       // between the beginnings of two rows
    bool transposed = false;  // read it as its transpose
};

// out (rows × columns) = left (rows × inner) · right (inner × columns), or added to what is there.
enum class Into : unsigned char { replace, add };
void multiply(std::size_t rows, std::size_t columns, std::size_t inner, MatrixView left, MatrixView right, float* out, std::size_t stride,
              Into into = Into::replace);

}  // namespace hanse::forge
