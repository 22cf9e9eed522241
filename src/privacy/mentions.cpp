// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <unordered_set>

#include "names.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

constexpr bool has(std::uint16_t roles, Role role) { return (roles & static_cast<std::uint16_t>(role)) != 0; }

bool ends_sentence(std::string_view gap) { return gap.find_first_of(".!?:\n") != std::string_view::npos; }

// A word before the place speaks for a person: salutation, title, first name, initial, "Kollege".
bool supported(std::string_view text, std::span<const TextWord> words, std::size_t at, std::size_t behind, const DirectoryIndex& index) {
    for (std::size_t back = 1; back <= 2 && back <= at; ++back) {
        const TextWord& word = words[at - back];
        const std::uint16_t roles = index.roles(word);
        const std::string_view gap = text.substr(word.end, words[at - back + 1].begin - word.end);
        if (back == 1 && has(roles, Role::closing) && gap.contains('\n') && gap.size() <= 4) return true;
        if (gap.size() > 3 || gap.contains('\n')) return false;
        // "Zuständig: Koch", alone in its field.
        const char after = behind > 0 && words[behind - 1].end < text.size() ? text[words[behind - 1].end] : '\n';
        if (back == 1 && gap == ": " && std::string_view("\n,;.").contains(after)) return true;
        if (has(roles, Role::salutation) || has(roles, Role::title) || has(roles, Role::colleague)) return true;
        if (has(roles, Role::greeting) && word.capital) return true;
        if (back == 1 && word.capital && (has(roles, Role::given) || (word.letters == 1 && gap.starts_with('.')))) return true;
        if (has(roles, Role::label) && gap.contains(':')) return true;
    }
    // "Koch, Peter", and a closing line that holds nothing else.
    if (behind < words.size()) {
        const std::string_view gap = text.substr(words[behind - 1].end, words[behind].begin - words[behind - 1].end);
        if (gap == ", " && has(index.roles(words[behind]), Role::given)) return true;
    }
    return false;
}

// "Koch: ja, gern" and "[09:12] Koch: …": nothing but marks and figures stands before it on its line, and a colon behind. What
// figures follow is more likely the value of a thing.
bool speaks(std::string_view text, const TextWord& first, const TextWord& last) {
    if (text.substr(last.end, 1) != ":") return false;
    const auto behind = text.find_first_not_of(" \t", last.end + 1U);
    if (behind == std::string_view::npos || text[behind] == '\n' || is_digit(text[behind])) return false;
    constexpr std::size_t marks_max = 32;
    for (std::size_t at = first.begin, seen = 0; at > 0 && text[at - 1] != '\n'; --at)
        if (const char c = text[at - 1]; ++seen > marks_max || !(is_digit(c) || std::string_view("[](){}<>|:.,-+/*_# \tTZ").contains(c)))
            return false;
    return true;
}

// What only people do, and what things do as well; third person singular, as it stands right behind a name.
constexpr std::array deeds{
    "sagt"sv,         "sagte"sv,    "meint"sv,    "meinte"sv,      "fragt"sv,     "fragte"sv,        "bittet"sv,       "bat"sv,
    "schreibt"sv,     "schrieb"sv,  "ruft"sv,     "rief"sv,        "antwortet"sv, "antwortete"sv,    "berichtet"sv,    "berichtete"sv,
    "widerspricht"sv, "erklärt"sv,  "erklärte"sv, "übernimmt"sv,   "übernahm"sv,  "kümmert"sv,       "möchte"sv,       "wünscht"sv,
    "glaubt"sv,       "weiß"sv,     "wusste"sv,   "telefoniert"sv, "prüft"sv,     "unterschreibt"sv, "unterschrieb"sv, "entscheidet"sv,
    "stimmt"sv,       "lehnt"sv,    "schlägt"sv,  "verspricht"sv,  "beantragt"sv, "vertritt"sv,      "leitet"sv,       "lacht"sv,
    "nickt"sv,        "says"sv,     "said"sv,     "asks"sv,        "asked"sv,     "thinks"sv,        "thought"sv,      "wants"sv,
    "wanted"sv,       "writes"sv,   "wrote"sv,    "replied"sv,     "replies"sv,   "agreed"sv,        "agrees"sv,       "told"sv,
    "knows"sv,        "knew"sv,     "reports"sv,  "reported"sv,    "signed"sv,    "called"sv,        "rang"sv,         "promised"sv,
    "refused"sv,      "explained"sv};
constexpr std::array doings{"hat"sv,    "hatte"sv, "ist"sv,    "war"sv,   "wird"sv,  "will"sv, "wollte"sv, "kann"sv, "konnte"sv, "soll"sv,
                            "sollte"sv, "muss"sv,  "musste"sv, "darf"sv,  "kommt"sv, "kam"sv,  "geht"sv,   "ging"sv, "fehlt"sv,  "bleibt"sv,
                            "macht"sv,  "gibt"sv,  "nimmt"sv,  "legte"sv, "has"sv,   "had"sv,  "is"sv,     "was"sv,  "can"sv,    "could"sv,
                            "should"sv, "must"sv,  "goes"sv,   "went"sv,  "comes"sv, "came"sv, "left"sv};

// "Koch sagt", at a sentence's beginning, where a thing of that name would have an article. Stuff ("Stahl ist teuer") has none
// either, and English nouns often have none, so for what things do the word must be one that takes an article in German.
bool acts(std::string_view text, std::span<const TextWord> words, std::size_t behind) {
    if (behind >= words.size() || text.substr(words[behind - 1].end, words[behind].begin - words[behind - 1].end) != " ") return false;
    const std::string_view verb = text.substr(words[behind].begin, words[behind].size());
    if (std::ranges::find(deeds, verb) != deeds.end()) return true;
    constexpr std::array stuff{
        "stahl"sv,    "eisen"sv,   "gold"sv,   "silber"sv,  "kupfer"sv,  "zinn"sv,   "blei"sv,   "glas"sv,   "sand"sv,  "kies"sv,
        "holz"sv,     "salz"sv,    "zucker"sv, "pfeffer"sv, "weizen"sv,  "roggen"sv, "hafer"sv,  "gerste"sv, "korn"sv,  "kohl"sv,
        "kraut"sv,    "regen"sv,   "schnee"sv, "nebel"sv,   "wind"sv,    "eis"sv,    "frost"sv,  "rauch"sv,  "staub"sv, "asche"sv,
        "blut"sv,     "post"sv,    "glück"sv,  "sonntag"sv, "freitag"sv, "montag"sv, "mai"sv,    "märz"sv,   "land"sv,  "gold"sv,
        "snow"sv,     "rain"sv,    "frost"sv,  "grace"sv,   "hope"sv,    "faith"sv,  "joy"sv,    "art"sv,    "cash"sv,  "law"sv,
        "may"sv,      "june"sv,    "august"sv, "april"sv,   "summer"sv,  "winter"sv, "north"sv,  "south"sv,  "east"sv,  "west"sv,
        "patience"sv, "harmony"sv, "melody"sv, "crystal"sv, "amber"sv,   "ivy"sv,    "stone"sv,  "wood"sv,   "page"sv,  "church"sv,
        "black"sv,    "white"sv,   "green"sv,  "brown"sv,   "grey"sv,    "gray"sv,   "good"sv,   "strong"sv, "young"sv, "old"sv,
        "long"sv,     "short"sv,   "small"sv,  "little"sv,  "wise"sv,    "sharp"sv,  "bright"sv, "noble"sv,  "rich"sv,  "best"sv,
        "back"sv,     "will"sv,    "bill"sv,   "mark"sv,    "chase"sv,   "grant"sv,  "price"sv,  "case"sv,   "jobs"sv,  "banks"sv,
        "waters"sv,   "rivers"sv,  "fields"sv, "woods"sv,   "burns"sv,   "rush"sv};
    const TextWord& name = words[behind - 1];
    std::string small;
    for (const char c : text.substr(name.begin, name.size())) small += lower(c);
    return std::ranges::find(stuff, std::string_view(small)) == stuff.end() && std::ranges::find(doings, verb) != doings.end();
}

bool common_use(std::string_view text, std::span<const TextWord> words, std::size_t at, const DirectoryIndex& index) {
    if (at == 0) return false;
    const TextWord& before = words[at - 1];
    if (before.end + 1 != words[at].begin) return false;
    (void)text;
    return has(index.roles(before), Role::article) && !before.capitals;
}

// Where somebody signs or is named by letters: "gez. ALB", "(ALB)", "/ALB", "i. A. ALB".
bool signs(std::string_view text, const TextWord& first, const TextWord& last) {
    const char before = first.begin > 0 ? text[first.begin - 1] : ' ', after = last.end < text.size() ? text[last.end] : ' ';
    if ((before == '(' && after == ')') || before == '/' || (before == '[' && after == ']')) return true;
    const std::string_view front = text.substr(first.begin > 12 ? first.begin - 12 : 0, first.begin > 12 ? 12 : first.begin);
    for (const std::string_view sign : {"gez. ", "i. A. ", "i.A. ", "i. V. ", "i.V. ", "Kürzel ", "Kürzel: ", "Zeichen: ", "Zeichen ",
                                        "signed ", "initials ", "ppa. ", "Bearb. ", "Bearb.: "})
        if (front.ends_with(sign)) return true;
    return false;
}

// Two capitals that mean nothing else to everybody, as a word of a sentence.
bool stands_alone(std::string_view text, const TextWord& first, const TextWord& last) {
    constexpr std::array taken{"OK"sv, "PR"sv, "CO"sv, "AW"sv, "WG"sv, "RE"sv, "IT"sv, "EU"sv, "US"sv, "UK"sv, "UN"sv, "TV"sv, "PC"sv,
                               "KI"sv, "AI"sv, "ID"sv, "IP"sv, "AG"sv, "KG"sv, "SE"sv, "EG"sv, "MA"sv, "BA"sv, "CD"sv, "CV"sv, "DE"sv,
                               "EN"sv, "FR"sv, "GB"sv, "AT"sv, "CH"sv, "HR"sv, "QS"sv, "QM"sv, "BR"sv, "VS"sv, "NR"sv, "KW"sv, "MW"sv,
                               "PS"sv, "HP"sv, "GB"sv, "MB"sv, "KB"sv, "TB"sv, "CI"sv, "CD"sv, "UI"sv, "UX"sv, "VR"sv, "AR"sv, "DB"sv};
    const std::string_view word = text.substr(first.begin, last.end - first.begin);
    if (std::ranges::find(taken, word) != taken.end()) return false;
    const auto open = [](char c) { return is_space(c) || c == ',' || c == ';'; };
    const char before = first.begin > 0 ? text[first.begin - 1] : ' ', after = last.end < text.size() ? text[last.end] : ' ';
    // Not the letters of a number: "HB AB 123", "KW 12".
    const bool number = last.end + 1 < text.size() && is_digit(text[last.end + 1]);
    return open(before) && (open(after) || after == '.') && !number;
}

float score_of(std::string_view text, std::span<const TextWord> words, std::size_t at, const FormMatch& match,
               const DirectoryIndex& index) {
    const TextWord& first = words[at];
    const TextWord& last = words[at + match.words - 1];
    const bool lone_small = !first.capital && match.words == 1;
    switch (match.strength) {
        case Strength::full:
            // An initial must be a capital; a whole name may be written small, as in chats.
            if (match.words >= 2 && first.letters == 1 && !first.capital) return 0;
            if (match.words >= 2 && last.letters == 1 && !last.capital && !is_digit(text[last.begin])) return 0;
            return lone_small && first.letters < 4 ? 0.3F : 0.97F;
        case Strength::family:
            // "S. Lind" of "Linde" is no one; short stems with an ending are weak.
            if (lone_small) return first.letters >= 5 && match.ending <= 1 ? 0.75F : 0.3F;
            if (last.letters <= 3U + match.ending && match.ending > 1) return 0.3F;
            return match.ending > 2 ? 0.7F : 0.9F;
        case Strength::part:
        case Strength::ambiguous: {
            if (supported(text, words, at, at + match.words, index)) return 0.95F;
            if (first.capital && match.ending == 0 && speaks(text, first, last)) return 0.8F;
            if (match.strength == Strength::part)
                return first.capital && match.ending <= 1 && !common_use(text, words, at, index) ? 0.45F : 0.2F;
            if (first.capital && match.tail > match.ending) return 0.7F;  // no common word takes an apostrophe
            if (!first.capital || match.ending > 1 || common_use(text, words, at, index)) return 0.2F;
            const bool begins = at == 0 || ends_sentence(text.substr(words[at - 1].end, first.begin - words[at - 1].end));
            if (!begins) return 0.55F;
            return match.ending == 0 && acts(text, words, at + match.words) ? 0.7F : 0.45F;
        }
        case Strength::given:
            // Written small, as in chats: names that are no words.
            if (lone_small) return first.letters >= 5 && match.ending <= 1 && !has(index.roles(first), Role::common) ? 0.55F : 0.2F;
            if (!first.capital || match.ending > 2) return 0.2F;
            if (match.ending == 0 && speaks(text, first, last)) return 0.8F;
            if (has(index.roles(first), Role::common) && !supported(text, words, at, at + match.words, index)) return 0.3F;
            return 0.7F;
        case Strength::exact: return first.capitals && last.capitals && match.tail == 0 ? 0.8F : 0.0F;
        case Strength::weak_exact:
            if (!first.capitals || !last.capitals || match.tail != 0) return 0;
            return signs(text, first, last) ? 0.8F : stands_alone(text, first, last) ? 0.6F : 0.0F;
    }
    return 0;
}

// Persons named in a row: "Brinkmann, Koch und Harms".
bool in_a_row(std::string_view text, const Finding& before, const Finding& next) {
    if (next.begin < before.end || next.begin - before.end > 8) return false;
    constexpr std::array between{", "sv,      "; "sv,     "/"sv,    " / "sv, " & "sv, " + "sv,  " und "sv, " and "sv,  " u. "sv,
                                 " sowie "sv, " oder "sv, " or "sv, ","sv,   ";"sv,   "\n- "sv, "\n* "sv,  ", und "sv, ", and "sv};
    return std::ranges::find(between, text.substr(before.end, next.begin - before.end)) != between.end();
}

bool beside_a_person(std::string_view text, std::span<const Finding> mentions, std::size_t at) {
    const auto sure = [](const Finding& other) { return other.kind == Kind::person && other.score >= 0.85F; };
    return (at > 0 && sure(mentions[at - 1]) && in_a_row(text, mentions[at - 1], mentions[at])) ||
           (at + 1 < mentions.size() && sure(mentions[at + 1]) && in_a_row(text, mentions[at], mentions[at + 1]));
}

// "Katharina M. Brinkmann" was found as two mentions of one person: one mention, and nothing of the middle stays behind.
void merge_neighbours(std::string_view text, std::vector<Finding>& mentions) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < mentions.size(); ++i) {
        Finding& last = mentions[kept];
        const Finding& next = mentions[i];
        const std::string_view gap =
            next.begin >= last.end ? text.substr(last.end, next.begin - last.end) : std::string_view("\n\n\n\n\n\n");
        const bool middle =
            gap.size() <= 5 && !gap.contains('\n') && gap.find_first_of(",;:!?/(<[") == std::string_view::npos && !gap.starts_with(". ");
        if (last.kind == Kind::person && last.entity == next.entity && last.kind == next.kind && middle) {
            last.end = next.end;
            last.tail = next.tail;
            last.score = 0.97F;
        } else {
            mentions[++kept] = next;
        }
    }
    if (!mentions.empty()) mentions.resize(kept + 1);
}

}  // namespace

void find_mentions(Reading& reading, std::span<const TextWord> words, const DirectoryIndex& index) {
    std::vector<FormMatch> matches;
    std::vector<Finding> mentions;
    std::vector<std::size_t> doubtful;  // indices into `mentions`
    std::unordered_set<std::uint32_t> known;
    for (std::size_t at = 0; at < words.size(); ++at) {
        index.match(reading.text, words, at, matches);
        const FormMatch* best = nullptr;
        float score = 0;
        for (const FormMatch& match : matches) {
            const float found = score_of(reading.text, words, at, match, index);
            // Of two of one length the surer; a longer one wins once it is believed at all.
            if (found >= 0.2F && (best == nullptr || (match.words == best->words && found > score) || (score < 0.5F && found >= 0.5F))) {
                best = &match;
                score = found;
            }
        }
        if (best == nullptr) continue;
        const bool lexical = best->strength == Strength::ambiguous || best->strength == Strength::given || best->strength == Strength::part;
        if (score >= 0.9F && best->strength != Strength::given) known.insert(best->entity);
        if (lexical && score < 0.7F && words[at].capital && !common_use(reading.text, words, at, index))
            doubtful.push_back(mentions.size());
        mentions.push_back(
            {best->kind, Ground::directory, best->tail, words[at].begin, words[at + best->words - 1].end, score, best->entity});
        if (score >= 0.5F) at += best->words - 1U;
    }
    for (const std::size_t i : doubtful)
        if (known.contains(mentions[i].entity) || (mentions[i].score >= 0.3F && beside_a_person(reading.text, mentions, i)))
            mentions[i].score = 0.85F;
    std::erase_if(mentions, [](const Finding& mention) { return mention.score < 0.5F; });
    merge_neighbours(reading.text, mentions);
    reading.found.insert(reading.found.end(), mentions.begin(), mentions.end());
}

}  // namespace hanse::privacy
