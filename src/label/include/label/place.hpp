// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace hanse::label {

// A region of the tree of places (world, adequate countries, EEA, EU, a country, a house, a site), as the way
// from the root to it: nine bits a level, the first level on top, zeros below. So "inside" is one comparison
// and needs no table. What two regions have in common is the inner one, or nowhere if neither holds the other.
class Place {
public:
    static constexpr unsigned levels_max = 7;
    static constexpr unsigned children_max = 511;

    static constexpr Place world() { return Place{0}; }
    static constexpr Place nowhere() { return Place{~std::uint64_t{0}}; }
    // The child with this number, from 1; only above levels_max and up to children_max.
    constexpr Place child(unsigned number) const { return Place{path_ | std::uint64_t{number} << (level_bits * (levels_max - 1 - depth()))}; }
    constexpr unsigned depth() const { return path_ == 0 ? 0 : levels_max - static_cast<unsigned>(std::countr_zero(path_)) / level_bits; }

    constexpr bool inside(Place region) const { return (path_ & region.mask()) == region.path_ || path_ == nowhere().path_; }
    constexpr Place common(Place other) const { return inside(other) ? *this : other.inside(*this) ? other : nowhere(); }
    // The smallest region that holds both; for two places in which the same data lies.
    constexpr Place around(Place other) const {
        if (*this == nowhere()) return other;
        if (other == nowhere()) return *this;
        const std::uint64_t differing = path_ ^ other.path_;
        if (differing == 0) return *this;
        const unsigned shared = (static_cast<unsigned>(std::countl_zero(differing)) - 1) / level_bits;
        return shared == 0 ? world() : Place{path_ & ~std::uint64_t{0} << level_bits * (levels_max - shared)};
    }
    friend constexpr bool operator==(Place, Place) = default;
    friend constexpr auto operator<=>(Place, Place) = default;

private:
    static constexpr unsigned level_bits = 9;
    explicit constexpr Place(std::uint64_t path) : path_(path) {}
    constexpr std::uint64_t mask() const {
        if (path_ == 0) return 0;
        return ~std::uint64_t{0} << static_cast<unsigned>(std::countr_zero(path_)) / level_bits * level_bits;
    }
    std::uint64_t path_;
};

}  // namespace hanse::label
