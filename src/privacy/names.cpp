// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "towns.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

constexpr bool has(std::uint16_t roles, Role role) { return (roles & static_cast<std::uint16_t>(role)) != 0; }

// Endings by which German nouns give themselves away.
constexpr std::array noun_endings{"ung"sv,   "ungen"sv, "heit"sv, "keit"sv, "tion"sv, "tionen"sv, "schaft"sv,   "nis"sv,    "tät"sv,
                                  "ismus"sv, "ment"sv,  "enz"sv,  "anz"sv,  "ität"sv, "ling"sv,   "rechnung"sv, "termin"sv, "vertrag"sv};

class Grammar {
public:
    Grammar(Reading& reading, std::span<const TextWord> words, const DirectoryIndex& index)
        : reading_(reading),
          text_(reading.text),
          words_(words),
          index_(index) {
        for (const Finding& mention : reading.found)
            if (mention.ground == Ground::directory && mention.kind == Kind::person && mention.score > 0.7F)
                for (auto word = std::ranges::lower_bound(words, mention.begin, {}, &TextWord::begin);
                     word != words.end() && word->begin < mention.end; ++word)
                    known_.insert(word->begin);
    }

    void run() {
        for (std::size_t at = 0; at < words_.size(); ++at) {
            const std::uint16_t roles = index_.roles(words_[at]);
            if (roles == 0) continue;
            if (has(roles, Role::salutation) && words_[at].capital) after_salutation(at);
            if (has(roles, Role::title) && words_[at].capital) after_title(at);
            if (has(roles, Role::greeting) && words_[at].capital) after_greeting(at);
            if (has(roles, Role::closing)) after_closing(at);
            if (has(roles, Role::label)) after_label(at);
            if (has(roles, Role::given) && words_[at].capital) from_given(at);
        }
        again();
    }

private:
    std::string_view gap(std::size_t before) const {
        return before + 1 < words_.size() ? text_.substr(words_[before].end, words_[before + 1].begin - words_[before].end) : "\n\n"sv;
    }
    std::string_view surface(std::size_t at) const { return text_.substr(words_[at].begin, words_[at].size()); }

    // Could be a part of a name: a capital, more than one letter, no word that never is one.
    bool name_word(std::size_t at, bool after_given = false) const {
        if (at >= words_.size()) return false;
        const TextWord& word = words_[at];
        if (!word.capital || word.letters < 2 || is_digit(text_[word.begin]) || is_digit(text_[word.end - 1])) return false;
        const std::uint16_t roles = index_.roles(word);
        if (has(roles, Role::no_name) && !has(roles, Role::common)) return false;
        if (has(roles, Role::no_name) && !after_given) return has(roles, Role::given);
        return true;
    }
    bool noun_like(std::size_t at) const {
        const std::string_view word = surface(at);
        return std::ranges::any_of(noun_endings,
                                   [&](std::string_view ending) { return word.size() > ending.size() + 2 && word.ends_with(ending); });
    }
    bool blank(std::size_t before) const { return gap(before) == " " || gap(before) == "\xc2\xa0"; }
    bool hyphen(std::size_t before) const { return gap(before) == "-" || gap(before) == "\xe2\x80\x90" || gap(before) == "\xe2\x80\x91"; }
    bool initial(std::size_t at) const {
        return at < words_.size() && words_[at].capital && words_[at].letters == 1 && gap(at).starts_with('.');
    }

    // A name from `at` on: first names, initials, particles, a family name. Returns the index behind it, `at` if none.
    // `sure` is true when something before it says that a person is meant.
    std::size_t name_end(std::size_t at, bool sure) const {
        std::size_t next = at;
        bool family = false, given = false;
        for (unsigned parts = 0; parts < 6 && next < words_.size(); ++parts) {
            const TextWord& word = words_[next];
            if (next > at &&
                !(blank(next - 1) || hyphen(next - 1) || gap(next - 1) == ". " || gap(next - 1) == "." || gap(next - 1) == ".-"))
                break;
            if (next > at && gap(next - 1).starts_with('.') && words_[next - 1].letters > 1) break;
            if (initial(next)) {
                if (family) break;
                ++next;
                continue;
            }
            const std::uint16_t roles = index_.roles(word);
            const bool first_name = has(roles, Role::given);
            if (!word.capital && has(roles, Role::particle) && !family) {
                std::size_t behind = next + 1;
                while (behind < words_.size() && blank(behind - 1) && !words_[behind].capital &&
                       has(index_.roles(words_[behind]), Role::particle))
                    ++behind;
                const bool of_nobility = sure || given;
                if (!of_nobility || !name_word(behind, true) || !blank(next)) break;
                // "Anna von der Personalabteilung" is no nobility.
                if (noun_like(behind)) break;
                next = behind + 1;
                family = true;
                continue;
            }
            if (!name_word(next, given || sure)) break;
            const bool joined = next > at && hyphen(next - 1);
            if (joined) {
                ++next;
                continue;
            }
            if (family) {
                // A second family name only where the line or clause ends behind it.
                const std::string_view behind = gap(next);
                const bool closes = behind.empty() || std::string_view(",.;:)\n!?").contains(behind.front());
                if (!sure || given || !closes || noun_like(next) || !name_word(next)) break;
                ++next;
                break;
            }
            if (next > at && noun_like(next) && !sure) break;
            ++next;
            if (first_name && !family && (parts < 3) && !(given && has(roles, Role::common))) {
                given = true;
                // A first name is the family name if nothing follows that could be one.
                continue;
            }
            family = true;
        }
        // What ends in an initial or a particle ends before it.
        while (next > at && (words_[next - 1].letters == 1 || !words_[next - 1].capital)) --next;
        return next;
    }

    void add(std::size_t from, std::size_t to, float score) {
        // The directory knows better where the name of one of its people ends.
        if (known_.contains(words_[from].begin)) return;
        const TextWord& last = words_[to - 1];
        std::uint8_t tail = 0;
        // "Herrn Kowalskis": not told from a name that ends in s, so the whole word goes.
        if (last.size() > 2 && text_[last.end - 1] == 's' && text_[last.end - 2] == '\'') tail = 2;
        reading_.add(Kind::name, Ground::grammar, words_[from].begin, last.end, score,
                     static_cast<std::uint32_t>(last.folded) | 0x80000000U, tail);
        if (score >= 0.8F && to - from <= 4 && !has(index_.roles(last), Role::given) && last.letters >= 3) families_.insert(last.folded);
    }

    std::size_t skip_titles(std::size_t at) const {
        while (at < words_.size()) {
            const std::uint16_t roles = index_.roles(words_[at]);
            const std::string_view behind = gap(at);
            if (!has(roles, Role::title) || behind.contains('\n') || behind.size() > 3) break;
            ++at;
        }
        return at;
    }

    void after_salutation(std::size_t at) {
        const std::string_view behind = gap(at);
        if (behind != " " && behind != ". " && behind != "\xc2\xa0" && behind != ".\xc2\xa0" && behind != "\n" && behind != " \n") return;
        const std::size_t from = skip_titles(at + 1);
        // "Herr der Lage", "Frau Holle" is taken, since nobody can tell.
        const std::size_t to = name_end(from, true);
        if (to > from) add(from, to, 0.9F);
    }

    void after_title(std::size_t at) {
        if (at > 0 && has(index_.roles(words_[at - 1]), Role::title)) return;
        const std::size_t from = skip_titles(at);
        if (from == at || from >= words_.size()) return;
        const std::string_view last_gap = gap(from - 1);
        const bool abbreviated = last_gap.starts_with('.');
        const std::size_t to = name_end(from, true);
        if (to == from) return;
        // "Direktor Vertrieb": without a point a first name or two words are asked for.
        const bool given = has(index_.roles(words_[from]), Role::given);
        if (abbreviated || given || (to - from >= 2 && !noun_like(to - 1))) add(from, to, abbreviated ? 0.88F : 0.8F);
        else if (!noun_like(from) && blank(from - 1)) add(from, to, 0.6F);
    }

    void after_greeting(std::size_t at) {
        if (!blank(at)) return;
        const std::uint16_t next = at + 1 < words_.size() ? index_.roles(words_[at + 1]) : std::uint16_t{0};
        if (has(next, Role::salutation) || has(next, Role::title) || !name_word(at + 1)) return;
        const std::size_t to = name_end(at + 1, true);
        if (to == at + 1) return;
        const std::string_view behind = gap(to - 1);
        const bool addressed = behind.starts_with(',') || behind.starts_with('!') || behind.starts_with('\n') || behind.starts_with(" -") ||
                               behind.starts_with(" \xe2\x80\x93");
        const bool plural =
            to - at == 2 && !has(next, Role::given) && (surface(at + 1).ends_with("en") || surface(at + 1).ends_with("innen"));
        if (addressed && !plural) add(at + 1, to, has(next, Role::given) ? 0.85F : 0.7F);
        else if (has(next, Role::given)) add(at + 1, to, 0.7F);
    }

    void after_closing(std::size_t at) {
        const std::string_view behind = gap(at);
        const bool line = behind.contains('\n') && behind.size() <= 6;
        const bool same_line = (surface(at) == "gez" && behind == ". ") ||
                               ((surface(at) == "LG" || surface(at) == "VG" || surface(at) == "BG") && behind == " ");
        if (!line && !same_line) return;
        std::size_t from = skip_titles(at + 1);
        // "i. A. Kowalski", "ppa. …"
        while (from + 1 < words_.size() && words_[from].letters <= 1 && !words_[from].capital && gap(from).starts_with('.'))
            from += initial(from + 1) ? 2 : 1;
        from = skip_titles(from);
        const std::size_t to = name_end(from, true);
        if (to == from) return;
        const std::string_view end = gap(to - 1);
        if (end.empty() || end.contains('\n') || end.starts_with(',') || to == words_.size() || end.starts_with(" (")) add(from, to, 0.85F);
    }

    void after_label(std::size_t at) {
        std::string_view behind = gap(at);
        if (behind.starts_with("/in:") || behind.starts_with("(in):") || behind.starts_with("*in:")) behind = ": ";
        const bool care_of = surface(at) == "Hd" && behind == ". ";
        if (!care_of && !(behind == ": " || behind == ":\t" || behind == ":  " || behind == " : " || behind == ":\n" || behind == ":** " ||
                          behind == " | "))
            return;
        std::size_t from = at + 1;
        if (from < words_.size() && has(index_.roles(words_[from]), Role::salutation)) return;
        from = skip_titles(from);
        const std::size_t to = name_end(from, true);
        if (to == from) return;
        const bool given = has(index_.roles(words_[from]), Role::given);
        if (given || to - from >= 2) return add(from, to, 0.85F);
        const std::string_view end = gap(to - 1);
        // "Nachname: Kowalski", "Kowalski, Piotr".
        const bool single = surface(at).ends_with("name") || (end == ", " && has(index_.roles(words_[to]), Role::given));
        if (!noun_like(from) && single) add(from, to, 0.75F);
    }

    void from_given(std::size_t at) {
        const std::uint16_t roles = index_.roles(words_[at]);
        if (at > 0 && (hyphen(at - 1) || (blank(at - 1) && words_[at - 1].capital && has(index_.roles(words_[at - 1]), Role::given))))
            return;
        const std::size_t to = name_end(at, false);
        if (to < at + 2) {
            // "Kowalski, Piotr"
            if (at > 0 && gap(at - 1) == ", " && name_word(at - 1) && index_.roles(words_[at - 1]) == 0 && !noun_like(at - 1) &&
                !is_town(surface(at - 1), {}) && (at < 2 || gap(at - 2) != ", ") &&
                gap(at).find_first_of(";\n.:(|/") != std::string_view::npos)
                add(at - 1, at + 1, 0.6F);
            return;
        }
        const std::uint16_t last = index_.roles(words_[to - 1]);
        // "Anna-Lena" is a first name only; "Rose Garden" may be a rose garden.
        bool only_given = true;
        for (std::size_t i = at; i < to; ++i) only_given &= has(index_.roles(words_[i]), Role::given);
        if (only_given && to - at == 2 && hyphen(at)) return;
        if (is_town(surface(to - 1), {}) && to - at == 2 && has(roles, Role::common)) return;
        const bool doubtful = has(roles, Role::common) || (has(last, Role::no_name) && !has(last, Role::common));
        const bool begins = at == 0 || gap(at - 1).find_first_of(".!?:\n") != std::string_view::npos;
        if (doubtful) return add(at, to, begins ? 0.35F : 0.6F);
        add(at, to, 0.8F);
    }

    // The family names that were found, wherever else they stand.
    void again() {
        if (families_.empty()) return;
        for (std::size_t at = 0; at < words_.size(); ++at) {
            const TextWord& word = words_[at];
            if (!word.capital || !families_.contains(word.folded)) continue;
            const bool article = at > 0 && blank(at - 1) && has(index_.roles(words_[at - 1]), Role::article);
            const bool common = has(index_.roles(word), Role::common);
            if (article && common) continue;
            reading_.add(Kind::name, Ground::grammar, word.begin, word.end, common ? 0.55F : 0.7F,
                         static_cast<std::uint32_t>(word.folded) | 0x80000000U);
        }
    }

    Reading& reading_;
    std::string_view text_;
    std::span<const TextWord> words_;
    const DirectoryIndex& index_;
    std::unordered_set<std::uint64_t> families_;
    std::unordered_set<std::uint32_t> known_;  // words of mentions of the directory
};

}  // namespace

void find_names(Reading& reading, std::span<const TextWord> words, const DirectoryIndex& index) { Grammar(reading, words, index).run(); }

}  // namespace hanse::privacy
