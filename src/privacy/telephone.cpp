// SPDX-License-Identifier: Apache-2.0
//
// Telephone numbers: international (ITU-T E.123), German national with its many separators, British and American ones.
#include "reading.hpp"

namespace hanse::privacy {
namespace {

struct Number {
    std::size_t end = 0;  // behind the last digit or closing bracket that belongs to it
    unsigned digits = 0;
    unsigned separators = 0;
    bool slash = false;  // "0421/12345"
    bool bracket = false;
    bool space = false;
    unsigned first_group = 0;  // digits of the first group
    bool dots_only = true;     // like a date or a version
};

Number take_number(std::string_view text, std::size_t begin) {
    Number number;
    std::size_t at = begin;
    bool in_bracket = false, first = true;
    while (at < text.size() && number.digits <= 17) {
        const Character c = character_at(text, at);
        if (c.size == 1 && is_digit(text[at])) {
            ++number.digits;
            if (first) ++number.first_group;
            number.end = ++at;
            continue;
        }
        // At most " / " or ") " between groups; a separator counts only when a digit follows.
        std::size_t next = at;
        bool slash = false, closed = false, opened = false, space = false, dot = false;
        for (unsigned steps = 0; steps < 3 && next < text.size(); ++steps) {
            const Character s = character_at(text, next);
            if (s.code == ')' && in_bracket) closed = true, in_bracket = false;
            else if (s.code == '(' && !in_bracket && !slash) opened = true, in_bracket = true;
            else if (s.code == '/' && !slash) slash = true;
            else if (s.code == '.' && !dot) dot = true;
            else if (is_space(s.code)) space = true;
            else if (!(is_dash(s.code) || (s.code == '+' && next == begin))) break;
            next += s.size;
        }
        if (closed) number.bracket = true, number.end = at + 1;
        if (next == at || next >= text.size() || !is_digit(text[next])) break;
        if (at != begin) {
            first = false;
            ++number.separators;
            if (!dot || slash || space) number.dots_only = false;
        }
        number.slash |= slash;
        number.bracket |= opened;
        number.space |= space;
        at = next;
    }
    return number;
}

}  // namespace

void read_telephone(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    if (begin > 0 && (is_alphanumeric(text[begin - 1]) || text[begin - 1] == '.' || text[begin - 1] == ',' || text[begin - 1] == '_'))
        return;
    const Number number = take_number(text, begin);
    if (number.digits < 6 || number.digits > 16 || !open_after(text, number.end)) return;
    const bool international =
        text[begin] == '+' || (text.substr(begin, 2) == "(+") || (text.substr(begin, 2) == "00" && number.digits >= 10);
    const bool supported = reading.nearer(Word::phone, Word::other_number, begin, 45);
    const bool against = reading.before(Word::other_number, begin, 35) || reading.before(Word::iban, begin, 25) ||
                         reading.before(Word::tax_number, begin, 25) || reading.before(Word::tax_id, begin, 25);
    if (supported) return reading.add(Kind::phone, Ground::context, begin, number.end, 0.95F);
    if (international && number.digits >= 8) return reading.add(Kind::phone, Ground::form, begin, number.end, against ? 0.45F : 0.9F);
    // The middle of a longer number in groups.
    const bool inside = begin >= 2 && is_blank(text[begin - 1]) && is_digit(text[begin - 2]);
    if (against || inside) return;
    // An area code of three to six digits set apart, and no date or amount.
    const bool national = number.digits >= 8 && number.digits <= 13 && number.separators >= 1 && number.separators <= 5 &&
                          number.first_group >= 3 && number.first_group <= 6 && (!number.dots_only || number.separators == 1);
    if (national && (number.slash || number.bracket || number.space || number.digits >= 9 || number.first_group >= 4))
        reading.add(Kind::phone, Ground::form, begin, number.end, 0.75F);
    if (!national && number.separators == 0 && number.digits >= 10 && number.digits <= 12 && text[begin] == '0' && text[begin + 1] == '1' &&
        text[begin + 2] >= '5' && text[begin + 2] <= '7')
        reading.add(Kind::phone, Ground::form, begin, number.end, 0.7F);  // a mobile number in one block
}

}  // namespace hanse::privacy
