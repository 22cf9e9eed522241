// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hanse::privacy {

// A word of a text as the directory and the name grammar compare it: small letters, "ü" as "ue", no other marks, no
// apostrophes, nothing invisible. So "MÜLLER", "Mueller" and a "Müller" in decomposed Unicode are one.
struct TextWord {
    std::uint64_t folded = 0;  // hash
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t letters = 0;
    bool capital = false;   // begins with a capital
    bool capitals = false;  // has nothing else
    std::uint32_t size() const { return end - begin; }
};

enum class Umlauts : std::uint8_t { with_e, bare };  // "ü" becomes "ue", or "u"

std::string folded(std::string_view word, Umlauts umlauts = Umlauts::with_e);
std::uint64_t hash_of(std::string_view folded);
// The hash of a word that goes on with this.
std::uint64_t hash_on(std::uint64_t hash, std::string_view folded);

// The words of a text in order. Letters, digits and apostrophes between letters make a word; hyphens part them.
void split_words(std::string_view text, std::vector<TextWord>& words);

}  // namespace hanse::privacy
