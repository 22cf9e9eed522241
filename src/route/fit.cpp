// SPDX-License-Identifier: Apache-2.0
#include "route/fit.hpp"

#include <algorithm>
#include <cmath>
#include <format>

namespace hanse::route {

base::Result<void> Fit::add(std::string_view candidate, const catalog::NgramCounts& counts) {
    if (count_ == tables_max)
        return base::fail(base::ErrorKind::invalid, std::format("at most {} n-gram tables can be weighed", tables_max));
    tables_[std::string(candidate)].push_back(counts);
    ++count_;
    return {};
}

base::Result<void> Fit::speak_for(std::string_view candidate, const catalog::NgramTable& table) {
    for (const auto& owner : table.owners())
        if (auto added = add(candidate, *table.find(owner)); !added) return added;
    return {};
}

base::Result<void> Fit::add(const catalog::NgramTable& table) {
    for (const auto& owner : table.owners())
        if (auto added = add(owner, *table.find(owner)); !added) return added;
    return {};
}

std::size_t Fit::bytes_read(std::size_t tables) { return std::min(text_most, looks / std::max<std::size_t>(tables, 1)); }

void Fit::weigh(std::vector<Candidate>& snapshot, std::string_view text) const {
    if (text.empty()) return;
    std::vector<std::pair<Candidate*, const std::vector<catalog::NgramCounts>*>> asked;
    std::size_t tables = 0;
    for (Candidate& candidate : snapshot) {
        if (candidate.verdict.outcome == label::Outcome::deny) continue;
        const auto found = tables_.find(candidate.name());
        if (found == tables_.end()) continue;
        asked.emplace_back(&candidate, &found->second);
        tables += found->second.size();
    }
    text = text.substr(text.size() - std::min(text.size(), bytes_read(tables)));
    double best = -INFINITY;
    for (const auto& [candidate, spoken] : asked) {
        double most = -INFINITY;
        for (const auto& counts : *spoken) most = std::max(most, counts.log_likelihood(text));
        candidate->nats_per_byte = -most;
        best = std::max(best, most);
    }
    if (asked.size() < 2) return;
    const double bytes = std::min(counted, static_cast<double>(text.size()));
    for (const auto& [candidate, spoken] : asked) candidate->fit = std::exp((-*candidate->nats_per_byte - best) * bytes);
}

}  // namespace hanse::route
