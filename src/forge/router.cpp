// SPDX-License-Identifier: Apache-2.0
#include "forge/router.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <format>
#include <numbers>

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Result<void> same_shape(const Statistics& first, std::span<const Statistics* const> owners) {
    if (owners.empty()) return fail(ErrorKind::invalid, "a router needs at least one owner");
    for (std::size_t i = 0; i < owners.size(); ++i)
        if (owners[i]->layers != first.layers || owners[i]->width != first.width)
            return fail(ErrorKind::invalid, std::format("the statistics of owner {} have another shape: {} layers of {}, not {} of {}",
                                                        i + 1, owners[i]->layers, owners[i]->width, first.layers, first.width));
    return {};
}

// Brought to length 1/temperature; a row of zeros stays.
void append_row(std::vector<float>& to, const Eigen::VectorXd& row, double temperature, RowLength length = RowLength::unit) {
    double squares = 0;
    for (Eigen::Index i = 0; i < row.size(); ++i) squares += row[i] * row[i];
    const auto norm = length == RowLength::unit ? std::sqrt(squares) : 1.0;
    const auto scale = squares > 0 ? 1.0 / (norm * temperature) : 0.0;
    for (Eigen::Index i = 0; i < row.size(); ++i) to.push_back(static_cast<float>(row[i] * scale));
}

Eigen::VectorXd sums_of(const Statistics& owner, std::size_t layer) {
    const auto fixed = owner.sums_of(layer);
    Eigen::VectorXd sums(static_cast<Eigen::Index>(fixed.size()));
    for (std::size_t i = 0; i < fixed.size(); ++i) sums[static_cast<Eigen::Index>(i)] = from_fixed(fixed[i]);
    return sums;
}

}  // namespace

Result<Router> ridge_router(const Statistics& total, std::span<const Statistics* const> owners, const RidgeOptions& options) {
    if (auto same = same_shape(total, owners); !same) return std::unexpected(same.error());
    if (!(options.penalty >= 0) || !(options.temperature > 0))
        return fail(ErrorKind::invalid, "penalty and temperature must not be negative");
    const auto width = static_cast<Eigen::Index>(total.width);
    Router router{static_cast<std::uint32_t>(owners.size()), total.width, {}};
    Matrix products(width, width);
    for (std::size_t layer = 0; layer < total.layers; ++layer) {
        const auto fixed = total.products_of(layer);
        std::size_t at = 0;
        for (Eigen::Index i = 0; i < width; ++i)
            for (Eigen::Index j = i; j < width; ++j) products(i, j) = products(j, i) = from_fixed(fixed[at++]);
        for (Eigen::Index i = 0; i < width; ++i) products(i, i) += options.penalty;
        const Eigen::LLT<Matrix> factor(products);
        if (factor.info() != Eigen::Success)
            return fail(ErrorKind::invalid, std::format("the statistics of layer {} do not determine a router: raise the penalty", layer));
        std::vector<float> rows;
        for (const auto* owner : owners) append_row(rows, factor.solve(sums_of(*owner, layer)), options.temperature, options.length);
        router.layers.push_back(std::move(rows));
    }
    return router;
}

Result<Router> means_router(std::span<const Statistics* const> owners, double temperature) {
    if (owners.empty()) return fail(ErrorKind::invalid, "a router needs at least one owner");
    if (auto same = same_shape(*owners.front(), owners); !same) return std::unexpected(same.error());
    if (!(temperature > 0)) return fail(ErrorKind::invalid, "the temperature must be positive");
    Router router{static_cast<std::uint32_t>(owners.size()), owners.front()->width, {}};
    for (std::size_t layer = 0; layer < owners.front()->layers; ++layer) {
        std::vector<float> rows;
        for (const auto* owner : owners) append_row(rows, sums_of(*owner, layer), temperature);
        router.layers.push_back(std::move(rows));
    }
    return router;
}

Result<std::vector<float>> prompt_row(const PromptStates& states, std::size_t width) {
    if (states.positive.empty()) return fail(ErrorKind::invalid, "an expert needs at least one prompt");
    Eigen::VectorXd row = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(width));
    auto add = [&](const std::vector<std::vector<float>>& all, double sign) -> Result<void> {
        for (const auto& one : all) {
            if (one.size() != width) return fail(ErrorKind::invalid, std::format("a state has {} numbers, not {}", one.size(), width));
            for (std::size_t i = 0; i < width; ++i) row[static_cast<Eigen::Index>(i)] += sign * one[i] / static_cast<double>(all.size());
        }
        return {};
    };
    if (auto done = add(states.positive, 1); !done) return std::unexpected(done.error());
    if (auto done = add(states.negative, -1); !done) return std::unexpected(done.error());
    std::vector<float> result;
    append_row(result, row, 1.0);
    return result;
}

Router random_router(std::uint32_t layers, std::uint32_t experts, std::uint32_t width, RandomRows how, base::Random& random) {
    auto uniform = [&] { return static_cast<double>(random.next() >> 11) * 0x1p-53; };
    Router router{experts, width, {}};
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
        std::vector<float> rows;
        for (std::uint32_t expert = 0; expert < experts; ++expert) {
            Eigen::VectorXd row(static_cast<Eigen::Index>(width));
            for (auto& one : row)
                one = how == RandomRows::uniform ? uniform()
                                                 : std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform());
            append_row(rows, row, 1.0);
        }
        router.layers.push_back(std::move(rows));
    }
    return router;
}

}  // namespace hanse::forge
