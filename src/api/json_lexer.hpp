// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hanse::api {

// RFC 8259, strictly: what both readers of JSON here share. Each step moves `at` behind what it read, or
// returns false with `at` on the offending byte and `problem` saying what is wrong there.
struct JsonLexer {
    std::string_view text;
    std::size_t at = 0;
    const char* problem = nullptr;
    bool escaped = false;  // the last string held a backslash
    bool high = false;     // some string held a byte beyond ASCII; UTF-8 is checked once, by the caller

    static constexpr std::size_t depth_max = 64;

    bool fail(const char* what) {
        problem = what;
        return false;
    }
    void skip_space() {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) ++at;
    }
    char peek() const { return at < text.size() ? text[at] : '\0'; }

    // The next byte of a string that is not simply passed on: quote, backslash, control or non-ASCII.
    static constexpr bool special(unsigned char c) { return c < 0x20 || c == '"' || c == '\\' || c >= 0x80; }
    void run() {
        constexpr std::uint64_t ones = 0x0101010101010101ULL;
        constexpr std::uint64_t tops = 0x8080808080808080ULL;
        while (at + 8 <= text.size()) {
            std::uint64_t word = 0;
            std::memcpy(&word, text.data() + at, 8);
            const auto zero_in = [](std::uint64_t w) { return (w - ones) & ~w; };
            const std::uint64_t hit =
                ((word - ones * 0x20) | zero_in(word ^ (ones * '"')) | zero_in(word ^ (ones * '\\')) | word) & tops;
            if (hit != 0) break;
            at += 8;
        }
        while (at < text.size() && !special(static_cast<unsigned char>(text[at]))) ++at;
    }

    bool read_string() {
        escaped = false;
        ++at;  // the opening quote
        while (true) {
            run();
            if (at >= text.size()) return fail("the text ends inside a string");
            const auto c = static_cast<unsigned char>(text[at]);
            if (c == '"') {
                ++at;
                return true;
            }
            if (c == '\\') {
                escaped = true;
                if (!read_escape()) return false;
            } else if (c < 0x20) {
                return fail("a control character in a string must be escaped");
            } else {
                high = true;
                ++at;
            }
        }
    }

    bool read_number() {
        const std::size_t begin = at;
        if (peek() == '-') ++at;
        if (peek() == '0') {
            ++at;
        } else if (!read_digits()) {
            if (at == begin) return fail("a value is expected");
            return fail("a digit is expected");
        }
        if (peek() == '.') {
            ++at;
            if (!read_digits()) return fail("a digit is expected after the point");
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at;
            if (peek() == '+' || peek() == '-') ++at;
            if (!read_digits()) return fail("a digit is expected in the exponent");
        }
        return true;
    }

    bool read_word(std::string_view word) {
        if (text.substr(at, word.size()) != word) return fail("a value is expected");
        at += word.size();
        return true;
    }

    // Anything but an array or an object.
    bool read_scalar() {
        switch (peek()) {
            case '"': return read_string();
            case 't': return read_word("true");
            case 'f': return read_word("false");
            case 'n': return read_word("null");
            default: return at < text.size() ? read_number() : fail("a value is expected, but the text ends");
        }
    }

private:
    bool read_digits() {
        const std::size_t begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at > begin;
    }
    // Four hexadecimal digits at `from`, or -1.
    int read_hex(std::size_t from) const {
        if (from + 4 > text.size()) return -1;
        int value = 0;
        for (std::size_t i = from; i < from + 4; ++i) {
            const char c = text[i];
            const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0) return -1;
            value = value * 16 + digit;
        }
        return value;
    }
    bool read_escape() {
        const char c = at + 1 < text.size() ? text[at + 1] : '\0';
        if (c != 'u') {
            if (c == '\0' || std::strchr("\"\\/bfnrt", c) == nullptr) return fail("an unknown escape");
            at += 2;
            return true;
        }
        const int unit = read_hex(at + 2);
        if (unit < 0) return fail("\\u needs four hexadecimal digits");
        if (unit >= 0xDC00 && unit <= 0xDFFF) return fail("half of a surrogate pair");
        if (unit < 0xD800 || unit > 0xDBFF) {
            at += 6;
            return true;
        }
        const int low = text.substr(at + 6, 2) == "\\u" ? read_hex(at + 8) : -1;
        if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
        at += 12;
        return true;
    }
};

}  // namespace hanse::api
