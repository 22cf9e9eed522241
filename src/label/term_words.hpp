// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <format>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "label/words.hpp"

// How the lists of words in labels, clearances and expectations are written and read: "a+b+c", or "none".
namespace hanse::label::words {

inline std::string listed(std::vector<std::string> words, std::string_view none = "none") {
    if (words.empty()) return std::string(none);
    std::ranges::sort(words);
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : "+") + word;
    return all;
}

inline std::string unknown(std::string_view key, std::string_view word) { return std::format("{} has the unknown word \"{}\"", key, word.substr(0, 80)); }

// "a+b+c" one by one; `take` says whether it knows the word. "none" alone is the empty list.
template <typename Take>
base::Result<void> each_word(std::string_view key, std::string_view value, std::string_view none, Take take) {
    if (value == none) return {};
    while (true) {
        const auto plus = value.find('+');
        const std::string_view word = value.substr(0, plus);
        if (!take(word)) return base::fail(base::ErrorKind::invalid, unknown(key, word), "unknown_word", std::string(key));
        if (plus == std::string_view::npos) return {};
        value.remove_prefix(plus + 1);
    }
}

// A word that adds itself to a set; known, and not there yet.
template <typename Set, typename Word>
bool add(Set& set, std::optional<Word> word) {
    if (!word || set.has(bit(*word))) return false;
    set.add(bit(*word));
    return true;
}

template <typename Value>
base::Result<void> one_word(std::string_view key, std::string_view value, std::optional<Value> found, Value& out) {
    if (!found) return base::fail(base::ErrorKind::invalid, unknown(key, value), "unknown_word", std::string(key));
    out = *found;
    return {};
}

}  // namespace hanse::label::words
