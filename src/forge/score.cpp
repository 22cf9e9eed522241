// SPDX-License-Identifier: Apache-2.0
#include "forge/score.hpp"

#include <algorithm>
#include <cmath>

namespace hanse::forge {

void TextScore::add(std::span<const float> logits, std::int32_t right) {
    const auto most = std::ranges::max_element(logits);
    double sum = 0;
    for (const auto one : logits) sum += std::exp(static_cast<double>(one) - *most);
    sum_ += std::log(sum) - (static_cast<double>(logits[static_cast<std::size_t>(right)]) - *most);
    hits_ += most - logits.begin() == right ? 1U : 0U;
    ++tokens_;
}

double TextScore::nats() const { return tokens_ == 0 ? 0 : sum_ / static_cast<double>(tokens_); }
double TextScore::perplexity() const { return std::exp(nats()); }
double TextScore::hits() const { return tokens_ == 0 ? 0 : static_cast<double>(hits_) / static_cast<double>(tokens_); }

void ExtractionProbe::add(std::span<const std::int32_t> continuation, std::span<const std::int32_t> truth) {
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(continuation, truth).in1 - continuation.begin());
    ++probes_;
    sum_ += same;
    whole_ += same == truth.size() ? 1U : 0U;
    longest_ = std::max(longest_, same);
}

double ExtractionProbe::verbatim() const { return probes_ == 0 ? 0 : static_cast<double>(whole_) / static_cast<double>(probes_); }
double ExtractionProbe::matched() const { return probes_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(probes_); }

base::Result<FoundWeights> search_weights(std::vector<double> start, const WeightSearch& how,
                                          const std::function<base::Result<double>(std::span<const double>)>& loss) {
    FoundWeights found{std::move(start), 0, 0, 1};
    auto first = loss(found.weights);
    if (!first) return std::unexpected(first.error());
    found.loss = found.start_loss = *first;
    for (double step = how.step; step >= how.least_step; step /= 2) {
        for (bool helped = true; helped;) {
            helped = false;
            for (auto& weight : found.weights) {
                for (const auto direction : {1.0, -1.0}) {
                    const auto before = weight;
                    weight = std::clamp(before + direction * step, 0.0, how.most);
                    if (weight == before) continue;
                    if (found.evaluations >= how.evaluations) {
                        weight = before;
                        return found;
                    }
                    auto now = loss(found.weights);
                    if (!now) return std::unexpected(now.error());
                    ++found.evaluations;
                    if (*now < found.loss) {
                        found.loss = *now;
                        helped = true;
                        break;
                    }
                    weight = before;
                }
            }
        }
    }
    return found;
}

}  // namespace hanse::forge
