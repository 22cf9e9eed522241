// SPDX-License-Identifier: Apache-2.0
//
// Numbers that begin with letters: IBAN, VAT id, identity card, passport, health insurance.
#include <array>

#include "check_digits.hpp"
#include "reading.hpp"

namespace hanse::privacy {
namespace {

// Letters and digits from `begin`, capitals, at most `out.size()`; one separator at a time may stand between. `ends[i]`
// is the place behind the i-th.
template <std::size_t Size>
std::size_t take(std::string_view text, std::size_t begin, std::array<char, Size>& out, std::array<std::size_t, Size>& ends) {
    std::size_t count = 0, at = begin;
    bool separated = false;
    while (count < Size) {
        const Character c = character_at(text, at);
        if (c.size == 1 && is_alphanumeric(text[at])) {
            out[count] = upper(text[at]);
            ends[count++] = ++at;
            separated = false;
        } else if (!separated && c.size != 0 && count > 0 && (is_space(c.code) || is_dash(c.code) || c.code == '.')) {
            separated = true;
            at += c.size;
        } else {
            break;
        }
    }
    return count;
}

}  // namespace

void read_iban(Reading& reading, std::size_t begin) {
    std::array<char, 34> characters{};
    std::array<std::size_t, 34> ends{};
    if (!open_before(reading.text, begin)) return;
    const std::size_t count = take(reading.text, begin, characters, ends);
    const std::size_t length = iban_length({characters.data(), 2});
    if (length == 0 || count < length) return;
    if (!iban_holds({characters.data(), length})) return;
    // The rest of a longer word would be another thing; the rest behind a blank is the next word.
    if (!open_after(reading.text, ends[length - 1])) return;
    reading.add(Kind::iban, Ground::checked, begin, ends[length - 1], 0.99F);
}

void read_vat(Reading& reading, std::size_t end) {
    const std::string_view text = reading.text;
    std::size_t begin = end - 1;
    while (begin > 0 && !is_upper(text[begin - 1])) --begin;
    if (begin < 2 || (begin -= 2, !open_before(text, begin))) return;
    std::array<char, 14> characters{};
    std::array<std::size_t, 14> ends{};
    const std::size_t count = take(text, begin, characters, ends);
    const std::string_view country(characters.data(), 2);
    const bool supported = reading.before(Word::vat, begin, 50);
    // The longest reading that ends with a word's end.
    for (std::size_t length = count; length >= 9; --length) {
        if (!open_after(text, ends[length - 1])) continue;
        const std::string_view rest(characters.data() + 2, length - 2);
        const VatCheck check = vat_check(country, rest);
        if (check.holds) return reading.add(Kind::vat_id, Ground::checked, begin, ends[length - 1], supported ? 0.99F : 0.85F);
        std::size_t digits = 0;
        for (const char c : rest) digits += is_digit(c) ? 1U : 0U;
        // Grouped by blanks it is believed only in one piece, since words follow.
        if (!check.known && supported && digits >= 7 && ends[length - 1] - begin <= length + 1)
            return reading.add(Kind::vat_id, Ground::context, begin, ends[length - 1], 0.8F);
    }
}

void read_document(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    if (!open_before(text, begin) || begin + 9 > text.size()) return;
    std::array<char, 10> characters{};
    unsigned digits = 0;
    for (std::size_t i = 0; i < 9; ++i) {
        characters[i] = text[begin + i];
        digits += is_digit(text[begin + i]) ? 1U : 0U;
    }
    if (digits < 3) return;
    std::size_t end = begin + 9;
    bool checked = false;
    if (std::size_t last = end < text.size() && text[end] == ' ' ? end + 1 : end; last < text.size() && is_digit(text[last])) {
        characters[9] = text[last];
        const bool closed = open_after(text, last + 1) || text[last + 1] == 'D';  // of the machine-readable zone
        if (closed && document_number_holds({characters.data(), 10})) {
            checked = true;
            end = last + 1;
        }
    }
    if (!checked && !open_after(text, end)) return;
    const bool pass = reading.nearer(Word::passport, Word::id_card, begin, 70), card = reading.before(Word::id_card, begin, 70);
    // Passports begin with C, F, G, H, J, K (PassV annex 8); identity cards with the letters after them or a digit.
    const bool of_passport = pass || (!card && std::string_view("CFGHJK").contains(text[begin]));
    const Kind kind = of_passport ? Kind::passport : Kind::id_card;
    const bool against = reading.nearer(Word::other_number, pass ? Word::passport : Word::id_card, begin, 40);
    if (checked) reading.add(kind, Ground::checked, begin, end, pass || card ? 0.99F : against ? 0.3F : 0.7F);
    else if (pass || card) reading.add(kind, Ground::context, begin, end, against ? 0.4F : 0.85F);
}

void read_health_insurance(Reading& reading, std::size_t end) {
    const std::string_view text = reading.text;
    std::size_t begin = end - 3;
    while (begin > 0 && !is_letter(text[begin])) --begin;
    std::array<char, 10> characters{};
    std::array<std::size_t, 10> ends{};
    if (!open_before(text, begin) || take(text, begin, characters, ends) < 10) return;
    if (!open_after(text, ends[9]) || !health_insurance_holds({characters.data(), 10})) return;
    if (begin > 0 && (text[begin - 1] == '-' || text[begin - 1] == '_' || text[begin - 1] == '/')) return;
    const bool supported = reading.before(Word::health_insurance, begin, 80);
    const bool against = reading.nearer(Word::other_number, Word::health_insurance, begin, 40);
    reading.add(Kind::health_insurance, Ground::checked, begin, ends[9], supported ? 0.99F : against ? 0.3F : 0.8F);
}

}  // namespace hanse::privacy
