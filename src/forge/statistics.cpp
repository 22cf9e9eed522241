// SPDX-License-Identifier: Apache-2.0
#include "forge/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "forge/matrix_product.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;

constexpr double unit = 1.0 / (1 << Statistics::fraction_bits);
constexpr double most = 0x1p36;
constexpr std::size_t block_rows = 256;  // summed in single precision before they are added up in double

base::Result<std::uint64_t> to_fixed(double value) {
    if (!std::isfinite(value) || std::abs(value) >= most)
        return fail(ErrorKind::invalid, "a statistic is beyond 2^36 or not a number: take fewer tokens");
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::llround(value / unit)));
}

}  // namespace

double from_fixed(std::uint64_t value) { return static_cast<double>(static_cast<std::int64_t>(value)) * unit; }

Statistics::Statistics(std::uint32_t layers_, std::uint32_t width_)
    : layers(layers_),
      width(width_),
      products(layers * triangle(width)),
      sums(static_cast<std::size_t>(layers) * width) {}

std::span<const std::uint64_t> Statistics::products_of(std::size_t layer) const {
    return std::span(products).subspan(layer * triangle(width), triangle(width));
}

std::span<const std::uint64_t> Statistics::sums_of(std::size_t layer) const { return std::span(sums).subspan(layer * width, width); }

base::Result<void> Statistics::add(const Statistics& other) {
    if (layers != other.layers || width != other.width)
        return fail(ErrorKind::invalid, std::format("statistics of {} layers of {} cannot be added to those of {} layers of {}",
                                                    other.layers, other.width, layers, width));
    tokens += other.tokens;
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += other.products[i];
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
    return {};
}

StatisticsCollector::StatisticsCollector(std::uint32_t layers, std::uint32_t width)
    : layers_(layers),
      width_(width),
      tokens_(layers),
      products_(layers, std::vector<double>(static_cast<std::size_t>(width) * width)),
      sums_(layers, std::vector<double>(width)),
      block_(static_cast<std::size_t>(width) * width) {}

void StatisticsCollector::add(std::size_t layer, std::span<const float> rows) {
    const std::size_t width = width_;
    const auto count = rows.size() / width;
    tokens_[layer] += count;
    for (std::size_t begin = 0; begin < count; begin += block_rows) {
        const auto size = std::min(block_rows, count - begin);
        const float* from = rows.data() + begin * width;
        multiply(width, width, size, {from, width, true}, {from, width}, block_.data(), width);
        for (std::size_t i = 0; i < block_.size(); ++i) products_[layer][i] += block_[i];
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < width; ++j) sums_[layer][j] += from[i * width + j];
    }
}

base::Result<Statistics> StatisticsCollector::finish() const {
    Statistics result(layers_, width_);
    result.tokens = tokens_.empty() ? 0 : tokens_.front();
    if (std::ranges::any_of(tokens_, [&](auto one) { return one != result.tokens; }))
        return fail(ErrorKind::invalid, "the layers have seen different numbers of tokens");
    auto* product = result.products.data();
    auto* sum = result.sums.data();
    for (std::size_t layer = 0; layer < layers_; ++layer) {
        for (std::size_t i = 0; i < width_; ++i) {
            for (std::size_t j = i; j < width_; ++j) {
                auto fixed = to_fixed(products_[layer][i * width_ + j]);
                if (!fixed) return std::unexpected(fixed.error());
                *product++ = *fixed;
            }
        }
        for (const auto value : sums_[layer]) {
            auto fixed = to_fixed(value);
            if (!fixed) return std::unexpected(fixed.error());
            *sum++ = *fixed;
        }
    }
    return result;
}

}  // namespace hanse::forge
