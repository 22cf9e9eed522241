// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include "label/clearance.hpp"
#include "term_words.hpp"

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::array<std::string_view, 8> keys{"receivers", "place", "control", "releases", "contents", "keep", "learn", "acts-on"};
constexpr std::int64_t day = 86'400;

template <typename Number>
std::optional<Number> number(std::string_view digits) {
    Number value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return {};
    return value;
}

std::string written(const Release& release, const Vocabulary& words) {
    const std::string word(words.word(release.word));
    if (release.valid_until == always_valid) return word;
    if (release.valid_until % day != 0) return std::format("{}@{}", word, release.valid_until);
    const std::chrono::sys_days last{std::chrono::days{release.valid_until / day - 1}};
    const std::chrono::year_month_day date{last};
    if (date.year() < std::chrono::year{1970} || date.year() > std::chrono::year{9999}) return std::format("{}@{}", word, release.valid_until);
    return std::format("{}@{:04}-{:02}-{:02}", word, static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

Result<void> read_term(std::string_view key, std::string_view value, const Vocabulary& words, ClearanceTerms& terms) {
    if (key == "receivers") {
        terms.receivers = {};
        return label::words::each_word(key, value, "", [&](std::string_view word) {
            const auto readers = words.readers(word);
            if (readers) terms.receivers = terms.receivers | *readers;
            return readers && word != "nobody";
        });
    }
    if (key == "place" || key == "control") {
        Place& place = key == "place" ? terms.place : terms.control;
        return label::words::one_word(key, value, value == "nowhere" ? std::nullopt : words.place(value), place);
    }
    if (key == "releases") return label::words::each_word(key, value, "none", [&](std::string_view word) {
        const auto at = word.find('@');
        const auto until = at == std::string_view::npos ? std::optional(always_valid) : end_of_validity(word.substr(at + 1));
        const auto known = words.handling(word.substr(0, at));
        if (!known || !until) return false;
        terms.releases.push_back({*known, *until});
        return true;
    });
    if (key == "contents") return label::words::each_word(key, value, "none", [&](std::string_view word) { return label::words::add(terms.contents, words.content(word)); });
    if (key == "keep") return label::words::one_word(key, value, retention_named(value), terms.retention);
    if (key == "learn") return label::words::one_word(key, value, learning_named(value), terms.learning);
    return label::words::one_word(key, value, integrity_named(value), terms.acts_on);
}

}  // namespace

std::optional<std::int64_t> end_of_validity(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return number<std::int64_t>(text);
    const auto year = number<unsigned>(text.substr(0, 4)), month = number<unsigned>(text.substr(5, 2)), of_month = number<unsigned>(text.substr(8, 2));
    if (!year || !month || !of_month) return {};
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month}, std::chrono::day{*of_month}};
    if (!date.ok()) return {};
    return (std::chrono::sys_days{date}.time_since_epoch().count() + 1) * day;
}

std::string text(const Clearance& clearance, const Vocabulary& words) {
    const ClearanceTerms& terms = clearance.terms();
    std::vector<std::string> releases, contents;
    for (const Release& release : terms.releases) releases.push_back(written(release, words));
    terms.contents.each([&](std::size_t i) { contents.emplace_back(words.word(static_cast<ContentWord>(i))); });
    return std::format("receivers={} place={} control={} releases={} contents={} keep={} learn={} acts-on={}", label::words::listed(words.words(terms.receivers)),
                       words.word(terms.place), words.word(terms.control), label::words::listed(releases), label::words::listed(contents), name(terms.retention),
                       name(terms.learning), name(terms.acts_on));
}

Result<Clearance> read_clearance(std::string name, std::string_view text, const Vocabulary& words) {
    ClearanceTerms terms{.name = std::move(name)};
    std::array<bool, keys.size()> seen{};
    while (!text.empty()) {
        const std::string_view term = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(term.size() + 1, text.size()));
        const auto equals = term.find('=');
        const auto key = std::ranges::find(keys, term.substr(0, equals));
        if (equals == std::string_view::npos || key == keys.end())
            return fail(ErrorKind::invalid, std::format("\"{}\" is no term of a clearance", term.substr(0, 80)), "unknown_word");
        if (std::exchange(seen[static_cast<std::size_t>(key - keys.begin())], true))
            return fail(ErrorKind::invalid, std::format("the term {} is there twice", *key));
        if (auto good = read_term(*key, term.substr(equals + 1), words, terms); !good) return std::unexpected(good.error());
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (!seen[i]) return fail(ErrorKind::invalid, std::format("the term {} is missing", keys[i]));
    return Clearance(std::move(terms));
}

}  // namespace hanse::label
