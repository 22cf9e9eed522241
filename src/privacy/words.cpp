// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include "characters.hpp"

namespace hanse::privacy {
namespace {

constexpr std::uint64_t offset_basis = 0xcbf29ce484222325U, prime = 0x100000001b3U;  // FNV-1a

// U+0100 to U+017F without their marks.
constexpr std::string_view extended_a =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(extended_a.size() == 128);
// U+00C0 to U+00DF; the small ones follow 32 later.
constexpr std::string_view latin_1 = "aaaaaaaceeeeiiiidnooooo*ouuuuyts";

// Calls `put` with each byte of the folded form; `previous` is the last base letter, for a diaeresis that follows it.
template <typename Put>
void fold(char32_t c, Umlauts umlauts, char& previous, Put put) {
    const auto one = [&](char base) {
        put(base);
        previous = base;
    };
    if (c < 0x80) return one(lower(static_cast<char>(c)));
    if (c >= 0xc0 && c <= 0xff) {
        const char base = c == 0xff ? 'y' : latin_1[(c - 0xc0) % 32];
        one(base);
        const char32_t small = c | 0x20U;
        const bool umlaut = small == 0xe4 || small == 0xf6 || small == 0xfc;
        if (small == 0xe6 || (umlaut && umlauts == Umlauts::with_e)) put('e');
        if (c == 0xdf) put('s');
        if (c == 0xde || c == 0xfe) put('h');
        return;
    }
    if (c >= 0x100 && c <= 0x17f) return one(extended_a[c - 0x100]);
    if (c == 0x1e9e) return put('s'), one('s');
    if (c == 0x308 && umlauts == Umlauts::with_e && (previous == 'a' || previous == 'o' || previous == 'u')) return put('e');
    if (is_combining(c) || is_invisible(c) || c == 0x2019 || c == 0x2bc) return;
    if (c >= 0x410 && c <= 0x42f) c += 0x20;
    for (unsigned shift = 16; shift > 0; shift -= 8) put(static_cast<char>(c >> shift));
    put(static_cast<char>(c));
    previous = 0;
}

}  // namespace

std::string folded(std::string_view word, Umlauts umlauts) {
    std::string out;
    char previous = 0;
    for (std::size_t at = 0; at < word.size();) {
        const Character c = character_at(word, at);
        if (c.code != '\'') fold(c.code, umlauts, previous, [&](char byte) { out.push_back(byte); });
        at += c.size;
    }
    return out;
}

std::uint64_t hash_on(std::uint64_t hash, std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    return hash;
}
std::uint64_t hash_of(std::string_view text) { return hash_on(offset_basis, text); }

void split_words(std::string_view text, std::vector<TextWord>& words) {
    std::size_t at = 0;
    while (at < text.size()) {
        Character c = character_at(text, at);
        const auto begins = [](char32_t code) { return code < 0x80 ? is_alphanumeric(static_cast<char>(code)) : is_letter(code); };
        if (!begins(c.code)) {
            at += c.size;
            continue;
        }
        TextWord word{.folded = offset_basis, .begin = static_cast<std::uint32_t>(at), .capital = is_upper(c.code), .capitals = true};
        char previous = 0;
        const auto put = [&](char byte) { word.folded = (word.folded ^ static_cast<unsigned char>(byte)) * prime; };
        while (true) {
            if (c.code < 0x80) {  // most letters by far
                const char small = lower(static_cast<char>(c.code));
                put(small);
                previous = small;
                word.capitals &= !is_lower(static_cast<char>(c.code));
            } else {
                fold(c.code, Umlauts::with_e, previous, put);
                word.capitals &= is_upper(c.code) || !is_letter(c.code);
            }
            ++word.letters;
            at += c.size;
            c = character_at(text, at);
            if (begins(c.code) || (c.code >= 0x80 && (is_combining(c.code) || is_invisible(c.code)) && c.size > 1)) continue;
            // "O'Brien", "Müller's": dropped where a letter follows.
            if (c.code == '\'' || c.code == 0x2019 || c.code == 0x2bc) {
                const Character next = character_at(text, at + c.size);
                if (next.size != 0 && is_letter(next.code)) {
                    at += c.size;
                    c = next;
                    continue;
                }
            }
            break;
        }
        word.end = static_cast<std::uint32_t>(at);
        words.push_back(word);
    }
}

}  // namespace hanse::privacy
