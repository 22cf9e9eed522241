// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <utility>

#include "label/label.hpp"
#include "term_words.hpp"

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using words::add;
using words::each_word;
using words::listed;
using words::one_word;
using words::unknown;

constexpr std::array<std::string_view, 9> keys{"readers", "place", "control", "handling", "content", "purpose", "keep", "learn", "after"};

Result<void> read_term(std::string_view key, std::string_view value, Principal owner, const Vocabulary& words, Terms& terms) {
    if (key == "readers") {
        terms.readers = {};
        return each_word(key, value, "nobody", [&](std::string_view word) {
            const auto readers = words.readers(word);
            if (readers) terms.readers = terms.readers | *readers;
            return readers && word != "nobody";
        });
    }
    if (key == "place") return one_word(key, value, words.place(value, owner), terms.place);
    if (key == "control") return one_word(key, value, words.place(value, owner), terms.control);
    if (key == "handling") return each_word(key, value, "none", [&](std::string_view word) { return add(terms.handling, words.handling(word)); });
    if (key == "content") return each_word(key, value, "none", [&](std::string_view word) { return add(terms.content, words.content(word)); });
    if (key == "purpose") {
        terms.purpose = value == "all" ? Purposes::full() : Purposes{};
        if (value == "all") return {};
        return each_word(key, value, "none", [&](std::string_view word) { return add(terms.purpose, words.purpose(word)); });
    }
    if (key == "keep") return one_word(key, value, retention_named(value), terms.retention);
    if (key == "learn") return one_word(key, value, learning_named(value), terms.learning);
    terms.accepts = {};
    return each_word(key, value, "none", [&](std::string_view word) { return add(terms.accepts, transformation_named(word)); });
}

// "owner=acme readers=… …", one blank between two terms.
Result<Label::Owned> read_owned(std::string_view text, const Vocabulary& words) {
    const auto blank = text.find(' ');
    if (!text.starts_with("owner=") || blank == std::string_view::npos)
        return fail(ErrorKind::invalid, std::format("\"{}\" is no owner with terms", text.substr(0, 80)));
    const std::string_view name = text.substr(6, blank - 6);
    const auto owner = words.member(name);
    if (!owner) return fail(ErrorKind::invalid, unknown("owner", name), "unknown_word", "owner");
    Label::Owned owned{*owner, {}};
    std::array<bool, keys.size()> seen{};
    std::string_view rest = text.substr(blank + 1);
    while (!rest.empty()) {
        const std::string_view term = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(term.size() + 1, rest.size()));
        const auto equals = term.find('=');
        const auto key = std::ranges::find(keys, term.substr(0, equals));
        if (equals == std::string_view::npos || key == keys.end())
            return fail(ErrorKind::invalid, std::format("\"{}\" is no term of a label", term.substr(0, 80)), "unknown_word");
        if (std::exchange(seen[static_cast<std::size_t>(key - keys.begin())], true))
            return fail(ErrorKind::invalid, std::format("the term {} of {} is there twice", *key, name));
        if (auto good = read_term(*key, term.substr(equals + 1), *owner, words, owned.terms); !good) return std::unexpected(good.error());
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (!seen[i]) return fail(ErrorKind::invalid, std::format("the term {} of {} is missing", keys[i], name));
    return owned;
}

}  // namespace

std::string text(const Terms& terms, Principal owner, const Vocabulary& words) {
    std::vector<std::string> handling, content, purpose, accepts;
    terms.handling.each([&](std::size_t i) { handling.emplace_back(words.word(static_cast<HandlingWord>(i))); });
    terms.content.each([&](std::size_t i) { content.emplace_back(words.word(static_cast<ContentWord>(i))); });
    terms.accepts.each([&](std::size_t i) { accepts.emplace_back(name(static_cast<Transformation>(i))); });
    if (terms.purpose == Purposes::full()) purpose = {"all"};
    else terms.purpose.each([&](std::size_t i) { purpose.emplace_back(words.word(static_cast<PurposeWord>(i))); });
    return std::format("readers={} place={} control={} handling={} content={} purpose={} keep={} learn={} after={}", listed(words.words(terms.readers)),
                       words.word(terms.place, owner), words.word(terms.control, owner), listed(handling), listed(content), listed(purpose),
                       name(terms.retention), name(terms.learning), listed(accepts));
}

std::string text(const Label& label, const Vocabulary& words) {
    if (label.is_top()) return "top";
    std::map<std::string_view, const Label::Owned*> by_name;
    for (const auto& owned : label.owners()) by_name.emplace(words.name(owned.owner), &owned);
    std::string all = by_name.empty() ? "public" : "";
    for (const auto& [name, owned] : by_name)
        all += std::format("{}owner={} {}", all.empty() ? "" : "; ", name, text(owned->terms, owned->owner, words));
    return std::format("{}; integrity={}", all, name(label.integrity()));
}

Result<Label> read_label(std::string_view text, const Vocabulary& words) {
    if (text.size() > label_text_max) return fail(ErrorKind::too_large, std::format("a label has at most {} characters", label_text_max));
    if (text == "top") return Label::top();
    const auto last = text.rfind("; ");
    constexpr std::string_view integrity_key = "integrity=";
    if (last == std::string_view::npos || !text.substr(last + 2).starts_with(integrity_key))
        return fail(ErrorKind::invalid, "a label is \"top\", or ends in \"; integrity=\" and own, member or outside");
    const std::string_view word = text.substr(last + 2 + integrity_key.size());
    const auto integrity = integrity_named(word);
    if (!integrity) return fail(ErrorKind::invalid, unknown("integrity", word), "unknown_word", "integrity");
    std::string_view rest = text.substr(0, last);
    if (rest == "public") return Label::open_data(*integrity);
    std::vector<Label::Owned> owners;
    while (true) {
        const auto end = rest.find("; ");
        const auto owned = read_owned(rest.substr(0, end), words);
        if (!owned) return std::unexpected(owned.error());
        if (std::ranges::contains(owners, owned->owner, &Label::Owned::owner))
            return fail(ErrorKind::invalid, std::format("the owner {} is there twice", words.name(owned->owner)));
        owners.push_back(*owned);
        if (end == std::string_view::npos) return Label::of(std::move(owners), *integrity);
        rest.remove_prefix(end + 2);
    }
}

}  // namespace hanse::label
