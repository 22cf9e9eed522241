// SPDX-License-Identifier: Apache-2.0
#include "cost_model.hpp"

#include <algorithm>
#include <cmath>

namespace hanse::engine {
namespace {

constexpr double noise = 0.2;          // of a step, of what was expected
constexpr double drift_of_all = 0.01;  // of all terms alike, in a step: the machine has other work, or less
constexpr double drift_of_one = 0.02;  // of a term by itself
constexpr double first_of_all = 30;    // spread of all terms alike: models and machines differ by orders of magnitude
constexpr double first_of_one = 0.4;   // and of a term by itself: but the terms' proportions hardly do
constexpr double widest = 1.0;         // spread that a term which is not used may come to
constexpr double farthest = 10;        // how often a term may hold its usual proportion to the others, or the inverse of it
constexpr std::uint64_t first_steps = 16;

// Seconds on the machine and model that the constants come from.
constexpr std::array<double, 5> usual{0.005, 0.004, 0.003, 0.004, 0.002};

}  // namespace

CostModel::CostModel() : terms_(usual) {
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) spread_[i][j] = std::pow(first_of_all, 2) * terms_[i] * terms_[j];
        spread_[i][i] += std::pow(first_of_one * terms_[i], 2);
    }
}

CostModel::Row CostModel::features(Work work) {
    auto passes = work.passes > 0 ? work.passes : work.decode > 0 && work.prefill > 0 ? 2U : 1U;
    return {static_cast<double>(passes), static_cast<double>(work.decode), static_cast<double>(work.prefill),
            static_cast<double>(work.attended) / 1000.0, static_cast<double>(work.tiled) / 1000.0};
}

CostModel::Seconds CostModel::predicted(Work work) const {
    auto amounts = features(work);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += terms_[i] * amounts[i];
    return Seconds(sum);
}

// How much dearer than there the well-known terms are.
double CostModel::scale() const { return std::sqrt(terms_[1] / usual[1] * terms_[2] / usual[2]); }

// The terms may have changed since the last step, but none becomes so uncertain that one step could turn it over.
void CostModel::widen() {
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < count; ++j) spread_[i][j] += std::pow(drift_of_all, 2) * terms_[i] * terms_[j];
    for (std::size_t i = 0; i < count; ++i) {
        spread_[i][i] += std::pow(drift_of_one * scale() * usual[i], 2);
        auto most = std::pow(widest * terms_[i], 2);
        if (steps_ < first_steps || spread_[i][i] <= most) continue;
        auto shrink = std::sqrt(most / spread_[i][i]);
        for (std::size_t j = 0; j < count; ++j) spread_[i][j] *= shrink, spread_[j][i] *= shrink;
    }
}

void CostModel::measured(Work work, Seconds took) {
    if (work.decode == 0 && work.prefill == 0) return;
    auto amounts = features(work);
    double expected = predicted(work).count();
    // The first steps correct a guess, the later ones a measurement.
    double error = std::clamp(took.count() - expected, -0.7 * expected, (steps_ < first_steps ? 20.0 : 1.0) * expected);
    widen();
    ++steps_;
    Row covariance{};  // of each term with the step's time
    double variance = std::pow(noise * expected, 2);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) covariance[i] += spread_[i][j] * amounts[j];
        variance += amounts[i] * covariance[i];
    }
    if (!(variance > 0)) return;
    for (std::size_t i = 0; i < count; ++i) {
        terms_[i] = std::clamp(terms_[i] + covariance[i] / variance * error, 1e-7, 1e4);
        for (std::size_t j = 0; j < count; ++j) spread_[i][j] -= covariance[i] * covariance[j] / variance;
    }
    // A term of which the steps so far had next to nothing would else vanish in their noise, and never be seen again.
    auto times = scale();
    for (std::size_t i = 0; i < count; ++i) terms_[i] = std::clamp(terms_[i], times * usual[i] / farthest, times * usual[i] * farthest);
}

std::uint32_t CostModel::prefill_within(Seconds budget, Work beside, std::uint32_t depth) const {
    beside.passes = std::max(1U, beside.passes) + (beside.decode > 0 ? 1 : 0);
    double left = budget.count() - predicted(beside).count();
    if (left <= 0) return 0;
    auto tokens = [&](double attention) {
        auto at = [&](double cells) { return std::min(left / (terms_[2] + attention * cells / 1000.0), 1e9); };
        return at(depth + at(depth) / 2);  // the later tokens look at the earlier ones too
    };
    auto in_tiles = tokens(terms_[4]);
    return static_cast<std::uint32_t>(in_tiles >= tile ? in_tiles : std::min(tokens(terms_[3]), tile - 1.0));
}

double CostModel::decode_tokens_per_second(std::uint32_t decode) const {
    return decode == 0 ? 0.0 : decode / predicted({decode, 0}).count();
}

double CostModel::prefill_tokens_per_second() const { return 1.0 / terms_[2]; }

}  // namespace hanse::engine
