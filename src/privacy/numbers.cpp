// SPDX-License-Identifier: Apache-2.0
//
// Long numbers: cards, tax ids, tax numbers, pension insurance numbers.
#include "check_digits.hpp"
#include "digit_run.hpp"
#include "reading.hpp"

namespace hanse::privacy {
namespace {

bool groups_of_cards(char32_t c) { return is_space(c) || is_dash(c) || c == '.'; }
bool groups_of_tax(char32_t c) { return is_space(c) || c == '/' || is_dash(c) || c == '.'; }

// Ranges that are given out to issuers (ISO/IEC 7812 registry, by its public lists).
bool issued(std::string_view digits) {
    const auto prefix = [&](std::size_t count) {
        int number = 0;
        for (std::size_t i = 0; i < count; ++i) number = number * 10 + (digits[i] - '0');
        return number;
    };
    const int two = prefix(2), three = prefix(3), four = prefix(4);
    switch (digits.size()) {
        case 13: return digits[0] == '4';
        case 14: return two == 36 || two == 38 || two == 39 || (three >= 300 && three <= 305);
        case 15: return two == 34 || two == 37;
        case 16:
            return digits[0] == '4' || (two >= 50 && two <= 58) || (four >= 2221 && four <= 2720) || four == 6011 || two == 65 ||
                   (three >= 644 && three <= 649) || (four >= 3528 && four <= 3589) || two == 62 || two == 67;
        case 17:
        case 18: return two == 50 || (two >= 56 && two <= 58) || two == 67 || two == 62;
        case 19: return digits[0] == '4' || two == 50 || (two >= 56 && two <= 58) || two == 62 || two == 67;
        default: return false;
    }
}

// One block, fours, or American Express's 4-6-5 and Diners' 4-6-4.
bool printed_as_card(const DigitRun& run, std::size_t groups) {
    if (groups == 1) return true;
    for (std::size_t i = 1; i < groups; ++i)
        if (run.groups[i].separator != run.groups[1].separator) return false;
    if (groups == 3) return run.shaped(4, 6, 5) || run.shaped(4, 6, 4);
    for (std::size_t i = 0; i + 1 < groups; ++i)
        if (run.groups[i].size() != 4) return false;
    return groups >= 4 && run.groups[groups - 1].size() <= 4;
}

void try_card(Reading& reading, const DigitRun& run) {
    for (std::size_t groups = run.group_count; groups >= 1; --groups) {
        const std::string_view digits = run.first(groups);
        if (digits.size() < 13) return;
        if (digits.size() > 19 || !issued(digits) || !printed_as_card(run, groups) || !luhn_holds(digits)) continue;
        if (digits.find_first_not_of(digits[0]) == std::string_view::npos) continue;
        const std::size_t begin = run.begin(), end = run.groups[groups - 1].end;
        if (!open_after(reading.text, end)) continue;
        const bool supported = reading.nearer(Word::card, Word::other_number, begin, 60);
        const bool against = reading.before(Word::other_number, begin, 40) && !supported;
        // Every tenth number passes Luhn: what calls itself an order number and is not printed as a card is believed.
        const float score = supported ? 0.99F : against ? (groups > 1 ? 0.4F : 0.2F) : 0.9F;
        reading.add(Kind::card, Ground::checked, begin, end, score);
        return;
    }
}

void try_tax_id(Reading& reading, const DigitRun& run) {
    std::size_t groups = 0;
    if (run.groups[0].size() == 11) groups = 1;
    else if (run.shaped(2, 3, 3, 3) || run.shaped(3, 3, 3, 2) || run.shaped(2, 3, 6) || run.shaped(5, 6) || run.shaped(2, 9))
        groups = run.shaped(2, 3, 3, 3) || run.shaped(3, 3, 3, 2) ? 4 : run.shaped(2, 3, 6) ? 3 : 2;
    if (groups == 0 || !tax_id_holds(run.first(groups))) return;
    const std::size_t begin = run.begin(), end = run.groups[groups - 1].end;
    if (!open_after(reading.text, end)) return;
    const bool supported = reading.before(Word::tax_id, begin, 60);
    const bool against = reading.before(Word::other_number, begin, 40) || reading.nearer(Word::phone, Word::tax_id, begin, 30);
    reading.add(Kind::tax_id, Ground::checked, begin, end, supported ? 0.99F : against ? 0.3F : 0.85F);
}

void try_tax_number(Reading& reading, const DigitRun& run) {
    const std::size_t begin = run.begin();
    const bool supported =
        reading.nearer(Word::tax_number, Word::other_number, begin, 50) || reading.around(Word::tax_number, begin, begin + 13, 0, 20);
    const auto slashed = [&](std::size_t groups) {
        for (std::size_t i = 1; i < groups; ++i)
            if (run.groups[i].separator != '/') return false;
        return true;
    };
    std::size_t groups = 0;
    bool by_form = false;
    // The Länder's own ways: 2/3/5, 3/3/5, 3/4/4 (North Rhine-Westphalia), 5/5 (Baden-Württemberg).
    if (run.shaped(2, 3, 5) || run.shaped(3, 3, 5) || run.shaped(3, 4, 4)) {
        groups = 3;
        by_form = slashed(3);
    } else if (run.shaped(4, 3, 5)) {
        groups = 3;  // with the district of the office before it
    } else if (run.shaped(5, 5)) {
        groups = 2;
    } else if (run.groups[0].size() >= 10 && run.groups[0].size() <= 13) {
        groups = 1;
    }
    if (groups == 0) return;
    const std::size_t end = run.groups[groups - 1].end;
    if (!open_after(reading.text, end)) return;
    if (supported) reading.add(Kind::tax_number, Ground::context, begin, end, 0.97F);
    else if (by_form && !reading.before(Word::other_number, begin, 40) && !reading.before(Word::phone, begin, 40))
        reading.add(Kind::tax_number, Ground::form, begin, end, run.digits[0] == '0' ? 0.4F : 0.6F);
}

// "65 170839 J 008", with or without the blanks.
void try_social_insurance(Reading& reading, std::size_t begin) {
    std::array<char, 12> characters{};
    std::size_t count = 0, at = begin, end = begin;
    while (count < characters.size()) {
        const Character c = character_at(reading.text, at);
        if (c.size == 1 && is_alphanumeric(reading.text[at])) {
            characters[count++] = upper(reading.text[at]);
            end = ++at;
            if (count == 9 && is_digit(characters[8])) return;
        } else if (at > begin && (is_space(c.code) || c.code == '-' || c.code == '/' || c.code == '.') && end == at) {
            at += c.size;
        } else {
            return;
        }
    }
    if (!social_insurance_holds({characters.data(), characters.size()}) || !open_after(reading.text, end)) return;
    const bool supported = reading.before(Word::social_insurance, begin, 80);
    const bool against = reading.nearer(Word::other_number, Word::social_insurance, begin, 40);
    reading.add(Kind::social_insurance, Ground::checked, begin, end, supported ? 0.99F : against ? 0.3F : 0.9F);
}

}  // namespace

void read_number(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    if (!open_before(text, begin)) return;
    const char before = begin > 0 ? text[begin - 1] : ' ';
    // In the middle of a longer number, a decimal or an identifier.
    const bool inside =
        begin >= 2 && (before == '.' || before == ',' || before == '/' || before == '-') && is_alphanumeric(text[begin - 2]);
    if (before == '_' || before == '@') return;
    if (!inside || before == '/' || before == '-') {
        const DigitRun cards = digit_run(text, begin, groups_of_cards);
        if (cards.digit_count >= 13 && !inside) try_card(reading, cards);
        if (cards.digit_count >= 10) {
            const DigitRun tax = digit_run(text, begin, groups_of_tax);
            if (!inside) try_tax_id(reading, tax);
            if (!inside) try_tax_number(reading, tax);
        } else if (cards.digit_count >= 2 && !inside) {
            const DigitRun tax = digit_run(text, begin, groups_of_tax);
            if (tax.digit_count >= 10) {
                try_tax_id(reading, tax);
                try_tax_number(reading, tax);
            }
            if (cards.digit_count <= 8 && tax.digit_count >= 8) try_social_insurance(reading, begin);
        }
        if (cards.digit_count >= 8 && !inside && cards.groups[0].size() <= 8) try_social_insurance(reading, begin);
    }
    if (inside) return;
    if (before != '+') {
        if (text[begin] == '0' && before != '(') read_telephone(reading, begin);
        read_birth_date(reading, begin);
        read_ip4(reading, begin);
        read_postcode(reading, begin);
        read_english_street(reading, begin);
    }
}

}  // namespace hanse::privacy
