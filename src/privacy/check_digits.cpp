// SPDX-License-Identifier: Apache-2.0
#include "check_digits.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "characters.hpp"

namespace hanse::privacy {
namespace {

constexpr int value(char digit) { return digit - '0'; }
constexpr int ordinal(char letter) { return letter - 'A' + 1; }
bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

struct CountryLength {
    std::string_view country;
    std::size_t length;
};
// Lengths of the IBAN registry (SWIFT, release 99).
constexpr std::array<CountryLength, 79> iban_lengths{{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22}, {"BR", 29},
    {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29},
    {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28},
    {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22},
    {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25},
    {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27},
    {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
}};

// ISO 7064 mod 97-10 over letters as two digits, without building the number.
unsigned mod_97(std::string_view text, unsigned rest = 0) {
    for (const char c : text) {
        if (is_digit(c)) rest = (rest * 10 + static_cast<unsigned>(value(c))) % 97;
        else rest = (rest * 100 + static_cast<unsigned>(ordinal(c)) + 9) % 97;
    }
    return rest;
}

int cross_sum(int number) { return number / 10 + number % 10; }

bool luhn(std::string_view digits) {
    int sum = 0;
    bool twice = false;
    for (std::size_t i = digits.size(); i-- > 0; twice = !twice) sum += twice ? cross_sum(value(digits[i]) * 2) : value(digits[i]);
    return sum % 10 == 0;
}

int weighted(std::string_view digits, std::span<const int> weights) {
    int sum = 0;
    for (std::size_t i = 0; i < weights.size() && i < digits.size(); ++i) sum += value(digits[i]) * weights[i];
    return sum;
}

bool austrian_vat(std::string_view rest) {
    if (rest.size() != 9 || rest[0] != 'U' || !all_digits(rest.substr(1))) return false;
    int sum = 4;
    for (std::size_t i = 1; i < 8; ++i) sum += cross_sum(value(rest[i]) * (i % 2 == 0 ? 2 : 1));
    return (10 - sum % 10) % 10 == value(rest[8]);
}

bool belgian_vat(std::string_view rest) {
    if (rest.size() != 10 || !all_digits(rest) || (rest[0] != '0' && rest[0] != '1')) return false;
    return 97 - mod_97(rest.substr(0, 8)) == static_cast<unsigned>(value(rest[8]) * 10 + value(rest[9]));
}

bool french_vat(std::string_view rest) {
    if (rest.size() != 11 || !all_digits(rest)) return false;
    return (12 + 3 * mod_97(rest.substr(2))) % 97 == static_cast<unsigned>(value(rest[0]) * 10 + value(rest[1]));
}

// Since 2020 both the old rule (mod 11 over the first eight) and mod 97 over the whole number are given out.
bool dutch_vat(std::string_view rest) {
    if (rest.size() != 12 || rest[9] != 'B' || !all_digits(rest.substr(0, 9)) || !all_digits(rest.substr(10))) return false;
    constexpr std::array weights{9, 8, 7, 6, 5, 4, 3, 2};
    const bool old_rule = weighted(rest, weights) % 11 == value(rest[8]);
    return old_rule || mod_97(rest, mod_97("NL")) == 1;
}

bool polish_vat(std::string_view rest) {
    constexpr std::array weights{6, 5, 7, 2, 3, 4, 5, 6, 7};
    return rest.size() == 10 && all_digits(rest) && weighted(rest, weights) % 11 == value(rest[9]);
}

bool danish_vat(std::string_view rest) {
    constexpr std::array weights{2, 7, 6, 5, 4, 3, 2, 1};
    return rest.size() == 8 && all_digits(rest) && weighted(rest, weights) % 11 == 0;
}

bool luxembourg_vat(std::string_view rest) {
    if (rest.size() != 8 || !all_digits(rest)) return false;
    int first = 0;
    for (std::size_t i = 0; i < 6; ++i) first = first * 10 + value(rest[i]);
    return first % 89 == value(rest[6]) * 10 + value(rest[7]);
}

}  // namespace

std::size_t iban_length(std::string_view country) {
    const auto found = std::ranges::lower_bound(iban_lengths, country, {}, &CountryLength::country);
    return found != iban_lengths.end() && found->country == country ? found->length : 0;
}

bool iban_holds(std::string_view iban) {
    if (iban.size() < 15 || iban.size() != iban_length(iban.substr(0, 2))) return false;
    if (!all_digits(iban.substr(2, 2)) || !std::ranges::all_of(iban, [](char c) { return is_digit(c) || is_upper(c); })) return false;
    return mod_97(iban.substr(0, 4), mod_97(iban.substr(4))) == 1;
}

bool luhn_holds(std::string_view digits) { return digits.size() >= 2 && all_digits(digits) && luhn(digits); }

bool mod_11_10_holds(std::string_view digits) {
    if (digits.size() < 2 || !all_digits(digits)) return false;
    int product = 10;
    for (const char c : digits.substr(0, digits.size() - 1)) {
        int sum = (value(c) + product) % 10;
        if (sum == 0) sum = 10;
        product = sum * 2 % 11;
    }
    return (11 - product) % 10 == value(digits.back());
}

bool tax_id_holds(std::string_view digits) {
    if (digits.size() != 11 || !all_digits(digits) || digits[0] == '0') return false;
    std::array<int, 10> times{};
    for (const char c : digits.substr(0, 10)) ++times[static_cast<std::size_t>(value(c))];
    // One digit twice (until 2015) or three times, all others at most once.
    const auto repeated = std::ranges::count_if(times, [](int n) { return n > 1; });
    if (repeated != 1 || std::ranges::max(times) > 3) return false;
    for (std::size_t i = 0; i < 8; ++i)
        if (digits[i] == digits[i + 1] && digits[i] == digits[i + 2]) return false;
    return mod_11_10_holds(digits);
}

bool social_insurance_holds(std::string_view text) {
    if (text.size() != 12 || !all_digits(text.substr(0, 8)) || !is_upper(text[8]) || !all_digits(text.substr(9))) return false;
    const int area = value(text[0]) * 10 + value(text[1]), day = value(text[2]) * 10 + value(text[3]),
              month = value(text[4]) * 10 + value(text[5]);
    // VKVV § 2: where the birthday is used up, 32 to 63 stand for the day; unknown days are 00.
    if (area < 2 || day > 63 || month > 12) return false;
    std::array<int, 12> digits{};
    for (std::size_t i = 0; i < 8; ++i) digits[i] = value(text[i]);
    digits[8] = ordinal(text[8]) / 10;
    digits[9] = ordinal(text[8]) % 10;
    digits[10] = value(text[9]);
    digits[11] = value(text[10]);
    constexpr std::array weights{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
    int sum = 0;
    for (std::size_t i = 0; i < 12; ++i) sum += cross_sum(digits[i] * weights[i]);
    return sum % 10 == value(text[11]);
}

bool health_insurance_holds(std::string_view text) {
    if (text.size() != 10 || !is_upper(text[0]) || !all_digits(text.substr(1))) return false;
    int sum = ordinal(text[0]) / 10 + cross_sum(ordinal(text[0]) % 10 * 2);
    for (std::size_t i = 1; i < 9; ++i) sum += cross_sum(value(text[i]) * (i % 2 == 0 ? 2 : 1));
    return sum % 10 == value(text[9]);
}

bool document_number_holds(std::string_view text) {
    if (text.size() != 10 || !is_digit(text[9])) return false;
    constexpr std::array weights{7, 3, 1};
    int sum = 0;
    for (std::size_t i = 0; i < 9; ++i) {
        if (!is_digit(text[i]) && !is_upper(text[i])) return false;
        sum += (is_digit(text[i]) ? value(text[i]) : ordinal(text[i]) + 9) * weights[i % 3];
    }
    return sum % 10 == value(text[9]);
}

VatCheck vat_check(std::string_view country, std::string_view rest) {
    if (country == "DE") return {true, rest.size() == 9 && rest[0] != '0' && mod_11_10_holds(rest)};
    if (country == "AT") return {true, austrian_vat(rest)};
    if (country == "BE") return {true, belgian_vat(rest)};
    if (country == "FR") return {true, french_vat(rest)};
    if (country == "IT") return {true, rest.size() == 11 && luhn_holds(rest)};
    if (country == "NL") return {true, dutch_vat(rest)};
    if (country == "PL") return {true, polish_vat(rest)};
    if (country == "DK") return {true, danish_vat(rest)};
    if (country == "LU") return {true, luxembourg_vat(rest)};
    return {};
}

}  // namespace hanse::privacy
