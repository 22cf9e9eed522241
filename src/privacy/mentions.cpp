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
        case Strength::ambiguous: {
            const bool support = supported(text, words, at, at + match.words, index);
            if (support) return 0.95F;
            if (first.capital && match.tail > match.ending) return 0.7F;  // no common word takes an apostrophe
            if (!first.capital || match.ending > 1 || common_use(text, words, at, index)) return 0.2F;
            const bool begins = at == 0 || ends_sentence(text.substr(words[at - 1].end, first.begin - words[at - 1].end));
            return begins ? 0.45F : 0.55F;
        }
        case Strength::given:
            if (!first.capital || match.ending > 2) return 0.2F;
            if (has(index.roles(first), Role::common) && !supported(text, words, at, at + match.words, index)) return 0.3F;
            return 0.7F;
        case Strength::exact: return first.capitals && last.capitals && match.tail == 0 ? 0.8F : 0.0F;
        case Strength::weak_exact:
            if (!first.capitals || !last.capitals || match.tail != 0) return 0;
            return signs(text, first, last) ? 0.8F : stands_alone(text, first, last) ? 0.6F : 0.0F;
    }
    return 0;
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
        const bool lexical = best->strength == Strength::ambiguous || best->strength == Strength::given;
        if (score >= 0.9F && best->strength != Strength::given) known.insert(best->entity);
        if (lexical && score < 0.7F && words[at].capital && !common_use(reading.text, words, at, index))
            doubtful.push_back(mentions.size());
        mentions.push_back(
            {best->kind, Ground::directory, best->tail, words[at].begin, words[at + best->words - 1].end, score, best->entity});
        if (score >= 0.5F) at += best->words - 1U;
    }
    for (const std::size_t i : doubtful)
        if (known.contains(mentions[i].entity)) mentions[i].score = 0.85F;
    std::erase_if(mentions, [](const Finding& mention) { return mention.score < 0.5F; });
    merge_neighbours(reading.text, mentions);
    reading.found.insert(reading.found.end(), mentions.begin(), mentions.end());
}

}  // namespace hanse::privacy
