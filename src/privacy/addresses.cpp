// SPDX-License-Identifier: Apache-2.0
//
// Postal addresses by grammar: street and house number, then postcode and town (DIN 5008), and the English way round.
#include <algorithm>
#include <array>

#include "reading.hpp"
#include "towns.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

// What alone makes a street; the other endings of the pattern also end other nouns, and need a town behind them.
constexpr std::array strong_endings{"straße"sv,   "strasse"sv,   "straẞe"sv, "str."sv,   "str"sv,    "allee"sv,    "gasse"sv,
                                    "chaussee"sv, "promenade"sv, "platz"sv,  "weg"sv,    "ring"sv,   "damm"sv,     "ufer"sv,
                                    "pfad"sv,     "steig"sv,     "stieg"sv,  "twiete"sv, "redder"sv, "gässchen"sv, "siedlung"sv};
constexpr std::array town_fronts{"Bad"sv,      "Sankt"sv,      "St."sv,         "Neu"sv,        "Alt"sv,     "Groß"sv,     "Klein"sv,
                                 "Markt"sv,    "Schwäbisch"sv, "Burg"sv,        "Hohen"sv,      "Königs"sv,  "Bergisch"sv, "Porta"sv,
                                 "Hessisch"sv, "Hann."sv,      "Lutherstadt"sv, "Hansestadt"sv, "Castrop"sv, "Milton"sv,   "New"sv,
                                 "Stadt"sv,    "Freie"sv,      "Ober"sv,        "Unter"sv,      "Den"sv};
constexpr std::array town_particles{"am"sv,  "an"sv,   "der"sv, "im"sv,    "in"sv, "bei"sv,  "ob"sv, "vor"sv,
                                    "auf"sv, "den"sv,  "dem"sv, "unter"sv, "a."sv, "a.d."sv, "i."sv, "b."sv,
                                    "v."sv,  "v.d."sv, "d."sv,  "upon"sv,  "on"sv, "de"sv,   "und"sv};
constexpr std::array amounts{"Euro"sv,      "EUR"sv,      "Stück"sv,           "Stk"sv,           "Kilometer"sv,    "Meter"sv,
                             "Tonnen"sv,    "Liter"sv,    "Mitarbeiter"sv,     "Mitarbeitende"sv, "Menschen"sv,     "Personen"sv,
                             "Einheiten"sv, "Kunden"sv,   "Zeilen"sv,          "Datensätze"sv,    "Umdrehungen"sv,  "Betriebsstunden"sv,
                             "Einwohner"sv, "Besucher"sv, "Teile"sv,           "Seiten"sv,        "Dollar"sv,       "USD"sv,
                             "Exemplare"sv, "Anfragen"sv, "Schrauben"sv,       "Artikel"sv,       "Quadratmeter"sv, "Kilogramm"sv,
                             "Watt"sv,      "Volt"sv,     "Kilowattstunden"sv, "Stunden"sv,       "Nutzer"sv,       "Unterlegscheiben"sv,
                             "Blatt"sv,     "Token"sv,    "Tokens"sv,          "Lumen"sv,         "Muttern"sv,      "Dübel"sv};
constexpr std::array english_endings{"Street"sv,    "St"sv,   "Road"sv,   "Rd"sv,    "Avenue"sv,  "Ave"sv,      "Lane"sv,    "Ln"sv,
                                     "Drive"sv,     "Dr"sv,   "Court"sv,  "Ct"sv,    "Square"sv,  "Sq"sv,       "Place"sv,   "Pl"sv,
                                     "Boulevard"sv, "Blvd"sv, "Way"sv,    "Close"sv, "Terrace"sv, "Crescent"sv, "Gardens"sv, "Row"sv,
                                     "Hill"sv,      "Mews"sv, "Parade"sv, "Grove"sv, "Quay"sv,    "Wharf"sv,    "Highway"sv, "Hwy"sv,
                                     "Parkway"sv,   "Pkwy"sv, "Walk"sv,   "Green"sv, "Gate"sv};

template <typename List>
bool among(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool in_word(char32_t c) { return is_letter(c) || is_combining(c) || is_invisible(c); }

std::size_t word_end(std::string_view text, std::size_t at) {
    while (true) {
        const Character c = character_at(text, at);
        if (c.size == 0) return at;
        if (in_word(c.code) || (c.code == '-' && in_word(character_at(text, at + 1).code)) ||
            (c.code == '\'' && in_word(character_at(text, at + 1).code)))
            at += c.size;
        else return at;
    }
}
std::size_t word_begin(std::string_view text, std::size_t end) {
    std::size_t at = end;
    while (true) {
        const Character c = character_before(text, at);
        if (c.size == 0 || end - at > 60) return at;
        if (in_word(c.code) || ((is_dash(c.code) || c.code == '.') && at != end && in_word(character_before(text, at - c.size).code)))
            at -= c.size;
        else return at;
    }
}
bool capital(std::string_view text, std::size_t at) { return is_upper(character_at(text, at).code); }

std::size_t skip_back_blanks(std::string_view text, std::size_t at) {
    for (Character c = character_before(text, at); is_space(c.code); c = character_before(text, at)) at -= c.size;
    return at;
}
std::size_t skip_blanks(std::string_view text, std::size_t at) {
    for (Character c = character_at(text, at); is_space(c.code); c = character_at(text, at)) at += c.size;
    return at;
}

// "12", "12a", "12 b", "12-14", "12/3", "12 – 14": the place behind it.
std::size_t house_number_end(std::string_view text, std::size_t begin) {
    std::size_t at = begin;
    while (at < text.size() && is_digit(text[at]) && at - begin < 5) ++at;
    if (at - begin > 4 || at == begin || text[begin] == '0') return 0;
    const auto letter = [&](std::size_t from) {
        const std::size_t place = skip_blanks(text, from);
        if (place - from <= 2 && place < text.size() && is_lower(text[place]) && text[place] < 'l' && open_after(text, place + 1))
            return place + 1;
        if (from < text.size() && is_letter(text[from]) && open_after(text, from + 1)) return from + 1;
        return from;
    };
    at = letter(at);
    std::size_t next = skip_blanks(text, at);
    if (const Character c = character_at(text, next); is_dash(c.code) || c.code == '/' || c.code == '+') {
        next = skip_blanks(text, next + c.size);
        std::size_t second = next;
        while (second < text.size() && is_digit(text[second]) && second - next < 4) ++second;
        if (second > next && second - next <= 3) at = letter(second);
    }
    // A decimal, a date or a time is no house number.
    if (at < text.size() && (text[at] == '.' || text[at] == ',' || text[at] == ':') && at + 1 < text.size() && is_digit(text[at + 1]))
        return 0;
    return open_after(text, at) ? at : 0;
}

// Town after a postcode: one word, or as many as its first word and its particles ask for. 0: no town here.
std::size_t town_end(std::string_view text, std::size_t begin) {
    if (!capital(text, begin)) return 0;
    std::size_t end = word_end(text, begin);
    std::string_view word = text.substr(begin, end - begin);
    if (word.size() < 2 && end < text.size() && text[end] != '.') return 0;
    for (unsigned words = 0; words < 5; ++words) {
        std::size_t next = end;
        if (next < text.size() && text[next] == '.' && (among(town_fronts, text.substr(begin, next + 1 - begin)) || words > 0)) ++next;
        const bool abbreviated = next != end;
        next = skip_blanks(text, next);
        if (next == end && !abbreviated) break;
        // "Frankfurt (Oder)", "Halle (Saale)".
        if (next < text.size() && text[next] == '(') {
            const std::size_t close = word_end(text, next + 1);
            if (close > next + 1 && close < text.size() && text[close] == ')') end = close + 1;
            break;
        }
        std::size_t following = word_end(text, next);
        const auto with_point = [&](std::size_t from, std::size_t to) {
            return to < text.size() && text[to] == '.' && to - from <= 2 ? to + 1 : to;
        };
        following = with_point(next, following);
        const std::string_view other = text.substr(next, following - next);
        const bool front = among(town_fronts, word) || (abbreviated && among(town_fronts, text.substr(begin, end + 1 - begin)));
        if (front && capital(text, next)) {
            end = word_end(text, next);
        } else if (among(town_particles, other)) {
            std::size_t name = skip_blanks(text, following);
            std::size_t name_end = with_point(name, word_end(text, name));
            while (among(town_particles, text.substr(name, name_end - name))) {
                name = skip_blanks(text, name_end);
                name_end = with_point(name, word_end(text, name));
            }
            // "28195 Bremen in der Woche": a particle of the sentence, not of the town.
            static constexpr std::array rivers{
                "Main"sv,   "Rhein"sv,  "Saale"sv,    "Ruhr"sv,       "Lahn"sv,    "Donau"sv,      "Neckar"sv,  "Weser"sv,
                "Elbe"sv,   "Oder"sv,   "Inn"sv,      "Lech"sv,       "Harz"sv,    "Breisgau"sv,   "See"sv,     "Brenz"sv,
                "Tauber"sv, "Lippe"sv,  "Aller"sv,    "Leine"sv,      "Rems"sv,    "Fils"sv,       "Steig"sv,   "Berg"sv,
                "Wald"sv,   "Allgäu"sv, "Holstein"sv, "Weinstraße"sv, "Höhe"sv,    "Rübenberge"sv, "Taunus"sv,  "Bergstraße"sv,
                "Isar"sv,   "Luhe"sv,   "Münster"sv,  "M"sv,          "Hamburg"sv, "Berlin"sv,     "München"sv, "Bremen"sv,
                "Havel"sv,  "Spree"sv,  "Ems"sv,      "Sieg"sv,       "Trent"sv,   "Avon"sv,       "Thames"sv,  "Tyne"sv};
            if (!among(rivers, text.substr(name, name_end - name))) break;
            end = name_end;
            break;
        } else {
            break;
        }
        word = other;
    }
    return end;
}

struct Place {
    std::size_t begin = 0, end = 0;  // from the postcode on
    bool known = false;
};

// "28195 Bremen", "D-28195 Bremen" at `at`.
Place postcode_and_town(std::string_view text, std::size_t at) {
    Place place{at};
    for (const std::string_view country : {"DE-"sv, "D-"sv, "D – "sv, "DE "sv, "D "sv})
        if (text.substr(at).starts_with(country)) {
            at += country.size();
            break;
        }
    const std::string_view code = text.substr(at, 5);
    if (!is_postcode(code) || !(at + 5 < text.size()) || is_digit(text[at + 5])) return {};
    const std::size_t town = skip_blanks(text, at + 5);
    if (town == at + 5) return {};
    place.end = town_end(text, town);
    if (place.end == 0) return {};
    const std::size_t name = text.substr(town, 4) == "Bad " ? town + 4 : town;
    const std::string_view word = text.substr(name, word_end(text, name) - name);
    if (among(amounts, word)) return {};
    place.known = is_town(word, code);
    return place;
}

// Between street and postcode: a comma, a line break, a bar, a dash, or two of them.
Place place_behind(std::string_view text, std::size_t end) {
    std::size_t at = end;
    unsigned breaks = 0;
    while (at < text.size() && at - end < 12) {
        const Character c = character_at(text, at);
        if (is_space(c.code) || c.code == '\r' || c.code == ',' || c.code == ';' || c.code == '|' || c.code == 0xb7 || c.code == 0x2022 ||
            c.code == '/' || is_dash(c.code) || c.code == '>')
            at += c.size;
        else if (c.code == '\n' && breaks++ < 2) at += c.size;
        else break;
    }
    if (at == end) return {};
    const Place place = postcode_and_town(text, text.substr(at, 3) == "in " && at - end <= 2 ? at + 3 : at);
    if (place.end != 0) return place;
    // A street with a known town and no code.
    if (at - end <= 4 && capital(text, at)) {
        const std::size_t word = word_end(text, at);
        const std::size_t behind_preposition = text.substr(at, 3) == "in " ? at + 3 : at;
        if (is_town(text.substr(behind_preposition, word - behind_preposition), {})) return {at, town_end(text, at), true};
    } else if (text.substr(at, 3) == "in ") {
        const std::size_t word = word_end(text, at + 3);
        if (is_town(text.substr(at + 3, word - at - 3), {})) return {at, town_end(text, at + 3), true};
    }
    return {};
}

// Small letters without allocation; only for comparing endings, bytes beyond ASCII stay.
bool ends_small(std::string_view word, std::string_view ending) {
    if (word.size() < ending.size()) return false;
    const std::string_view tail = word.substr(word.size() - ending.size());
    return std::ranges::equal(tail, ending, {}, [](char c) { return lower(c); });
}

}  // namespace

void read_street(Reading& reading, std::size_t digit) {
    const std::string_view text = reading.text;
    std::size_t name_end = digit;
    while (name_end > 0 && (is_space(character_before(text, name_end).code) || text[name_end - 1] == '\n' || text[name_end - 1] == ','))
        name_end -= character_before(text, name_end).size;
    std::size_t begin = word_begin(text, name_end > 0 && text[name_end - 1] == '.' ? name_end - 1 : name_end);
    const std::string_view word = text.substr(begin, name_end - begin);
    const auto strong = std::ranges::find_if(strong_endings, [&](std::string_view ending) { return ends_small(word, ending); });
    const bool has_strong = strong != strong_endings.end();
    const bool ending_alone = has_strong && word.size() == strong->size();
    bool named = capital(text, begin) && !ending_alone;
    if (!capital(text, begin) && !(ending_alone && begin > 0)) return;
    // Words before: "Berliner Straße", "Am Alten Markt", "Straße der Einheit".
    for (unsigned words = 0; words < 3; ++words) {
        const std::size_t before_end = skip_back_blanks(text, begin);
        if (before_end == begin || before_end == 0) break;
        const std::size_t before = word_begin(text, before_end);
        const std::string_view front = text.substr(before, before_end - before);
        if (front.empty()) break;
        static constexpr std::array articles{"der"sv, "den"sv, "dem"sv, "des"sv, "das"sv, "die"sv};
        static constexpr std::array fronts{
            "Am"sv,      "An"sv,      "Im"sv,     "In"sv,     "Zum"sv,    "Zur"sv,   "Auf"sv,    "Unter"sv,  "Hinter"sv, "Alte"sv,
            "Alter"sv,   "Alten"sv,   "Neue"sv,   "Neuer"sv,  "Neuen"sv,  "Große"sv, "Großer"sv, "Großen"sv, "Kleine"sv, "Kleiner"sv,
            "Kleinen"sv, "Lange"sv,   "Langer"sv, "Langen"sv, "Hohe"sv,   "Hoher"sv, "Hohen"sv,  "Breite"sv, "Obere"sv,  "Oberer"sv,
            "Untere"sv,  "Unterer"sv, "Obere"sv,  "Äußere"sv, "Innere"sv, "Sankt"sv, "St."sv};
        // "Straße des Friedens".
        if (words == 0 && !ending_alone && among(articles, front)) {
            const std::size_t head_end = skip_back_blanks(text, before), head = word_begin(text, head_end);
            static constexpr std::array heads{"Straße"sv, "Strasse"sv, "Platz"sv, "Allee"sv, "Weg"sv, "Ring"sv, "Ufer"sv, "Brücke"sv};
            if (among(heads, text.substr(head, head_end - head))) {
                begin = head;
                break;
            }
        }
        if (among(articles, front)) {
            // An article belongs to it behind a preposition only: "An der Weide", not "in der Hauptstraße".
            const std::size_t preposition_end = skip_back_blanks(text, before);
            const std::size_t preposition = word_begin(text, preposition_end);
            if (!among(fronts, text.substr(preposition, preposition_end - preposition))) break;
            begin = preposition;
            named = true;
            break;
        }
        const bool adjective = ending_alone && words < 2 && capital(text, before) &&
                               (ends_small(front, "er") || ends_small(front, "e") || ends_small(front, "en") || front.contains('-'));
        if (!adjective && !among(fronts, front)) break;
        static constexpr std::array pronouns{"Die"sv,   "Eine"sv, "Unsere"sv, "Meine"sv, "Ihre"sv,    "Seine"sv, "Keine"sv,
                                             "Diese"sv, "Jede"sv, "Seiner"sv, "Ihrer"sv, "Unserer"sv, "Einer"sv, "Dieser"sv};
        if (among(pronouns, front)) break;
        begin = before;
        named = true;
    }
    if (!named) return;
    const std::size_t number_end = house_number_end(text, digit);
    if (number_end == 0 || number_end - digit > 12) return;
    const Place place = place_behind(text, number_end);
    if (place.end != 0) return reading.add(Kind::address, Ground::context, begin, place.end, 0.97F);
    const bool spoken_of = reading.before(Word::address, begin, 60);
    if (has_strong && !reading.before(Word::other_number, digit, 16))
        return reading.add(Kind::address, Ground::grammar, begin, number_end, 0.8F);
    if (spoken_of) reading.add(Kind::address, Ground::context, begin, number_end, 0.6F);
}

void read_street_front(Reading& reading, std::size_t hit_end) {
    const std::string_view text = reading.text;
    const std::size_t front_end = hit_end - 1, begin = word_begin(text, front_end);
    if (!open_before(text, begin)) return;
    std::size_t at = hit_end;
    unsigned names = 0;
    for (unsigned words = 0; words < 5; ++words) {
        if (at < text.size() && is_digit(text[at])) break;
        const std::size_t end = word_end(text, at);
        if (end == at) return;
        if (capital(text, at)) ++names;
        else if (end - at > 3 || names > 0) return;
        at = skip_blanks(text, end);
        if (at == end) return;
    }
    if (names == 0 || at >= text.size() || !is_digit(text[at])) return;
    const std::size_t number_end = house_number_end(text, at);
    if (number_end == 0 || number_end - at > 10) return;
    const Place place = place_behind(text, number_end);
    if (place.end != 0) reading.add(Kind::address, Ground::context, begin, place.end, 0.95F);
    else if (reading.before(Word::address, begin, 40)) reading.add(Kind::address, Ground::context, begin, number_end, 0.6F);
}

void read_post_box(Reading& reading, std::size_t digit) {
    const std::string_view text = reading.text;
    std::size_t begin = digit;
    while (begin > 0 && digit - begin < 14 && lower(text[begin]) != 'p') --begin;
    std::size_t end = digit;
    // "Postfach 10 34 56": pairs from the right; a postcode behind a blank has five digits.
    while (end < text.size() && is_digit(text[end])) ++end;
    while (end + 2 < text.size() && text[end] == ' ' && is_digit(text[end + 1]) && is_digit(text[end + 2]) &&
           !(end + 3 < text.size() && is_digit(text[end + 3])))
        end += 3;
    const Place place = place_behind(text, end);
    if (end - digit >= 2) reading.add(Kind::address, Ground::form, begin, place.end != 0 ? place.end : end, 0.85F);
}

namespace {

// A street of any name is one where house number, separator and postcode follow: "Schlachte 9-55\n28195 Bremen". Where it begins,
// `postcode` if there is none.
std::size_t street_before(std::string_view text, std::size_t postcode) {
    std::size_t at = postcode;
    for (const std::string_view country : {"DE-"sv, "D-"sv, "in "sv})
        if (text.substr(0, at).ends_with(country)) at -= country.size();
    unsigned marks = 0;
    for (unsigned steps = 0; steps < 4; ++steps) {
        const Character c = character_before(text, at);
        const bool mark = c.code == ',' || c.code == '\n' || c.code == 0xb7 || c.code == '|' || c.code == ';';
        if (c.size == 0 || !(is_space(c.code) || c.code == '\r' || mark)) break;
        marks += mark ? 1U : 0U;
        at -= c.size;
    }
    const bool spoken = text.substr(at, postcode - at).contains("in ");
    if (marks == 0 && !spoken) return postcode;
    // The number, backwards; house_number_end() says whether it is one.
    std::size_t number = at;
    while (number > 0 && at - number < 12 && text[number - 1] != '\n' &&
           !(is_blank(text[number - 1]) && number < text.size() && is_digit(text[number])))
        --number;
    while (number < at && !is_digit(text[number])) ++number;
    if (number == at || house_number_end(text, number) != at) return postcode;
    std::size_t begin = skip_back_blanks(text, number);
    if (begin == number) return postcode;
    begin = word_begin(text, begin);
    static constexpr std::array fronts{"Am"sv,    "An"sv,   "Im"sv,    "In"sv,    "Zum"sv,    "Zur"sv,   "Auf"sv,    "Unter"sv, "Alte"sv,
                                       "Alter"sv, "Neue"sv, "Neuer"sv, "Große"sv, "Kleine"sv, "Lange"sv, "Straße"sv, "Platz"sv, "Allee"sv};
    static constexpr std::array small{"der"sv, "den"sv, "dem"sv, "des"sv};
    if (!capital(text, begin)) return postcode;
    for (unsigned words = 0; words < 3; ++words) {
        const std::size_t before_end = skip_back_blanks(text, begin), before = word_begin(text, before_end);
        const std::string_view word = text.substr(before, before_end - before);
        if (before_end == begin || (!among(fronts, word) && !among(small, word) && !ends_small(word, "er"))) break;
        begin = before;
    }
    while (!capital(text, begin)) begin = skip_blanks(text, word_end(text, begin));
    return begin;
}

}  // namespace

void read_postcode(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    if (begin + 7 > text.size() || !is_postcode(text.substr(begin, 5)) || is_digit(text[begin + 5])) return;
    const Place place = postcode_and_town(text, begin);
    if (place.end == 0 || reading.before(Word::other_number, begin, 25)) return;
    if (const std::size_t street = street_before(text, begin); street != begin)
        return reading.add(Kind::address, Ground::context, street, place.end, place.known ? 0.9F : 0.8F);
    if (place.known) return reading.add(Kind::address, Ground::context, begin, place.end, 0.75F);
    // A town that the list lacks, alone on a line below another.
    const bool line =
        (begin == 0 || text[begin - 1] == '\n') && (place.end == text.size() || text[place.end] == '\n' || text[place.end] == '\r');
    if (line && begin > 1 && text[begin - 2] != '\n') reading.add(Kind::address, Ground::grammar, begin, place.end, 0.6F);
}

namespace {

// "SW1A 1AA" (BS 7666) or "IL 62704"; how long, 0 if there is none.
std::size_t code_at(std::string_view text, std::size_t at) {
    std::size_t end = at;
    const auto letters = [&](std::size_t most) {
        std::size_t count = 0;
        while (count < most && end < text.size() && is_upper(text[end])) ++end, ++count;
        return count;
    };
    const std::size_t area = letters(2);
    if (area == 0) return 0;
    if (area == 2 && end + 6 <= text.size() && text[end] == ' ' && is_digit(text[end + 1])) {
        std::size_t digits = end + 1;
        while (digits < text.size() && is_digit(text[digits])) ++digits;
        if (digits - end == 6) {
            if (digits + 4 < text.size() && text[digits] == '-' && is_digit(text[digits + 1])) digits += 5;
            return digits - at;
        }
        return 0;
    }
    if (end >= text.size() || !is_digit(text[end])) return 0;
    ++end;
    if (end < text.size() && (is_digit(text[end]) || is_upper(text[end]))) ++end;
    if (end + 4 > text.size() || text[end] != ' ' || !is_digit(text[end + 1]) || !is_upper(text[end + 2]) || !is_upper(text[end + 3]))
        return 0;
    return open_after(text, end + 4) ? end + 4 - at : 0;
}

}  // namespace

void read_english_street(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    std::size_t at = begin;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at - begin > 5) return;
    if (at < text.size() && is_letter(text[at]) && open_after(text, at + 1)) ++at;
    if (at >= text.size() || text[at] != ' ') return;
    std::size_t end = 0;
    unsigned words = 0;
    for (std::size_t word = at + 1; words < 5; ++words) {
        if (!capital(text, word)) break;
        const std::size_t stop = word_end(text, word);
        if (words > 0 && among(english_endings, text.substr(word, stop - word))) end = stop;
        if (stop >= text.size() || text[stop] != ' ') break;
        word = stop + 1;
    }
    if (end == 0) return;
    std::size_t tail = end;
    if (tail < text.size() && text[tail] == '.') ++tail;
    // What may lie between street and code: names of places, commas, two line breaks.
    std::size_t scan = tail;
    unsigned breaks = 0;
    while (scan < text.size() && scan - tail < 60) {
        if (scan > tail && !is_alphanumeric(text[scan - 1]))
            if (const std::size_t code = code_at(text, scan)) return reading.add(Kind::address, Ground::context, begin, scan + code, 0.96F);
        const Character c = character_at(text, scan);
        if (c.code == '\n' && ++breaks > 3) break;
        if (!(is_letter(c.code) || is_space(c.code) || c.code == ',' || c.code == '\n' || c.code == '\r' || c.code == '.' ||
              c.code == '-' || c.code == '\'' || c.code == 0x2019))
            break;
        scan += c.size;
    }
    std::size_t town = tail;
    while (town < text.size() && (text[town] == ',' || text[town] == ' ' || text[town] == '\n') && town - tail < 3) ++town;
    const std::size_t stop = word_end(text, town);
    if (town > tail && is_town(text.substr(town, stop - town), {})) return reading.add(Kind::address, Ground::context, begin, stop, 0.9F);
    if (!reading.before(Word::other_number, begin, 20))
        reading.add(Kind::address, Ground::grammar, begin, end, reading.before(Word::address, begin, 60) ? 0.85F : 0.65F);
}

}  // namespace hanse::privacy
