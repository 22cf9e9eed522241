// SPDX-License-Identifier: Apache-2.0
#include "sampler.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace hanse::engine {
namespace {

// e^-28 is below 10^-12: all tokens of a vocabulary that lie so far below the best weigh nothing together.
constexpr float negligible = 28.0F;
constexpr float none = -std::numeric_limits<float>::infinity();

bool allows(std::span<const std::uint64_t> words, TokenId token) {
    auto at = static_cast<std::size_t>(token);
    return words.empty() || (at / 64 < words.size() && ((words[at / 64] >> (at % 64)) & 1) != 0);
}

constexpr auto likelier = [](const auto& a, const auto& b) { return a.logit > b.logit || (a.logit == b.logit && a.token < b.token); };
constexpr auto less_likely = [](const auto& a, const auto& b) { return a.logit < b.logit || (a.logit == b.logit && a.token > b.token); };

float largest(std::span<const float> logits) {
    // Sixteen lanes, so that the compiler needs no licence to reorder the comparisons. NaN never wins one.
    using Lanes = float __attribute__((vector_size(64)));
    constexpr std::size_t width = sizeof(Lanes) / sizeof(float);
    Lanes best;
    for (std::size_t i = 0; i < width; ++i) best[i] = none;
    std::size_t at = 0;
    for (; at + width <= logits.size(); at += width) {
        Lanes next;
        std::memcpy(&next, logits.data() + at, sizeof next);
        best = next > best ? next : best;
    }
    float value = none;
    for (std::size_t i = 0; i < width; ++i) value = std::max(value, best[i]);
    for (; at < logits.size(); ++at)
        if (logits[at] > value) value = logits[at];
    return value;
}

}  // namespace

TokenId likeliest(std::span<const float> logits) {
    float value = largest(logits);
    if (value == none) return -1;
    auto found = std::ranges::find(logits, value);
    return found == logits.end() ? -1 : static_cast<TokenId>(found - logits.begin());
}

Sampler::Sampler(SamplingOptions options, std::uint64_t seed_if_none)
    : options_(std::move(options)), random_(options_.seed.value_or(seed_if_none)) {
    bool penalises = options_.presence_penalty != 0.0F || options_.frequency_penalty != 0.0F || options_.repeat_penalty != 1.0F;
    if (penalises && options_.penalty_window > 0) window_.reserve(static_cast<std::size_t>(options_.penalty_window));
    else options_.penalty_window = 0;
    plain_greedy_ = is_greedy() && options_.penalty_window == 0 && options_.logit_bias.empty();
}

double Sampler::uniform() {
    // splitmix64: small, seedable, and good enough for choosing words.
    random_ += 0x9e3779b97f4a7c15ULL;
    auto z = random_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1.0p-53;
}

void Sampler::accept(TokenId token) {
    if (options_.penalty_window == 0) return;
    auto count = [this](TokenId which, std::int32_t by) {
        auto found = std::ranges::find(counts_, which, &Count::token);
        if (found == counts_.end()) {
            counts_.push_back({which, by});
        } else if ((found->count += by) == 0) {
            *found = counts_.back();
            counts_.pop_back();
        }
    };
    if (window_.size() < static_cast<std::size_t>(options_.penalty_window)) {
        window_.push_back(token);
    } else {
        count(window_[window_next_], -1);
        window_[window_next_] = token;
        window_next_ = (window_next_ + 1) % window_.size();
    }
    count(token, 1);
}

void Sampler::prepare(std::span<float> logits) {
    for (auto [token, bias] : options_.logit_bias)
        if (token >= 0 && static_cast<std::size_t>(token) < logits.size()) logits[static_cast<std::size_t>(token)] += bias;
    for (auto [token, count] : counts_) {
        if (token < 0 || static_cast<std::size_t>(token) >= logits.size()) continue;
        auto& logit = logits[static_cast<std::size_t>(token)];
        // The first form is that of Keskar et al. (2019), with the sign minded; the others are OpenAI's.
        logit = logit <= 0 ? logit * options_.repeat_penalty : logit / options_.repeat_penalty;
        logit -= static_cast<float>(count) * options_.frequency_penalty + options_.presence_penalty;
    }
}

// Candidates that can matter at all: the allowed ones not negligibly far below the best, or the best top_k.
void Sampler::gather(std::span<const float> logits, std::span<const std::uint64_t> allowed) {
    candidates_.clear();
    auto count = static_cast<TokenId>(logits.size());
    auto k = options_.top_k > 0 ? static_cast<std::size_t>(options_.top_k) : 0;
    float best = none;
    if (allowed.empty()) best = largest(logits);
    else
        for (TokenId token = 0; token < count; ++token)
            if (allows(allowed, token) && logits[static_cast<std::size_t>(token)] > best) best = logits[static_cast<std::size_t>(token)];
    if (best == none) return;
    float floor = best - negligible * std::max(options_.temperature, 1.0F);
    for (TokenId token = 0; token < count; ++token) {
        float logit = logits[static_cast<std::size_t>(token)];
        if (!(logit >= floor) || !allows(allowed, token)) continue;
        candidates_.push_back({logit, token});
        if (k != 0 && candidates_.size() >= 2 * k + 64) {
            // Keeps twice k at most: below the kth of those seen nothing can come in any more.
            std::ranges::nth_element(candidates_, candidates_.begin() + static_cast<std::ptrdiff_t>(k - 1), likelier);
            candidates_.resize(k);
            floor = std::max(floor, candidates_.back().logit);
        }
    }
    if (k != 0 && candidates_.size() > k) {
        std::ranges::nth_element(candidates_, candidates_.begin() + static_cast<std::ptrdiff_t>(k - 1), likelier);
        candidates_.resize(k);
    }
}

TokenId Sampler::draw(std::span<const float> logits, std::span<const std::uint64_t> allowed) {
    if (is_greedy()) {
        if (allowed.empty()) return likeliest(logits);
        float best = none;
        TokenId chosen = -1;
        for (std::size_t word = 0; word < allowed.size(); ++word)
            for (auto bits = allowed[word]; bits != 0; bits &= bits - 1) {
                auto at = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
                if (at < logits.size() && logits[at] > best) best = logits[at], chosen = static_cast<TokenId>(at);
            }
        return chosen;
    }
    gather(logits, allowed);
    if (candidates_.empty()) return -1;
    auto top = std::ranges::min_element(candidates_, likelier);
    float best = top->logit;
    auto kept = candidates_.begin();

    if (options_.top_p < 1.0F) {
        double total = 0;
        for (const auto& one : candidates_) total += std::exp(static_cast<double>(one.logit - best));
        // A heap gives the likeliest one by one; few are needed.
        std::ranges::make_heap(candidates_, less_likely);
        double sum = 0;
        auto end = candidates_.end();
        while (end != candidates_.begin() && (sum < options_.top_p * total || end == candidates_.end())) {
            std::ranges::pop_heap(candidates_.begin(), end, less_likely);
            --end;
            sum += std::exp(static_cast<double>(end->logit - best));
        }
        kept = end;
    }
    if (options_.min_p > 0.0F) {
        float least = best + std::log(options_.min_p);
        kept = std::partition(kept, candidates_.end(), [&](const Candidate& one) { return one.logit < least; });
    }
    if (kept == candidates_.end()) return top->token;

    double scale = 1.0 / static_cast<double>(options_.temperature);
    double total = 0;
    for (auto at = kept; at != candidates_.end(); ++at) total += std::exp(static_cast<double>(at->logit - best) * scale);
    double point = uniform() * total;
    for (auto at = kept; at != candidates_.end(); ++at) {
        point -= std::exp(static_cast<double>(at->logit - best) * scale);
        if (point < 0) return at->token;
    }
    return candidates_.back().token;
}

void Sampler::logprobs(std::span<const float> logits, TokenId chosen, Scored& out, std::vector<Scored>& top) {
    auto count = std::min<std::size_t>(options_.top_logprobs.value_or(0), logits.size());
    float best = largest(logits);
    double total = 0;
    candidates_.clear();
    float floor = best - negligible;
    for (std::size_t token = 0; token < logits.size(); ++token) {
        if (!(logits[token] >= floor)) continue;
        total += std::exp(static_cast<double>(logits[token] - best));
        candidates_.push_back({logits[token], static_cast<TokenId>(token)});
    }
    auto normal = best + static_cast<float>(std::log(total));
    auto at = static_cast<std::size_t>(chosen);
    out = {chosen, chosen >= 0 && at < logits.size() ? std::max(logits[at] - normal, -9999.0F) : -9999.0F};
    count = std::min(count, candidates_.size());
    std::ranges::partial_sort(candidates_, candidates_.begin() + static_cast<std::ptrdiff_t>(count), likelier);
    top.clear();
    for (std::size_t i = 0; i < count; ++i) top.push_back({candidates_[i].token, candidates_[i].logit - normal});
}

}  // namespace hanse::engine
