// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Bytes and UTF-8 characters as the recognisers see them. ASCII by hand, since <cctype> follows the locale.
namespace hanse::privacy {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
constexpr char upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
constexpr char lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }
constexpr bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

// One character of a text. Bytes that are no UTF-8 count as themselves, one by one.
struct Character {
    char32_t code = 0;
    std::uint8_t size = 0;  // 0: the text is over
};

constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

constexpr Character character_at(std::string_view text, std::size_t at) {
    if (at >= text.size()) return {};
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
    const char32_t first = byte(0);
    const auto has = [&](std::size_t count) {
        if (at + count >= text.size()) return false;
        for (std::size_t i = 1; i <= count; ++i)
            if (!is_continuation(text[at + i])) return false;
        return true;
    };
    if (first < 0x80) return {first, 1};
    if (first >= 0xc2 && first < 0xe0 && has(1)) return {(first & 0x1fU) << 6U | (byte(1) & 0x3fU), 2};
    if (first >= 0xe0 && first < 0xf0 && has(2)) return {(first & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU), 3};
    if (first >= 0xf0 && first < 0xf5 && has(3))
        return {(first & 0x07U) << 18U | (byte(1) & 0x3fU) << 12U | (byte(2) & 0x3fU) << 6U | (byte(3) & 0x3fU), 4};
    return {first, 1};
}

// The character that ends at `end`.
constexpr Character character_before(std::string_view text, std::size_t end) {
    if (end == 0 || end > text.size()) return {};
    std::size_t at = end - 1;
    while (at > 0 && end - at < 4 && is_continuation(text[at])) --at;
    const Character found = character_at(text, at);
    if (found.size != 0 && at + found.size == end) return found;
    return {static_cast<unsigned char>(text[end - 1]), 1};
}

// Letters of Latin scripts with their marks (Latin-1, Extended-A and -B), Greek and Cyrillic.
constexpr bool is_letter(char32_t c) {
    if (c < 0x80) return is_letter(static_cast<char>(c));
    return (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) || (c >= 0x370 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1eff);
}
constexpr bool is_upper(char32_t c) {
    if (c < 0x80) return is_upper(static_cast<char>(c));
    if (c >= 0xc0 && c <= 0xde) return c != 0xd7;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 == 1;
    if ((c >= 0x100 && c <= 0x17f) || (c >= 0x1e00 && c <= 0x1eff)) return c % 2 == 0;
    return (c >= 0x391 && c <= 0x3a9) || (c >= 0x400 && c <= 0x42f);
}
// Hides inside words without being seen: soft hyphen, zero-width characters, word joiner, byte order mark.
constexpr bool is_invisible(char32_t c) { return c == 0xad || (c >= 0x200b && c <= 0x200d) || c == 0x2060 || c == 0xfeff; }
constexpr bool is_combining(char32_t c) { return c >= 0x300 && c <= 0x36f; }
constexpr bool is_dash(char32_t c) { return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212; }
// Also the no-break and the narrow spaces of good typesetting.
constexpr bool is_space(char32_t c) { return c == ' ' || c == '\t' || c == 0xa0 || (c >= 0x2002 && c <= 0x200a) || c == 0x202f; }

// No letter or digit of any script touches the place from this side.
constexpr bool open_before(std::string_view text, std::size_t begin) {
    const Character c = character_before(text, begin);
    return c.size == 0 || !(is_letter(c.code) || (c.code < 0x80 && is_digit(static_cast<char>(c.code))));
}
constexpr bool open_after(std::string_view text, std::size_t end) {
    const Character c = character_at(text, end);
    return c.size == 0 || !(is_letter(c.code) || (c.code < 0x80 && is_digit(static_cast<char>(c.code))));
}

}  // namespace hanse::privacy
