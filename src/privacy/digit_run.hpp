// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "characters.hpp"

namespace hanse::privacy {

// Digits in groups with a separator between, as people print long numbers: "12 345 678 901", "0421/123-45". Up to 32
// digits; what follows them is not looked at.
struct DigitRun {
    struct Group {
        std::size_t begin = 0, end = 0;  // bytes
        std::size_t first = 0;           // index of its first digit
        char32_t separator = 0;          // before it; 0 for the first
        std::size_t size() const { return end - begin; }
    };
    static constexpr std::size_t digits_max = 32, groups_max = 12;

    std::array<char, digits_max> digits{};
    std::array<Group, groups_max> groups{};
    std::size_t digit_count = 0, group_count = 0;

    std::string_view all() const { return {digits.data(), digit_count}; }
    // Digits of the first `groups_taken` groups.
    std::string_view first(std::size_t groups_taken) const {
        return {digits.data(), groups_taken == group_count ? digit_count : groups[groups_taken].first};
    }
    std::size_t begin() const { return groups[0].begin; }
    std::size_t end() const { return groups[group_count - 1].end; }
    template <typename... Sizes>
    bool shaped(Sizes... sizes) const {
        std::size_t index = 0;
        return group_count >= sizeof...(sizes) && ((groups[index++].size() == static_cast<std::size_t>(sizes)) && ...);
    }
};

// `separators`: which characters may stand between groups, one at a time.
constexpr DigitRun digit_run(std::string_view text, std::size_t begin, bool (*is_separator)(char32_t)) {
    DigitRun run;
    std::size_t at = begin;
    char32_t separator = 0;
    while (run.group_count < DigitRun::groups_max && at < text.size() && is_digit(text[at])) {
        DigitRun::Group group{at, at, run.digit_count, separator};
        while (at < text.size() && is_digit(text[at]) && run.digit_count < DigitRun::digits_max) run.digits[run.digit_count++] = text[at++];
        group.end = at;
        run.groups[run.group_count++] = group;
        if (run.digit_count == DigitRun::digits_max) break;
        const Character next = character_at(text, at);
        if (next.size == 0 || !is_separator(next.code)) break;
        separator = next.code;
        at += next.size;
    }
    return run;
}

}  // namespace hanse::privacy
