// SPDX-License-Identifier: Apache-2.0
#include "directory_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "characters.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

constexpr std::array legal_forms{"gmbh"sv,     "ag"sv,   "kg"sv,  "kgaa"sv, "ohg"sv, "ug"sv,      "gbr"sv,   "se"sv,
                                 "ev"sv,       "eg"sv,   "mbh"sv, "co"sv,   "ltd"sv, "limited"sv, "llp"sv,   "llc"sv,
                                 "inc"sv,      "corp"sv, "plc"sv, "sa"sv,   "srl"sv, "bv"sv,      "ggmbh"sv, "haftungsbeschraenkt"sv,
                                 "stiftung"sv, "e"sv,    "v"sv};
constexpr std::array particles{"von"sv,   "van"sv, "de"sv, "der"sv, "den"sv, "zu"sv,  "zum"sv, "zur"sv, "vom"sv, "del"sv,
                               "della"sv, "di"sv,  "da"sv, "la"sv,  "le"sv,  "ten"sv, "ter"sv, "al"sv,  "el"sv};
// Genitive and dative of names, plurals of families ("die Brinkmanns", "Brinkmannschen"), diminutives of nobody.
constexpr std::array endings{""sv, "s"sv, "es"sv, "n"sv, "en"sv, "ens"sv, "ns"sv, "sche"sv, "schen"sv, "scher"sv, "sches"sv, "isch"sv};
constexpr std::array adjective_endings{"e"sv, "er"sv, "es"sv, "en"sv, "em"sv};
constexpr std::array project_endings{"projekt"sv,  "projekts"sv, "projektes"sv, "team"sv, "teams"sv,
                                     "vorhaben"sv, "sprojekt"sv, "programm"sv,  "plan"sv};

template <typename List>
bool among(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<TextWord> words;
    split_words(text, words);
    std::vector<std::string> out;
    for (const TextWord& word : words) out.emplace_back(text.substr(word.begin, word.end - word.begin));
    return out;
}

// What may stand between two words of one form: blanks, a line break, hyphens, points, commas, "&", "+", a slash; never a full
// stop at a sentence's end, which a blank and a long word follow.
bool joins(std::string_view gap) {
    if (gap.size() > 5) return false;
    unsigned breaks = 0, commas = 0;
    for (std::size_t at = 0; at < gap.size();) {
        const Character c = character_at(gap, at);
        if (c.code == '\n') {
            if (++breaks > 1) return false;
        } else if (c.code == ',') {
            if (++commas > 1) return false;
        } else if (!(is_space(c.code) || c.code == '\r' || is_dash(c.code) || c.code == '.' || c.code == '&' || c.code == '+' ||
                     c.code == '/' || c.code == '_' || is_invisible(c.code) || c.code == '\'')) {
            return false;
        }
        at += c.size;
    }
    return true;
}

std::string initial_of(const std::string& word) { return word.substr(0, character_at(word, 0).size); }

}  // namespace

DirectoryIndex::DirectoryIndex(const Directory& directory) {
    nodes_.emplace_back();
    for (const LexiconEntry& entry : lexicon()) {
        for (std::string_view rest = entry.words; !rest.empty();) {
            const auto end = rest.find(' ');
            const std::string_view word = rest.substr(0, end);
            if (!word.empty()) building_roles_[hash_of(folded(word))] |= static_cast<std::uint16_t>(entry.role);
            if (entry.role == Role::given && !word.empty())
                building_roles_[hash_of(folded(word) + "s")] |= static_cast<std::uint16_t>(entry.role);
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
    }
    std::uint32_t entity = 1;
    for (const Person& person : directory.people) add_person(person, entity++);
    for (const Organisation& firm : directory.organisations) add_named(firm.name, firm.aliases, Kind::organisation, entity++);
    for (const Project& project : directory.projects) add_named(project.name, project.aliases, Kind::project, entity++);
    seal();
}

void DirectoryIndex::add_person(const Person& person, std::uint32_t entity) {
    const std::vector<std::string> given = words_of(person.given), family = words_of(person.family);
    std::vector<std::string> bare = family;  // without its particles
    while (bare.size() > 1 && among(particles, folded(bare.front()))) bare.erase(bare.begin());
    const auto joined = [](std::vector<std::string> front, const std::vector<std::string>& back) {
        front.insert(front.end(), back.begin(), back.end());
        return front;
    };
    for (const auto& name : {family, bare}) {
        if (name.empty()) continue;
        const auto roles = building_roles_.find(hash_of(folded(name.back())));
        const bool common =
            name.size() == 1 && roles != building_roles_.end() && (roles->second & static_cast<std::uint16_t>(Role::common)) != 0;
        add_form(name, Kind::person, common ? Strength::ambiguous : Strength::family, entity);
        if (given.empty()) continue;
        add_form(joined(given, name), Kind::person, Strength::full, entity);
        add_form(joined(name, given), Kind::person, Strength::full, entity);
        add_form(joined({given.front()}, name), Kind::person, Strength::full, entity);
        add_form(joined(name, {given.front()}), Kind::person, Strength::full, entity);
        add_form(joined({initial_of(given.front())}, name), Kind::person, Strength::full, entity);
        add_form(joined(name, {initial_of(given.front())}), Kind::person, Strength::full, entity);
        if (given.size() > 1) {
            std::vector<std::string> initials, first_and_initials{given.front()};
            for (const std::string& word : given) initials.push_back(initial_of(word));
            for (std::size_t i = 1; i < given.size(); ++i) first_and_initials.push_back(initial_of(given[i]));
            add_form(joined(initials, name), Kind::person, Strength::full, entity);
            add_form(joined(first_and_initials, name), Kind::person, Strength::full, entity);
        }
        if (name.size() > 1) {  // double names are shortened in speech
            add_form(joined({given.front()}, {name.back()}), Kind::person, Strength::full, entity);
            add_form(joined({given.front()}, {name.front()}), Kind::person, Strength::full, entity);
        }
    }
    if (!given.empty()) {
        add_form(given, Kind::person, Strength::given, entity);
        if (given.size() > 1) add_form({given.front()}, Kind::person, Strength::given, entity);
    }
    if (!person.initials.empty())
        add_form(words_of(person.initials), Kind::person, person.initials.size() >= 3 ? Strength::exact : Strength::weak_exact, entity);
    for (const std::string& alias : person.aliases) add_form(words_of(alias), Kind::person, Strength::full, entity);
}

void DirectoryIndex::add_named(std::string_view name, const std::vector<std::string>& aliases, Kind kind, std::uint32_t entity) {
    const auto add = [&](const std::vector<std::string>& words, bool given_as_is) {
        if (words.empty()) return;
        if (words.size() == 1) {
            const std::string& word = words.front();
            const bool capitals = std::ranges::none_of(word, [](char c) { return is_lower(c); });
            const auto roles = building_roles_.find(hash_of(folded(word)));
            const bool common = roles != building_roles_.end() && roles->second != 0;
            // A short name in capitals is meant in capitals; a word of the language needs support unless it was listed as alias.
            if (capitals && word.size() <= 5) return add_form(words, kind, Strength::exact, entity);
            if (common && !given_as_is) return add_form(words, kind, Strength::ambiguous, entity);
            if (kind == Kind::project)
                for (const std::string_view ending : project_endings) add_form({word + std::string(ending)}, kind, Strength::full, entity);
        }
        add_form(words, kind, words.size() == 1 ? Strength::family : Strength::full, entity);
    };
    std::vector<std::string> words = words_of(name);
    add(words, true);
    while (words.size() > 1 && among(legal_forms, folded(words.back()))) {
        words.pop_back();
        add(words, false);
    }
    for (const std::string& alias : aliases) add(words_of(alias), true);
}

DirectoryIndex::WordId DirectoryIndex::word_id(const std::string& word, bool adjective) {
    const std::string base = folded(word);
    const auto [entry, fresh] = word_ids_.try_emplace(base, static_cast<WordId>(word_ids_.size() + 1));
    const WordId id = entry->second;
    const auto add = [&](const std::string& form, std::size_t tail) {
        auto& variants = building_[hash_of(form)];
        if (std::ranges::none_of(variants, [&](const Variant& v) { return v.word == id; }))
            variants.push_back({id, static_cast<std::uint8_t>(tail)});
    };
    const std::string plain = folded(word, Umlauts::bare);
    for (const std::string& form : {base, plain}) {
        if (form.size() < 2) {
            add(form, 0);
            continue;
        }
        for (const std::string_view ending : endings)
            if (fresh) add(form + std::string(ending), ending.size());
        if (!adjective) continue;
        // "Nordische Werft", "der Nordischen Werft".
        for (const std::string_view ending : adjective_endings) {
            if (!form.ends_with(ending) || form.size() < ending.size() + 3) continue;
            for (const std::string_view other : adjective_endings) add(form.substr(0, form.size() - ending.size()) + std::string(other), 0);
        }
    }
    return id;
}

void DirectoryIndex::add_form(const std::vector<std::string>& words, Kind kind, Strength strength, std::uint32_t entity) {
    if (words.empty() || words.size() > 10) return;
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const WordId word = word_id(words[i], kind != Kind::person && i + 1 < words.size());
        const auto [step, fresh] = steps_.try_emplace((std::uint64_t{node} << 32U) | word, static_cast<std::uint32_t>(nodes_.size()));
        if (fresh) nodes_.emplace_back();
        node = step->second;
    }
    auto& ends = nodes_[node].ends;
    const auto same = std::ranges::find_if(ends, [&](const End& end) { return end.entity == entity; });
    if (same == ends.end()) ends.push_back({kind, strength, entity});
    else if (strength < same->strength) same->strength = strength;
}

void DirectoryIndex::seal() {
    for (const auto& [hash, roles] : building_roles_) building_[hash];
    slots_.resize(std::bit_ceil(building_.size() * 2 + 16));
    mask_ = slots_.size() - 1;
    for (auto& [hash, variants] : building_) {
        std::size_t at = hash & mask_;
        while (slots_[at].hash != 0) at = (at + 1) & mask_;
        const auto roles = building_roles_.find(hash);
        slots_[at] = {hash, static_cast<std::uint32_t>(variants_.size()), static_cast<std::uint16_t>(variants.size()),
                      roles == building_roles_.end() ? std::uint16_t{0} : roles->second};
        variants_.insert(variants_.end(), variants.begin(), variants.end());
    }
    building_.clear();
    building_roles_.clear();
    word_ids_.clear();
}

void DirectoryIndex::walk(std::string_view text, std::span<const TextWord> words, std::size_t at, std::uint32_t node, std::uint8_t depth,
                          std::vector<FormMatch>& matches) const {
    if (at >= words.size() || depth >= 10) return;
    const TextWord& word = words[at];
    if (depth > 0 && !joins(text.substr(words[at - 1].end, word.begin - words[at - 1].end))) return;
    const Slot* slot = find(word.folded);
    if (slot == nullptr) return;
    for (std::size_t i = 0; i < slot->variants_count; ++i) {
        const Variant& variant = variants_[slot->variants_begin + i];
        const auto step = steps_.find((std::uint64_t{node} << 32U) | variant.word);
        if (step == steps_.end()) continue;
        std::uint8_t tail = variant.tail;
        if (tail > 0 && word.size() > tail) {  // the apostrophe of "Brinkmann's"
            if (text[word.end - tail - 1] == '\'') tail += 1;
            else if (word.size() > tail + 3U && text.substr(word.end - tail - 3, 3) == "\xe2\x80\x99") tail += 3;
        }
        for (const End& end : nodes_[step->second].ends)
            matches.push_back({end.kind, end.strength, static_cast<std::uint8_t>(depth + 1), tail, variant.tail, end.entity});
        walk(text, words, at + 1, step->second, static_cast<std::uint8_t>(depth + 1), matches);
    }
}

void DirectoryIndex::match(std::string_view text, std::span<const TextWord> words, std::size_t at, std::vector<FormMatch>& matches) const {
    matches.clear();
    const Slot* slot = find(words[at].folded);
    if (slot == nullptr || slot->variants_count == 0) return;
    walk(text, words, at, 0, 0, matches);
    std::ranges::stable_sort(
        matches, [](const FormMatch& a, const FormMatch& b) { return a.words != b.words ? a.words > b.words : a.strength < b.strength; });
}

}  // namespace hanse::privacy
