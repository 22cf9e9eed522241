// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "locked_memory.hpp"
#include "privacy/pseudonyms.hpp"

namespace hanse::privacy {

// What a pseudonym begins with: the same for all kinds that a reader of the answer would not tell apart.
std::string_view word_of(Kind kind);
inline constexpr std::size_t tag_length = 10;
inline constexpr std::string_view tag_letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";  // 32, none of them like another

struct Pseudonyms::State {
    State(base::Random& source, Options wanted) : random(source), options(wanted), originals(wanted.memory_max) {}

    base::Random& random;
    Options options;
    LockedMemory originals;
    std::uint64_t salt = 0;  // so that the hashes below say nothing of the texts
    struct Entry {
        std::string pseudonym;
        std::string_view original;  // in locked memory
        std::string_view word;
    };
    std::vector<Entry> entries;
    std::unordered_multimap<std::uint64_t, std::size_t> by_original;
    std::unordered_map<std::string, std::size_t> by_pseudonym;
    std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> numbers;  // word and entity
    std::map<std::string_view, std::uint32_t> last_number;
    std::vector<std::string_view> words;  // in use
    Evidence evidence;

    base::Result<std::string_view> pseudonym_of(std::string_view original, Kind kind, std::uint32_t entity);
    std::string drawn_tag();
};

}  // namespace hanse::privacy
