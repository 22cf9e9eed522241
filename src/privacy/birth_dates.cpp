// SPDX-License-Identifier: Apache-2.0
//
// Dates that the words around call somebody's birthday. Other dates stay what they are.
#include <array>

#include "reading.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;
constexpr std::array months{"januar"sv,   "jänner"sv,    "january"sv,  "jan"sv,      "februar"sv, "feber"sv,   "february"sv, "feb"sv,
                            "märz"sv,     "maerz"sv,     "march"sv,    "mär"sv,      "mar"sv,     "april"sv,   "apr"sv,      "mai"sv,
                            "may"sv,      "juni"sv,      "june"sv,     "jun"sv,      "juli"sv,    "july"sv,    "jul"sv,      "august"sv,
                            "aug"sv,      "september"sv, "sept"sv,     "sep"sv,      "oktober"sv, "october"sv, "okt"sv,      "oct"sv,
                            "november"sv, "nov"sv,       "dezember"sv, "december"sv, "dez"sv,     "dec"sv};

unsigned digits_at(std::string_view text, std::size_t at, unsigned most) {
    unsigned count = 0;
    while (count < most && at + count < text.size() && is_digit(text[at + count])) ++count;
    return count;
}

unsigned number_at(std::string_view text, std::size_t at, unsigned digits) {
    unsigned number = 0;
    for (unsigned i = 0; i < digits; ++i) number = number * 10 + static_cast<unsigned>(text[at + i] - '0');
    return number;
}

std::size_t blanks(std::string_view text, std::size_t at) {
    for (Character c = character_at(text, at); is_space(c.code) || c.code == '\n'; c = character_at(text, at)) at += c.size;
    return at;
}

std::size_t month_at(std::string_view text, std::size_t at) {
    for (const std::string_view month : months) {
        if (at + month.size() > text.size()) continue;
        bool same = true;
        for (std::size_t i = 0; same && i < month.size(); ++i) same = lower(text[at + i]) == month[i];
        if (same && open_after(text, at + month.size())) return month.size();
    }
    return 0;
}

bool year_holds(std::string_view text, std::size_t at, unsigned digits) {
    if (digits == 2) return true;
    return digits == 4 && number_at(text, at, 4) >= 1880 && number_at(text, at, 4) <= 2099;
}

// The place behind the date, 0 if there is none: 3.5.1975, 03.05.75, 1975-05-03, 3/5/1975, 3. Mai 1975, 3rd May 1975.
std::size_t date_end(std::string_view text, std::size_t begin) {
    const unsigned first = digits_at(text, begin, 5);
    if (first == 0 || first == 3 || first == 5) return 0;
    std::size_t at = begin + first;
    if (first == 4) {
        if (!year_holds(text, begin, 4) || at >= text.size() || (text[at] != '-' && text[at] != '/' && text[at] != '.')) return 0;
        const char separator = text[at];
        const unsigned month = digits_at(text, at + 1, 3);
        if (month == 0 || month > 2 || number_at(text, at + 1, month) > 12) return 0;
        at += 1 + month;
        if (at >= text.size() || text[at] != separator) return 0;
        const unsigned day = digits_at(text, at + 1, 3);
        return day >= 1 && day <= 2 && number_at(text, at + 1, day) <= 31 ? at + 1 + day : 0;
    }
    if (const unsigned day = number_at(text, begin, first); day == 0 || day > 31) return 0;
    if (at < text.size() && (text[at] == '.' || text[at] == '/' || text[at] == '-')) {
        const char separator = text[at];
        const std::size_t second = separator == '.' ? blanks(text, at + 1) : at + 1;
        const unsigned month = digits_at(text, second, 3);
        if (month >= 1 && month <= 2 && number_at(text, second, month) >= 1 && number_at(text, second, month) <= 31) {
            at = second + month;
            if (at >= text.size() || text[at] != separator) return 0;
            const std::size_t third = separator == '.' ? blanks(text, at + 1) : at + 1;
            const unsigned year = digits_at(text, third, 5);
            return year_holds(text, third, year) ? third + year : 0;
        }
    }
    // A month in words.
    if (at < text.size() && text[at] == '.') ++at;
    for (const std::string_view ordinal : {"st"sv, "nd"sv, "rd"sv, "th"sv})
        if (text.substr(at, 2) == ordinal) at += 2;
    at = blanks(text, at);
    if (text.substr(at, 3) == "of ") at += 3;
    const std::size_t month = month_at(text, at);
    if (month == 0) return 0;
    at += month;
    if (at < text.size() && (text[at] == '.' || text[at] == ',')) ++at;
    at = blanks(text, at);
    const unsigned year = digits_at(text, at, 5);
    return year_holds(text, at, year) ? at + year : 0;
}

}  // namespace

void read_birth_date(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    std::size_t from = begin, end = date_end(text, begin);
    if (end == 0) {
        // "May 3, 1975": the number is the day behind the month.
        std::size_t word_end = begin;
        while (word_end > 0 && (text[word_end - 1] == ' ' || text[word_end - 1] == '.')) --word_end;
        std::size_t word = word_end;
        while (word > 0 && is_letter(text[word - 1]) && word_end - word < 10) --word;
        if (word == word_end || month_at(text, word) != word_end - word) return;
        std::size_t at = begin + digits_at(text, begin, 2);
        for (const std::string_view ordinal : {"st"sv, "nd"sv, "rd"sv, "th"sv})
            if (text.substr(at, 2) == ordinal) at += 2;
        if (at < text.size() && text[at] == ',') ++at;
        at = blanks(text, at);
        if (digits_at(text, at, 5) != 4 || !year_holds(text, at, 4)) return;
        from = word;
        end = at + 4;
    }
    if (!open_after(text, end)) return;
    // One word speaks for one date: "geb. 3.5.1975, krank bis 8.3.2026".
    const std::size_t word = reading.last(Word::birth, from, 48);
    bool before = word != Reading::none;
    for (auto known = reading.found.rbegin(); before && known != reading.found.rend() && known->begin + 80 > from; ++known)
        before = !(known->kind == Kind::birth_date && known->begin + 1U >= word && known->begin < from);
    if (before || text.substr(end, 12).contains("geb")) reading.add(Kind::birth_date, Ground::context, from, end, 0.9F);
}

}  // namespace hanse::privacy
