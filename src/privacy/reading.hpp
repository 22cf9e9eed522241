// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "anchors.hpp"
#include "characters.hpp"
#include "privacy/finding.hpp"

namespace hanse::privacy {

// A text while it is read: the words that matter as context, by sort and place, and what was found so far. Lives for one
// scan; belongs to one thread.
class Reading {
public:
    explicit Reading(std::string_view whole) : text(whole) {}

    const std::string_view text;
    std::vector<Finding> found;

    void mark(Word word, std::uint32_t end) { marks_[static_cast<std::size_t>(word)].push_back(end); }

    // A context word ends within the `distance` bytes before `begin` (or a little behind it, where it touches).
    bool before(Word word, std::size_t begin, std::size_t distance) const {
        return within(word, begin > distance ? begin - distance : 0, begin + 1);
    }
    bool around(Word word, std::size_t begin, std::size_t end, std::size_t back, std::size_t ahead) const {
        return within(word, begin > back ? begin - back : 0, end + ahead);
    }
    // The nearer of the two before `begin` is `word`, not `other`: "Kundennummer 4711, Telefon 0421 …".
    bool nearer(Word word, Word other, std::size_t begin, std::size_t distance) const {
        const std::size_t ours = last(word, begin, distance), theirs = last(other, begin, distance);
        return ours != none && (theirs == none || ours >= theirs);
    }

    // The last one before `begin`, none if there is none near.
    std::size_t last(Word word, std::size_t begin, std::size_t distance) const {
        const auto& ends = marks_[static_cast<std::size_t>(word)];
        const auto next = std::ranges::upper_bound(ends, static_cast<std::uint32_t>(begin + 1));
        if (next == ends.begin() || *(next - 1) + distance < begin) return none;
        return *(next - 1);
    }
    static constexpr std::size_t none = ~std::size_t{0};

    void add(Kind kind, Ground ground, std::size_t begin, std::size_t end, float score, std::uint32_t entity = 0, std::uint8_t tail = 0) {
        found.push_back({kind, ground, tail, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), score, entity});
    }

private:
    bool within(Word word, std::size_t from, std::size_t to) const {
        const auto& ends = marks_[static_cast<std::size_t>(word)];
        const auto first = std::ranges::lower_bound(ends, static_cast<std::uint32_t>(from));
        return first != ends.end() && *first <= to;
    }
    std::array<std::vector<std::uint32_t>, word_count> marks_;
};

// The readers. Each takes the place that its anchor gave and adds what it can prove. None reads further than a line or
// two, so that a scan stays linear. Those that return a place say where the number ended which they took for theirs.
void read_number(Reading& reading, std::size_t begin);     // cards, tax ids and numbers, insurance, phone, dates, IPv4
void read_telephone(Reading& reading, std::size_t begin);  // from "+49" or "(0"
void read_birth_date(Reading& reading, std::size_t begin);
void read_iban(Reading& reading, std::size_t begin);
void read_vat(Reading& reading, std::size_t end);
void read_document(Reading& reading, std::size_t begin);
void read_health_insurance(Reading& reading, std::size_t end);
void read_plate(Reading& reading, std::size_t end);
void read_email(Reading& reading, std::size_t at);  // the place of the "@"
void read_spelled_email(Reading& reading, std::size_t end);
void read_url(Reading& reading, std::size_t slashes);  // the place of "//"
void read_ip4(Reading& reading, std::size_t begin);
void read_ip6(Reading& reading, std::size_t colon);
void read_token(Reading& reading, std::size_t end, TokenForm form);
void read_secret(Reading& reading, std::size_t end);
void read_street(Reading& reading, std::size_t digit);  // the first digit of the house number
void read_street_front(Reading& reading, std::size_t end);
void read_post_box(Reading& reading, std::size_t digit);
void read_postcode(Reading& reading, std::size_t begin);        // five digits and a town
void read_english_street(Reading& reading, std::size_t begin);  // "12 High Street", from the number

}  // namespace hanse::privacy
