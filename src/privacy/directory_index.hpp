// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lexicon.hpp"
#include "privacy/directory.hpp"
#include "privacy/finding.hpp"
#include "words.hpp"

namespace hanse::privacy {

// How sure a form of a directory entry is when it stands alone.
enum class Strength : std::uint8_t {
    full,        // given and family name, a firm's or project's name
    family,      // a family name alone
    ambiguous,   // a family name that is a word of the language as well: needs support
    part,        // one half of a double name: counts with support, or where the person is named in full
    given,       // a first name alone
    exact,       // initials and short capitals: only in capitals
    weak_exact,  // initials of two letters: only where somebody signs
};

// A form that ends in a text. `words` counts the words it took, `tail` the bytes of inflection at its end.
struct FormMatch {
    Kind kind = Kind::person;
    Strength strength = Strength::full;
    std::uint8_t words = 0;
    std::uint8_t tail = 0;
    std::uint8_t ending = 0;  // the letters of the tail, without an apostrophe
    std::uint32_t entity = 0;
};

// Every form in which a directory's entries may stand in a text, and the word lists of the name grammar, in one table by
// the hash of a folded word: one look-up per word of a text. Inflected forms (Brinkmanns, Brinkmannschen) are made when the
// index is, so that reading stays a look-up. Immutable.
class DirectoryIndex {
public:
    explicit DirectoryIndex(const Directory& directory);

    // The roles of a word, as Role bits; 0 for a word that no list has.
    std::uint16_t roles(const TextWord& word) const {
        const Slot* slot = find(word.folded);
        return slot == nullptr ? std::uint16_t{0} : slot->roles;
    }
    // The forms that begin with the word at `at`, the longest first.
    void match(std::string_view text, std::span<const TextWord> words, std::size_t at, std::vector<FormMatch>& matches) const;

private:
    using WordId = std::uint32_t;
    struct Variant {
        WordId word = 0;
        std::uint8_t tail = 0;
    };
    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t variants_begin = 0;
        std::uint16_t variants_count = 0;
        std::uint16_t roles = 0;
    };
    struct End {
        Kind kind;
        Strength strength;
        std::uint32_t entity;
    };
    struct Node {
        std::vector<End> ends;
    };

    const Slot* find(std::uint64_t hash) const {
        for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.hash == hash) return &slot;
            if (slot.hash == 0) return nullptr;
        }
    }
    void add_person(const Person& person, std::uint32_t entity);
    void add_given(const std::vector<std::string>& given, const std::vector<std::string>& family, std::uint32_t entity);
    void add_named(std::string_view name, const std::vector<std::string>& aliases, Kind kind, std::uint32_t entity);
    void add_form(const std::vector<std::string>& words, Kind kind, Strength strength, std::uint32_t entity);
    WordId word_id(const std::string& word, bool adjective);
    void walk(std::string_view text, std::span<const TextWord> words, std::size_t start, std::size_t at, std::uint32_t node,
              std::vector<FormMatch>& matches) const;
    void step(std::string_view text, std::span<const TextWord> words, std::size_t start, std::size_t last, std::uint64_t folded,
              std::uint32_t node, std::vector<FormMatch>& matches) const;
    void seal();

    std::unordered_map<std::uint64_t, std::vector<Variant>> building_;
    std::unordered_map<std::uint64_t, std::uint16_t> building_roles_;
    std::unordered_map<std::string, WordId> word_ids_;

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    std::vector<Variant> variants_;
    std::unordered_map<std::uint64_t, std::uint32_t> steps_;  // node and word to node
    std::vector<Node> nodes_;
};

}  // namespace hanse::privacy
