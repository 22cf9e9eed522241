// SPDX-License-Identifier: Apache-2.0
#include "route/choose.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace hanse::route {
namespace {

constexpr std::string_view automatic = "hanse/";

std::uint64_t price_of(const Candidate& candidate, const Question& question) {
    return (candidate.prompt_price * question.prompt_tokens + candidate.answer_price * question.answer_tokens) / 1'000'000;
}

// "de" is spoken by whoever speaks "de-CH", and the other way round.
bool speaks(const Candidate& candidate, std::string_view language) {
    const auto first = [](std::string_view tag) { return tag.substr(0, tag.find('-')); };
    return std::ranges::any_of(candidate.languages, [&](const auto& each) { return first(each) == first(language); });
}

// The first reason, in the order in which they count: who was not asked for is no candidate, so no rule speaks of it; and
// what the rule forbids is not looked at any further.
std::pair<Exclusion, std::string> exclusion_of(const Candidate& candidate, const Question& question) {
    const auto skill = skill_of(question.model);
    if (!skill && question.model != candidate.model && question.model != candidate.name())
        return {Exclusion::other_model, std::format("it is {}, and {} was asked for", candidate.name(), question.model)};
    if (skill && !skill->empty() && !std::ranges::contains(candidate.skills, *skill))
        return {Exclusion::lacks_skill, std::format("it does not offer the skill {}", *skill)};
    if (candidate.verdict.outcome == label::Outcome::deny)
        return {Exclusion::rule, candidate.reason.empty() ? "the label does not let it go there" : candidate.reason};
    const std::uint64_t wanted = std::uint64_t{question.prompt_tokens} + question.answer_tokens;
    if (candidate.context != 0 && wanted > candidate.context)
        return {Exclusion::context_too_small, std::format("{} tokens do not fit into {}", wanted, candidate.context)};
    const std::uint64_t price = price_of(candidate, question);
    if (question.price_max && price > *question.price_max)
        return {Exclusion::too_dear, std::format("it would cost {} micro-euro, and {} are allowed", price, *question.price_max)};
    if (!candidate.may_be_asked) return {Exclusion::unhealthy, "it has failed of late, and is left alone for a while"};
    return {Exclusion::none, {}};
}

std::vector<Score> scores_of(const Candidate& candidate, const Question& question, const Weights& weights) {
    // Half the score at half a second to the first token, and at one cent.
    const double latency = candidate.latency ? 500.0 / (500.0 + static_cast<double>(candidate.latency->count())) : 0.5;
    const double price = 10'000.0 / (10'000.0 + static_cast<double>(price_of(candidate, question)));
    const double language = question.language.empty() || candidate.languages.empty() ? 0.5
                            : speaks(candidate, question.language)                   ? 1.0
                                                                                     : 0.0;
    return {{"fit", std::clamp(candidate.fit.value_or(0.5), 0.0, 1.0), weights.fit},
            {"language", language, weights.language},
            {"reliability", std::clamp(1.0 - candidate.failure_share, 0.0, 1.0), weights.reliability},
            {"latency", latency, weights.latency},
            {"price", price, weights.price},
            {"home", candidate.member.empty() ? 1.0 : 0.0, weights.home},
            {"untouched", candidate.verdict.outcome == label::Outcome::permit ? 1.0 : 0.0, weights.untouched}};
}

double total_of(const std::vector<Score>& scores) {
    double sum = 0, weights = 0;
    for (const auto& score : scores) {
        sum += score.value * score.weight;
        weights += score.weight;
    }
    return weights > 0 ? sum / weights : 0;
}

}  // namespace

std::optional<std::string_view> skill_of(std::string_view model) {
    if (!model.starts_with(automatic)) return {};
    model.remove_prefix(automatic.size());
    return model == "auto" ? std::string_view{} : model;
}

std::string_view name(Exclusion exclusion) {
    static constexpr std::array<std::string_view, 7> names{"none",     "rule",     "other_model", "lacks_skill", "context_too_small",
                                                           "too_dear", "unhealthy"};
    return names[static_cast<std::size_t>(exclusion)];
}

bool Plan::refused_by_rule() const { return order.empty() && std::ranges::contains(excluded, Exclusion::rule, &Weighed::exclusion); }

Plan choose(const std::vector<Candidate>& snapshot, const Question& question, const Weights& weights) {
    Plan plan;
    for (std::size_t i = 0; i < snapshot.size(); ++i) {
        auto [exclusion, sentence] = exclusion_of(snapshot[i], question);
        Weighed weighed{.candidate = i, .exclusion = exclusion, .sentence = std::move(sentence)};
        if (exclusion != Exclusion::none) {
            plan.excluded.push_back(std::move(weighed));
            continue;
        }
        weighed.scores = scores_of(snapshot[i], question, weights);
        weighed.total = total_of(weighed.scores);
        if (snapshot[i].verdict.outcome == label::Outcome::permit_after) weighed.after = snapshot[i].verdict.after;
        plan.order.push_back(std::move(weighed));
    }
    // A name that this node has is this node's: whoever names a model means the nearest.
    const bool by_name = !skill_of(question.model);
    std::ranges::sort(plan.order, [&](const Weighed& a, const Weighed& b) {
        const Candidate &first = snapshot[a.candidate], &second = snapshot[b.candidate];
        if (by_name && first.member.empty() != second.member.empty()) return first.member.empty();
        if (a.total != b.total) return a.total > b.total;
        if (first.member.empty() != second.member.empty()) return first.member.empty();
        return std::pair(first.name(), a.candidate) < std::pair(second.name(), b.candidate);
    });
    return plan;
}

}  // namespace hanse::route
