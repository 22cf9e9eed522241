// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "merge_kernels.hpp"

namespace hanse::forge {

// Which elements of a tensor have a rank in [low, high) when its elements are sorted by magnitude, the smallest first and equal ones in
// the order in which they lie. Found by counting the bits of the numbers instead of sorting: one pass for a 16-bit type, two for f32,
// and memory that does not grow with the tensor. Exact: always high - low elements are kept.
//
// A pass calls count() for every piece of a segment in order, then end_pass() once; keep() afterwards, again in order in each segment.
// Segments are independent, so several threads may work at once, one a segment.
class MagnitudeRanks {
public:
    MagnitudeRanks(Working type, std::uint64_t low, std::uint64_t high) : type_(type), low_(low), high_(high) {}
    // Other ranks, before the end of the first pass.
    void range(std::uint64_t low, std::uint64_t high) { low_ = low, high_ = high; }
    unsigned passes() const { return type_ == Working::f32 ? 2 : 1; }
    void begin_pass(unsigned pass, std::size_t segments);
    void count(unsigned pass, std::size_t segment, const float* x, std::size_t count);
    void end_pass(unsigned pass);
    // Sets what is not kept to zero.
    void keep(std::size_t segment, float* x, std::size_t count);
    // Before the segments are walked with keep() once more.
    void rewind();

private:
    // The key at one end of the range, and how many elements that have it lie before the end.
    struct Bound {
        std::uint64_t rank = 0;
        std::uint32_t key = 0;
        std::uint64_t before = 0;  // elements of smaller magnitude
    };
    struct Segment {
        std::vector<std::uint32_t> bins;                  // upper 16 bits
        std::array<std::vector<std::uint32_t>, 2> lower;  // lower 16 bits where the upper ones are those of a bound
        std::array<std::uint64_t, 2> ties_before = {};    // in earlier segments, at each bound
        std::array<std::uint64_t, 2> ties_here = {};
        std::array<std::uint64_t, 2> seen = {};
    };
    void find(Bound& bound, const std::vector<std::uint64_t>& totals, std::uint32_t prefix) const;
    void share_ties();

    Working type_;
    std::uint64_t low_, high_;
    std::array<Bound, 2> bounds_ = {};
    std::vector<Segment> segments_;
};

}  // namespace hanse::forge
