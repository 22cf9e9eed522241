// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hanse::label {

// A set of small numbers that lies in the label itself. std::bitset would do but for two things that
// decisions need: "is it a subset" without a copy, and a walk over the members in order.
template <std::size_t Words>
class Bits {
public:
    static constexpr std::size_t capacity = Words * 64;

    constexpr Bits() = default;
    static constexpr Bits full() {
        Bits all;
        all.words_.fill(~std::uint64_t{0});
        return all;
    }
    static constexpr Bits of(std::size_t index) {
        Bits one;
        one.add(index);
        return one;
    }

    constexpr void add(std::size_t index) { words_[index / 64] |= std::uint64_t{1} << (index % 64); }
    constexpr void remove(std::size_t index) { words_[index / 64] &= ~(std::uint64_t{1} << (index % 64)); }
    constexpr bool has(std::size_t index) const { return (words_[index / 64] >> (index % 64) & 1) != 0; }
    constexpr bool empty() const { return *this == Bits{}; }
    constexpr std::size_t count() const {
        std::size_t sum = 0;
        for (const auto word : words_) sum += static_cast<std::size_t>(std::popcount(word));
        return sum;
    }
    constexpr bool within(const Bits& other) const {
        std::uint64_t outside = 0;
        for (std::size_t i = 0; i < Words; ++i) outside |= words_[i] & ~other.words_[i];
        return outside == 0;
    }
    template <typename Visit>
    constexpr void each(Visit visit) const {
        for (std::size_t i = 0; i < Words; ++i)
            for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) visit(i * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
    }

    friend constexpr Bits operator&(Bits a, const Bits& b) {
        for (std::size_t i = 0; i < Words; ++i) a.words_[i] &= b.words_[i];
        return a;
    }
    friend constexpr Bits operator|(Bits a, const Bits& b) {
        for (std::size_t i = 0; i < Words; ++i) a.words_[i] |= b.words_[i];
        return a;
    }
    friend constexpr Bits operator-(Bits a, const Bits& b) {
        for (std::size_t i = 0; i < Words; ++i) a.words_[i] &= ~b.words_[i];
        return a;
    }
    friend constexpr bool operator==(const Bits&, const Bits&) = default;

private:
    std::array<std::uint64_t, Words> words_{};
};

}  // namespace hanse::label
