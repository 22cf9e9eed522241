// SPDX-License-Identifier: Apache-2.0
#include "magnitude_ranks.hpp"

#include <algorithm>

namespace hanse::forge {
namespace {

constexpr std::size_t upper_bins = 32'768;  // 15 bits: the sign is gone
constexpr std::size_t lower_bins = 65'536;
constexpr std::size_t piece_most = 4096;

}  // namespace

void MagnitudeRanks::begin_pass(unsigned pass, std::size_t segments) {
    segments_.resize(segments);
    for (Segment& segment : segments_)
        if (pass == 0) segment.bins.assign(upper_bins, 0);
        else
            for (auto& bins : segment.lower) bins.assign(lower_bins, 0);
}

void MagnitudeRanks::count(unsigned pass, std::size_t index, const float* x, std::size_t count) {
    Segment& segment = segments_[index];
    std::array<std::uint32_t, piece_most> keys;
    for (; count > 0; x += std::min(count, piece_most), count -= std::min(count, piece_most)) {
        const std::size_t some = std::min(count, piece_most);
        kernel::keys(type_, x, keys.data(), some);
        if (pass == 0) {
            if (type_ == Working::f32)
                for (std::size_t i = 0; i < some; ++i) keys[i] >>= 16U;
            kernel::count_keys(keys.data(), segment.bins.data(), some);
            continue;
        }
        for (std::size_t i = 0; i < some; ++i)
            for (std::size_t b = 0; b < 2; ++b)
                if (keys[i] >> 16U == bounds_[b].key) ++segment.lower[b][keys[i] & 0xFFFFU];
    }
}

void MagnitudeRanks::find(Bound& bound, const std::vector<std::uint64_t>& totals, std::uint32_t prefix) const {
    std::uint64_t before = bound.before;
    for (std::size_t key = 0; key < totals.size(); ++key) {
        if (bound.rank < before + totals[key]) {
            bound.key = prefix | static_cast<std::uint32_t>(key);
            bound.before = before;
            return;
        }
        before += totals[key];
    }
}

void MagnitudeRanks::end_pass(unsigned pass) {
    if (low_ >= high_) return;
    if (pass == 0) {
        std::vector<std::uint64_t> totals(upper_bins);
        for (const Segment& segment : segments_)
            for (std::size_t key = 0; key < upper_bins; ++key) totals[key] += segment.bins[key];
        bounds_ = {Bound{.rank = low_}, Bound{.rank = high_ - 1}};
        for (Bound& bound : bounds_) find(bound, totals, 0);
    } else {
        for (std::size_t b = 0; b < 2; ++b) {
            std::vector<std::uint64_t> totals(lower_bins);
            for (const Segment& segment : segments_)
                for (std::size_t key = 0; key < lower_bins; ++key) totals[key] += segment.lower[b][key];
            find(bounds_[b], totals, bounds_[b].key << 16U);
        }
    }
    if (pass + 1 == passes()) share_ties();
}

void MagnitudeRanks::share_ties() {
    std::array<std::uint64_t, 2> before = {};
    for (Segment& segment : segments_) {
        for (std::size_t b = 0; b < 2; ++b) {
            segment.ties_before[b] = before[b];
            segment.ties_here[b] = type_ == Working::f32 ? segment.lower[b][bounds_[b].key & 0xFFFFU] : segment.bins[bounds_[b].key];
            segment.seen[b] = 0;
            before[b] += segment.ties_here[b];
        }
        segment.bins = {};
        segment.lower = {};
    }
}

void MagnitudeRanks::rewind() {
    for (Segment& segment : segments_) segment.seen = {};
}

void MagnitudeRanks::keep(std::size_t index, float* x, std::size_t count) {
    if (low_ >= high_) {
        std::fill_n(x, count, 0.0F);
        return;
    }
    Segment& segment = segments_[index];
    // Of the equal ones at the lower bound the first are dropped, at the upper bound the first are kept.
    const std::uint64_t dropped = low_ - bounds_[0].before, kept = high_ - bounds_[1].before;
    const auto all_or_none = [&](std::size_t b, std::uint64_t quota) {
        return segment.ties_before[b] >= quota || segment.ties_before[b] + segment.ties_here[b] <= quota;
    };
    kernel::KeyRange range{bounds_[0].key, bounds_[1].key, segment.ties_before[0] >= dropped, segment.ties_before[1] < kept};
    if (all_or_none(0, dropped) && all_or_none(1, kept) && bounds_[0].key != bounds_[1].key) {
        kernel::keep_range(type_, x, range, count);
        return;
    }
    std::array<std::uint32_t, piece_most> keys;
    for (; count > 0; x += std::min(count, piece_most), count -= std::min(count, piece_most)) {
        const std::size_t some = std::min(count, piece_most);
        kernel::keys(type_, x, keys.data(), some);
        for (std::size_t i = 0; i < some; ++i) {
            bool in = keys[i] >= bounds_[0].key && keys[i] <= bounds_[1].key;
            if (keys[i] == bounds_[0].key) in &= segment.ties_before[0] + segment.seen[0]++ >= dropped;
            if (keys[i] == bounds_[1].key) in &= segment.ties_before[1] + segment.seen[1]++ < kept;
            if (!in) x[i] = 0.0F;
        }
    }
}

}  // namespace hanse::forge
