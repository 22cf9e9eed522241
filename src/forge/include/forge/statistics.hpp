// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// What an owner computes at home so that a router can be built without anybody's texts (ridge regression in closed form,
// as in DUME, arXiv 2603.29765): for each layer, over all tokens x that its own model's feed-forward part reads,
//   products  Σ x xᵀ   (the upper triangle, row after row: width·(width+1)/2 numbers)
//   sums      Σ x
// as whole multiples of 2^-16 in 64 bits, added modulo 2^64. Whole numbers add up exactly in any order, so a sum under masks
// (secure_sum.hpp) equals the plain one bit for bit, and a sum that is made again without an owner is the sum that the owner
// never was in. Each number of one owner stays below 2^36 in amount, hence 2,048 owners can be added without a wrap.
//
// The sums are mean states of the owner's texts and are seen by whoever builds the router; the products need be seen only
// added up. A value.
struct Statistics {
    std::uint32_t layers = 0;
    std::uint32_t width = 0;
    std::uint64_t tokens = 0;             // that each layer has seen
    std::vector<std::uint64_t> products;  // layer after layer
    std::vector<std::uint64_t> sums;

    static constexpr int fraction_bits = 16;
    static std::size_t triangle(std::size_t width) { return width * (width + 1) / 2; }

    Statistics() = default;
    Statistics(std::uint32_t layers, std::uint32_t width);
    std::span<const std::uint64_t> products_of(std::size_t layer) const;
    std::span<const std::uint64_t> sums_of(std::size_t layer) const;
    // `invalid` if the shapes differ.
    base::Result<void> add(const Statistics& other);
    bool operator==(const Statistics&) const = default;
};

double from_fixed(std::uint64_t value);

// Collects one owner's tokens in double precision; finish() rounds once. Not thread-safe.
class StatisticsCollector {
public:
    StatisticsCollector(std::uint32_t layers, std::uint32_t width);
    // One row a token, `width` numbers each.
    void add(std::size_t layer, std::span<const float> rows);
    // `invalid` if a number is not finite or beyond 2^36 (take fewer tokens), or layers have seen different numbers of tokens.
    base::Result<Statistics> finish() const;

private:
    std::uint32_t layers_, width_;
    std::vector<std::uint64_t> tokens_;
    std::vector<std::vector<double>> products_;  // a layer's whole matrix
    std::vector<std::vector<double>> sums_;
    std::vector<float> block_;
};

}  // namespace hanse::forge
