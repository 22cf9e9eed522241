// SPDX-License-Identifier: Apache-2.0
#include "forge/matrix_product.hpp"

#include <algorithm>
#include <vector>

namespace hanse::forge {
namespace {

// Both sides are copied into panels first, so that the inner loop reads memory in order: the left one in panels of
// `height` rows, the right one in panels of `width` columns, both padded with zeros.
struct Panels {
    const float* left;
    const float* right;
    std::size_t inner;
};

template <typename Vector, int height, int vectors>
[[gnu::always_inline]] inline void tile(const Panels& panels, float* out, std::size_t stride, std::size_t rows, std::size_t columns,
                                        Into into) {
    constexpr int lanes = sizeof(Vector) / sizeof(float);
    Vector sums[height][vectors] = {};
    const float* left = panels.left;
    const float* right = panels.right;
    for (std::size_t k = 0; k < panels.inner; ++k) {
        Vector row[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) __builtin_memcpy(&row[v], right + v * lanes, sizeof(Vector));
#pragma GCC unroll 16
        for (int i = 0; i < height; ++i) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sums[i][v] += left[i] * row[v];
        }
        left += height;
        right += vectors * lanes;
    }
    for (std::size_t i = 0; i < rows; ++i) {
        float line[vectors * lanes];
        __builtin_memcpy(line, sums[i], sizeof line);
        float* to = out + i * stride;
        if (into == Into::add) {
            for (std::size_t j = 0; j < columns; ++j) to[j] += line[j];
        } else {
            for (std::size_t j = 0; j < columns; ++j) to[j] = line[j];
        }
    }
}

struct Kernel {
    std::size_t height, width;
    void (*tile)(const Panels&, float*, std::size_t, std::size_t, std::size_t, Into);
};

#if defined(__x86_64__)
using Vector4 [[gnu::vector_size(16)]] = float;
using Vector8 [[gnu::vector_size(32)]] = float;
using Vector16 [[gnu::vector_size(64)]] = float;

[[gnu::target("avx512f,avx512vl,avx512dq,fma")]] void tile_512(const Panels& p, float* o, std::size_t s, std::size_t r, std::size_t c,
                                                               Into i) {
    tile<Vector16, 12, 2>(p, o, s, r, c, i);
}
[[gnu::target("avx2,fma")]] void tile_256(const Panels& p, float* o, std::size_t s, std::size_t r, std::size_t c, Into i) {
    tile<Vector8, 6, 2>(p, o, s, r, c, i);
}
#else
using Vector4 [[gnu::vector_size(16)]] = float;
#endif
void tile_128(const Panels& p, float* o, std::size_t s, std::size_t r, std::size_t c, Into i) { tile<Vector4, 6, 2>(p, o, s, r, c, i); }

Kernel choose() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return {12, 32, tile_512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {6, 16, tile_256};
#endif
    return {6, 8, tile_128};
}

float at(const MatrixView& view, std::size_t row, std::size_t column) {
    return view.transposed ? view.data[column * view.stride + row] : view.data[row * view.stride + column];
}

// inner × width, row after row.
void pack(const MatrixView& view, bool left, std::size_t from, std::size_t count, std::size_t width, std::size_t inner, float* to) {
    const bool contiguous = left == view.transposed;  // along the panel's own width
    for (std::size_t k = 0; k < inner; ++k, to += width) {
        if (contiguous) {
            std::copy_n(view.data + k * view.stride + from, count, to);
        } else if (left) {
            for (std::size_t i = 0; i < count; ++i) to[i] = at(view, from + i, k);
        } else {
            for (std::size_t i = 0; i < count; ++i) to[i] = at(view, k, from + i);
        }
        std::fill(to + count, to + width, 0.0F);
    }
}

}  // namespace

void multiply(std::size_t rows, std::size_t columns, std::size_t inner, MatrixView left, MatrixView right, float* out, std::size_t stride,
              Into into) {
    static const Kernel kernel = choose();
    thread_local std::vector<float> left_panels, right_panel;
    const auto heights = (rows + kernel.height - 1) / kernel.height;
    left_panels.resize(heights * kernel.height * inner);
    right_panel.resize(kernel.width * inner);
    for (std::size_t i = 0; i < heights; ++i)
        pack(left, true, i * kernel.height, std::min(kernel.height, rows - i * kernel.height), kernel.height, inner,
             left_panels.data() + i * kernel.height * inner);
    for (std::size_t column = 0; column < columns; column += kernel.width) {
        const auto width = std::min(kernel.width, columns - column);
        pack(right, false, column, width, kernel.width, inner, right_panel.data());
        for (std::size_t i = 0; i < heights; ++i) {
            const auto row = i * kernel.height;
            kernel.tile({left_panels.data() + row * inner, right_panel.data(), inner}, out + row * stride + column, stride,
                        std::min(kernel.height, rows - row), width, into);
        }
    }
}

}  // namespace hanse::forge
