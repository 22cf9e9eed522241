// SPDX-License-Identifier: Apache-2.0
#include "directory_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "characters.hpp"
#include "nicknames.hpp"

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

constexpr std::size_t words_max = 10;  // of one form

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

// What may stand between two words of one form: blanks, a line break (with the marks of a quoted mail), hyphens, points, commas,
// "&", "+", a slash, the borders of table cells, emphasis; never a full stop at a sentence's end, which a blank and a long word
// follow.
bool joins(std::string_view gap) {
    if (gap.size() > 6) return false;
    unsigned breaks = 0, commas = 0;
    for (std::size_t at = 0; at < gap.size();) {
        const Character c = character_at(gap, at);
        if (c.code == '\n') {
            if (++breaks > 1) return false;
        } else if (c.code == ',' || c.code == ';' || c.code == '|') {
            if (++commas > 1) return false;
        } else if (c.code == '>') {
            if (breaks == 0) return false;
        } else if (!(is_space(c.code) || c.code == '\r' || is_dash(c.code) || is_invisible(c.code) ||
                     (c.code < 0x80 && ".&+/_*'\""sv.contains(static_cast<char>(c.code))))) {
            return false;
        }
        at += c.size;
    }
    return true;
}

// A word that was broken at the end of its line: "Brink-" and "mann".
bool parted(std::string_view text, std::span<const TextWord> words, std::size_t at) {
    if (at + 1 >= words.size() || words[at + 1].capital) return false;
    std::string_view gap = text.substr(words[at].end, words[at + 1].begin - words[at].end);
    if (gap.size() < 2 || gap.size() > 8 || !gap.starts_with('-')) return false;
    gap.remove_prefix(1);
    if (gap.starts_with('\r')) gap.remove_prefix(1);
    return gap.starts_with('\n') && gap.find_first_not_of("\n >\t") == std::string_view::npos && gap.rfind('\n') == 0;
}

// A word's letters as keyboards without them have it: each "ü" as "ue" or "u", "ø" also as "oe", "å" as "aa".
std::vector<std::string> foldings(std::string_view word) {
    std::vector<std::string> all{std::string()};
    for (std::size_t at = 0; at < word.size() && all.size() <= 16;) {
        const Character c = character_at(word, at);
        const std::string_view letter = word.substr(at, c.size);
        const auto before = all;
        all.clear();
        std::vector<std::string> ways{folded(letter), folded(letter, Umlauts::bare)};
        if (c.code == 0xf8 || c.code == 0xd8) ways.emplace_back("oe");
        if (c.code == 0xe5 || c.code == 0xc5) ways.emplace_back("aa");
        for (const std::string& way : ways)
            for (const std::string& begin : before)
                if (!std::ranges::contains(all, begin + way)) all.push_back(begin + way);
        at += c.size;
    }
    // Marks that follow their letter are read with it.
    for (const auto& whole : {folded(word), folded(word, Umlauts::bare)})
        if (!std::ranges::contains(all, whole)) all.push_back(whole);
    return all;
}

// "Salt & Tide" is also "Salt and Tide", "Bernstein 2" is also "Bernstein II".
std::vector<std::string> ways_of_writing(std::string_view name) {
    std::vector<std::string> all{std::string(name)};
    const auto also = [&](std::string_view part, std::string_view other) {
        for (std::size_t i = all.size(); i-- > 0;)
            if (const auto at = all[i].find(part); at != std::string::npos) {
                std::string changed = all[i];
                all.push_back(changed.replace(at, part.size(), other));
            }
    };
    for (const std::string_view sign : {" & "sv, " + "sv, " und "sv, " and "sv})
        for (const std::string_view other : {" & "sv, " und "sv, " and "sv})
            if (name.contains(sign) && sign != other) also(sign, other);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> numbers{{{" 1", " I"},
                                                                                    {" 2", " II"},
                                                                                    {" 3", " III"},
                                                                                    {" 4", " IV"},
                                                                                    {" 5", " V"},
                                                                                    {" 6", " VI"},
                                                                                    {" 7", " VII"},
                                                                                    {" 8", " VIII"},
                                                                                    {" 9", " IX"}}};
    for (const auto& [digit, roman] : numbers) {
        if (name.ends_with(digit)) all.push_back(std::string(name.substr(0, name.size() - digit.size())).append(roman));
        if (name.ends_with(roman)) all.push_back(std::string(name.substr(0, name.size() - roman.size())).append(digit));
    }
    return all;
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

// A first name with a family name, in the orders and abbreviations in which they are written.
void DirectoryIndex::add_given(const std::vector<std::string>& given, const std::vector<std::string>& family, std::uint32_t entity) {
    const auto add = [&](std::vector<std::string> first) {
        std::vector<std::string> turned = family;
        turned.insert(turned.end(), first.begin(), first.end());
        first.insert(first.end(), family.begin(), family.end());
        add_form(first, Kind::person, Strength::full, entity);
        add_form(turned, Kind::person, Strength::full, entity);
    };
    add(given);
    add({given.front()});
    add({initial_of(given.front())});
    if (given.size() < 2) return;
    std::vector<std::string> initials, first_and_initials{given.front()};
    std::string whole, letters;
    for (const std::string& word : given) {
        initials.push_back(initial_of(word));
        whole += word;  // "Annalena" for Anna-Lena
        letters += initial_of(word);
    }
    for (std::size_t i = 1; i < given.size(); ++i) first_and_initials.push_back(initial_of(given[i]));
    add(initials);
    add(first_and_initials);
    add({whole});
    add({letters});
    add({given.back()});  // who is called by the second name
    add_form({whole}, Kind::person, Strength::given, entity);
}

void DirectoryIndex::add_person(const Person& person, std::uint32_t entity) {
    const std::vector<std::string> given = words_of(person.given), family = words_of(person.family);
    std::vector<std::string> bare = family;  // without its particles
    while (bare.size() > 1 && among(particles, folded(bare.front()))) bare.erase(bare.begin());
    std::vector<std::vector<std::string>> families{family};
    if (bare != family) {
        families.push_back(bare);
        std::vector<std::string> abbreviated = family;  // "v. d. Heide", "vd Heide"
        std::string letters, whole;
        for (std::size_t i = 0; i + bare.size() < family.size(); ++i) letters += abbreviated[i] = initial_of(family[i]);
        for (const std::string& word : family) whole += word;  // "Vonderheide", "DeVries"
        families.push_back(abbreviated);
        if (letters.size() > 1) {
            families.push_back(bare);
            families.back().insert(families.back().begin(), letters);
        }
        families.push_back({whole});
    }
    std::vector<std::string> short_names;
    if (!given.empty())
        for (const std::string_view nickname : nicknames_of(folded(given.front()))) short_names.emplace_back(nickname);
    for (const auto& name : families) {
        if (name.empty()) continue;
        const auto roles = building_roles_.find(hash_of(folded(name.back())));
        const bool common =
            name.size() == 1 && roles != building_roles_.end() && (roles->second & static_cast<std::uint16_t>(Role::common)) != 0;
        add_form(name, Kind::person, common ? Strength::ambiguous : Strength::family, entity);
        if (given.empty()) continue;
        add_given(given, name, entity);
        for (const std::string& nickname : short_names) add_given({nickname}, name, entity);
    }
    // Double names are shortened in speech.
    if (bare.size() > 1)
        for (const std::string& half : {bare.front(), bare.back()}) {
            if (half.size() < 3 || among(particles, folded(half))) continue;
            add_form({half}, Kind::person, Strength::part, entity);
            if (!given.empty()) add_given(given, {half}, entity);
        }
    if (!given.empty()) {
        add_form(given, Kind::person, Strength::given, entity);
        if (given.size() > 1) add_form({given.front()}, Kind::person, Strength::given, entity);
        for (const std::string& nickname : short_names)
            if (nickname.size() >= 3) add_form({nickname}, Kind::person, Strength::given, entity);
    }
    if (!person.initials.empty()) {
        const auto strength = person.initials.size() >= 3 ? Strength::exact : Strength::weak_exact;
        const std::vector<std::string> together = words_of(person.initials);
        add_form(together, Kind::person, strength, entity);
        if (together.size() == 1) {  // "A. L. B."
            std::vector<std::string> apart;
            for (std::size_t at = 0; at < together[0].size(); at += character_at(together[0], at).size)
                apart.push_back(together[0].substr(at, character_at(together[0], at).size));
            if (apart.size() > 1) add_form(apart, Kind::person, strength, entity);
        }
    }
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
    for (const std::string& written : ways_of_writing(name)) {
        std::vector<std::string> words = words_of(written);
        add(words, true);
        while (words.size() > 1 && among(legal_forms, folded(words.back()))) {
            words.pop_back();
            add(words, false);
        }
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
    for (const std::string& form : foldings(word)) {
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
    if (words.empty() || words.size() > words_max) return;
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

// One word of a form, which ends with the word `last` of the text: itself, or the second half of one that a line's end parted.
void DirectoryIndex::step(std::string_view text, std::span<const TextWord> words, std::size_t start, std::size_t last, std::uint64_t folded,
                          std::uint32_t node, std::vector<FormMatch>& matches) const {
    const Slot* slot = find(folded);
    if (slot == nullptr) return;
    const TextWord& word = words[last];
    for (std::size_t i = 0; i < slot->variants_count; ++i) {
        const Variant& variant = variants_[slot->variants_begin + i];
        const auto next = steps_.find((std::uint64_t{node} << 32U) | variant.word);
        if (next == steps_.end()) continue;
        std::uint8_t tail = variant.tail;
        if (tail > 0 && word.size() > tail) {  // the apostrophe of "Brinkmann's"
            if (text[word.end - tail - 1] == '\'') tail += 1;
            else if (word.size() > tail + 3U && text.substr(word.end - tail - 3, 3) == "\xe2\x80\x99") tail += 3;
        }
        for (const End& end : nodes_[next->second].ends)
            matches.push_back({end.kind, end.strength, static_cast<std::uint8_t>(last - start + 1), tail, variant.tail, end.entity});
        walk(text, words, start, last + 1, next->second, matches);
    }
}

void DirectoryIndex::walk(std::string_view text, std::span<const TextWord> words, std::size_t start, std::size_t at, std::uint32_t node,
                          std::vector<FormMatch>& matches) const {
    if (at >= words.size() || at - start >= words_max) return;
    const TextWord& word = words[at];
    if (at > start && !joins(text.substr(words[at - 1].end, word.begin - words[at - 1].end))) return;
    step(text, words, start, at, word.folded, node, matches);
    if (!parted(text, words, at)) return;
    const TextWord& rest = words[at + 1];
    step(text, words, start, at + 1, hash_on(word.folded, folded(text.substr(rest.begin, rest.size()))), node, matches);
}

void DirectoryIndex::match(std::string_view text, std::span<const TextWord> words, std::size_t at, std::vector<FormMatch>& matches) const {
    matches.clear();
    const Slot* slot = find(words[at].folded);
    if ((slot == nullptr || slot->variants_count == 0) && !parted(text, words, at)) return;
    walk(text, words, at, at, 0, matches);
    std::ranges::stable_sort(
        matches, [](const FormMatch& a, const FormMatch& b) { return a.words != b.words ? a.words > b.words : a.strength < b.strength; });
}

}  // namespace hanse::privacy
