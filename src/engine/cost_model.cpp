// SPDX-License-Identifier: Apache-2.0
#include "cost_model.hpp"

#include <algorithm>
#include <cmath>

namespace hanse::engine {
namespace {

std::array<double, 4> features(CostModel::Work work) {
    return {1.0, static_cast<double>(work.decode), static_cast<double>(work.prefill), work.decode > 0 && work.prefill > 0 ? 1.0 : 0.0};
}

}  // namespace

CostModel::Seconds CostModel::predicted(Work work) const {
    auto amounts = features(work);
    double sum = 0;
    for (std::size_t i = 0; i < amounts.size(); ++i) sum += terms_[i] * amounts[i];
    return Seconds(sum);
}

void CostModel::measured(Work work, Seconds took) {
    if (work.decode == 0 && work.prefill == 0) return;
    auto amounts = features(work);
    double expected = predicted(work).count();
    double seen = took.count();
    // The first steps correct a guess, the later ones a measurement.
    double rate = steps_ < 16 ? 0.5 : 0.1;
    ++steps_;
    double error = std::clamp(seen - expected, -0.7 * expected, (steps_ < 16 ? 20.0 : 1.0) * expected);
    double weight = 0;
    for (std::size_t i = 0; i < amounts.size(); ++i) {
        double share = terms_[i] * amounts[i];
        weight += share * share;
    }
    if (weight <= 0) return;
    // Normalised in each term's own scale: after a full step (rate 1) the prediction would equal what was seen.
    for (std::size_t i = 0; i < amounts.size(); ++i) {
        if (amounts[i] == 0) continue;
        double share = terms_[i] * amounts[i];
        double moved = terms_[i] + rate * error * share * share / weight / amounts[i];
        terms_[i] = std::clamp(moved, 1e-7, 1e4);
    }
}

std::uint32_t CostModel::prefill_within(Seconds budget, std::uint32_t decode) const {
    double left = budget.count() - predicted({decode, 0}).count() - (decode > 0 ? terms_[3] : 0.0);
    if (left <= 0) return 0;
    return static_cast<std::uint32_t>(std::min(left / terms_[2], 1e9));
}

double CostModel::decode_tokens_per_second(std::uint32_t decode) const {
    return decode == 0 ? 0.0 : decode / predicted({decode, 0}).count();
}

double CostModel::prefill_tokens_per_second() const { return 1.0 / terms_[2]; }

}  // namespace hanse::engine
