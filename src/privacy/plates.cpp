// SPDX-License-Identifier: Apache-2.0
//
// German number plates: district, one or two letters, one to four digits, with any separator or none (FZV § 9).
#include "districts.hpp"
#include "reading.hpp"

namespace hanse::privacy {
namespace {

bool separates(char32_t c) {
    return is_space(c) || is_dash(c) || c == ':' || c == '.' || c == 0xb7 || c == 0x2022 || c == '*' || c == '/' || c == '|' || c == ',';
}

// How many separators end at `end`, and where they begin.
struct Gap {
    std::size_t begin = 0;
    unsigned count = 0;
    bool dash = false;  // "-" or a dot in the middle, which words of a sentence do not have
    bool blank = false;
};
Gap gap_before(std::string_view text, std::size_t end, unsigned most) {
    Gap gap{end};
    while (gap.count < most) {
        const Character c = character_before(text, gap.begin);
        if (c.size == 0 || !separates(c.code)) break;
        (is_space(c.code) ? gap.blank : gap.dash) = true;
        gap.begin -= c.size;
        ++gap.count;
    }
    return gap;
}

// "DIN A 4", "EN B 12": districts too, but written with a blank they are standards.
bool is_standard(std::string_view word, const Gap& gap) { return !gap.dash && (word == "DIN" || word == "EN"); }

bool is_plate_letter(char32_t c) { return (c < 0x80 && is_upper(static_cast<char>(c))) || c == 0xc4 || c == 0xd6 || c == 0xdc; }

}  // namespace

void read_plate(Reading& reading, std::size_t hit_end) {
    const std::string_view text = reading.text;
    const std::size_t first_digit = hit_end - 1;
    std::size_t end = first_digit;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::size_t digits = end - first_digit;
    if (digits > 4) return;
    // E (electric) and H (historic) belong to it, in the same word or behind a blank before nothing else.
    if (end < text.size() && (text[end] == 'E' || text[end] == 'H') && open_after(text, end + 1)) ++end;
    if (!open_after(text, end)) return;
    // Dates, decimals and ranges go on behind a separator.
    if (end + 1 < text.size() && (text[end] == '.' || text[end] == ',' || text[end] == '-' || text[end] == '/' || text[end] == ':') &&
        is_alphanumeric(text[end + 1]))
        return;

    const Gap near = gap_before(text, first_digit, 2);
    std::size_t letters_begin = near.begin;
    unsigned letters = 0;
    while (letters < 5) {
        const Character c = character_before(text, letters_begin);
        if (c.size == 0 || !is_plate_letter(c.code)) break;
        letters_begin -= c.size;
        ++letters;
    }
    if (letters == 0) return;
    const bool supported =
        reading.around(Word::plate, letters_begin, end, 60, 30) && !reading.nearer(Word::other_number, Word::plate, letters_begin, 40);
    const bool against = reading.before(Word::other_number, letters_begin, 40);

    if (letters <= 2) {
        const Gap far = gap_before(text, letters_begin, 3);
        if (far.count > 0) {
            std::size_t begin = far.begin;
            unsigned count = 0;
            while (count < 4) {
                const Character c = character_before(text, begin);
                if (c.size == 0 || !is_plate_letter(c.code)) break;
                begin -= c.size;
                ++count;
            }
            const Character beside = character_before(text, begin);
            const bool inside = beside.code == '-' || beside.code == '/' || beside.code == '_' || beside.code == '.';
            if (count >= 1 && count <= 3 && open_before(text, begin) && !inside && is_district(text.substr(begin, far.begin - begin)) &&
                count + letters + digits <= 8 && !is_standard(text.substr(begin, far.begin - begin), far)) {
                const bool as_printed = far.dash && !far.blank && (near.blank || near.count == 0) && !near.dash;
                const float plain = as_printed && digits >= 2 ? 0.8F : far.dash ? 0.6F : 0.35F;
                return reading.add(Kind::number_plate, Ground::form, begin, end, supported ? 0.95F : against ? plain - 0.4F : plain);
            }
            return;
        }
    }
    // District and letters in one word: "HHAB 123", "HHAB123".
    if (letters < 2 || letters > 5 || !open_before(text, letters_begin)) return;
    const std::string_view word = text.substr(letters_begin, near.begin - letters_begin);
    for (std::size_t split = 1; split < word.size(); ++split) {
        if (is_continuation(word[split])) continue;
        std::size_t behind = 0;
        for (std::size_t i = split; i < word.size(); ++i) behind += is_continuation(word[i]) ? 0U : 1U;
        if (behind < 1 || behind > 2 || !is_district(word.substr(0, split))) continue;
        return reading.add(Kind::number_plate, Ground::form, letters_begin, end, supported ? 0.85F : 0.2F);
    }
}

}  // namespace hanse::privacy
