// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hanse::privacy {

// What a word can be in the grammar of names. Several at once: "Mark" is a given name and a common word.
enum class Role : std::uint16_t {
    salutation = 1,    // Herr, Mrs
    title = 2,         // Dr, Prof, Rechtsanwältin: between salutation and name
    given = 4,         // a first name
    particle = 8,      // von, van, de: small, inside a name
    no_name = 16,      // capital, and yet never a name: Damen, Team, months, days
    common = 32,       // a word of the language that is also a family or first name: Koch, Young
    article = 64,      // speaks for a common word: der Koch, the cook
    greeting = 128,    // Liebe, Dear: a name follows
    closing = 256,     // the last word of "Mit freundlichen Grüßen": a name follows on the next lines
    label = 512,       // Ansprechpartner, Contact: a name follows a colon
    colleague = 1024,  // words besides salutations that support a family name before or after: Kollege, Team
};
constexpr std::uint16_t operator|(Role a, Role b) {
    return static_cast<std::uint16_t>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}

struct LexiconEntry {
    std::string_view words;  // separated by blanks
    Role role;
};
// The built-in lists, German and English.
std::vector<LexiconEntry> lexicon();
std::string_view given_names();

}  // namespace hanse::privacy
