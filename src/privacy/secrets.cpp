// SPDX-License-Identifier: Apache-2.0
//
// Keys and tokens by the letters that their issuers chose, and what stands behind "password:".
#include <array>

#include "reading.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

bool in_token(char c) { return is_alphanumeric(c) || c == '_' || c == '-'; }
bool in_base64(char c) { return is_alphanumeric(c) || std::string_view("+/=_-.~").contains(c); }

std::size_t run_end(std::string_view text, std::size_t begin, bool (*belongs)(char), std::size_t most = 8192) {
    std::size_t end = begin;
    while (end < text.size() && end - begin < most && belongs(text[end])) ++end;
    return end;
}

std::size_t run_begin(std::string_view text, std::size_t end, bool (*belongs)(char), std::size_t most) {
    std::size_t begin = end;
    while (begin > 0 && end - begin < most && belongs(text[begin - 1])) --begin;
    return begin;
}

bool mixed(std::string_view word) {
    bool digit = false, letter = false;
    for (const char c : word) {
        digit |= is_digit(c);
        letter |= is_letter(c);
    }
    return digit && letter;
}

// Words of a program or a form in the place where a secret would stand.
constexpr std::array no_secrets{
    "string"sv,    "none"sv,       "null"sv,      "true"sv,  "false"sv, "str"sv,      "required"sv, "optional"sv, "bearer"sv, "basic"sv,
    "undefined"sv, "changeme"sv,   "vergessen"sv, "siehe"sv, "see"sv,   "your"sv,     "dein"sv,     "ihr"sv,      "the"sv,    "das"sv,
    "bitte"sv,     "please"sv,     "not"sv,       "nicht"sv, "self"sv,  "os"sv,       "env"sv,      "example"sv,  "int"sv,    "forgotten"sv,
    "expired"sv,   "abgelaufen"sv, "http"sv,      "https"sv, "token"sv, "password"sv, "passwort"sv, "abc"sv,      "geheim"sv};

bool is_word_of_no_secret(std::string_view value) {
    std::array<char, 12> small{};
    std::size_t length = 0;
    while (length < value.size() && is_letter(value[length])) {
        if (length == small.size()) return false;
        small[length] = lower(value[length]);
        ++length;
    }
    if (length < value.size() && is_digit(value[length])) return false;
    for (const std::string_view word : no_secrets)
        if (std::string_view(small.data(), length) == word) return true;
    return false;
}

}  // namespace

void read_token(Reading& reading, std::size_t hit_end, TokenForm form) {
    const std::string_view text = reading.text;
    if (form == TokenForm::private_key) {
        const std::size_t begin = text.substr(0, hit_end).rfind("-----BEGIN");
        if (begin == std::string_view::npos) return;
        const std::size_t closing = text.substr(0, std::min(text.size(), hit_end + 16384)).find("-----END", hit_end);
        std::size_t end = hit_end;
        if (closing != std::string_view::npos) {
            const std::size_t line = text.find_first_of("\r\n", closing);
            end = line == std::string_view::npos ? text.size() : line;
        } else {
            end = run_end(text, hit_end,
                          [](char c) { return in_base64(c) || is_space(c); });  // cut off: what is there is secret all the same
        }
        return reading.add(Kind::credential, Ground::form, begin, end, 0.99F);
    }
    if (form == TokenForm::bearer) {
        const std::size_t begin = hit_end - 1, end = run_end(text, begin, in_base64);
        const std::string_view value = text.substr(begin, end - begin);
        if (value.size() >= 16 && mixed(value)) reading.add(Kind::credential, Ground::context, begin, end, 0.85F);
        return;
    }
    const bool dotted = form == TokenForm::json_web_token || form == TokenForm::sendgrid || form == TokenForm::word30;
    const auto belongs = dotted ? +[](char c) { return in_token(c) || c == '.'; } : +[](char c) { return in_token(c); };
    const std::size_t begin = run_begin(text, hit_end, belongs, 64);
    std::size_t end = run_end(text, hit_end, belongs);
    while (end > begin && text[end - 1] == '.') --end;
    const std::string_view value = text.substr(begin, end - begin);
    bool good = false;
    switch (form) {
        case TokenForm::aws: good = value.size() == 20 && mixed(value); break;
        case TokenForm::json_web_token: good = value.size() >= 40 && value.find('.') != std::string_view::npos; break;
        case TokenForm::sendgrid: good = value.size() >= 50; break;
        case TokenForm::word30: good = value.size() >= 35 && mixed(value); break;
        default: good = value.size() >= 20 && mixed(value); break;
    }
    if (good) reading.add(Kind::credential, Ground::form, begin, end, 0.97F);
}

void read_secret(Reading& reading, std::size_t hit_end) {
    const std::string_view text = reading.text;
    std::size_t begin = hit_end;
    const char last = text[hit_end - 1];
    bool quoted = last == '"' || last == '\'';
    char quote = quoted ? last : 0;
    if (!quoted) {
        while (begin < text.size() && is_blank(text[begin]) && begin - hit_end < 4) ++begin;
        if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'' || text[begin] == '`')) {
            quoted = true;
            quote = text[begin++];
        }
    }
    std::size_t end = begin;
    while (end < text.size() && end - begin < 256) {
        const char c = text[end];
        if (quoted ? c == quote || c == '\n' : static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\'' || c == '<' || c == '`')
            break;
        ++end;
    }
    if (!quoted)
        while (end > begin && std::string_view(".,;)").contains(text[end - 1])) --end;
    const std::string_view value = text.substr(begin, end - begin);
    bool digit = false, letter = false, sign = false, calls = false;
    for (const char c : value) {
        digit |= is_digit(c);
        letter |= is_letter(c);
        sign |= std::string_view("!$%&#?@+*-_^~=/").contains(c);
        calls |= c == '(' || c == '[' || c == '{' || c == '<';
    }
    // "PIN: 4711" is short and has no letters.
    const char before = lower(text[hit_end >= 2 ? hit_end - 2 : 0]);
    const bool pin =
        value.size() >= 4 && value.size() <= 8 && !letter && digit && (before == 'n' || before == 'k') &&
        (hit_end >= 4 && (lower(text[hit_end - 3]) == 'i' || lower(text[hit_end - 3]) == 'u') && lower(text[hit_end - 4]) == 'p');
    if (pin) return reading.add(Kind::credential, Ground::context, begin, end, 0.85F);
    if (value.size() < 6 || calls || value.starts_with("$") || value.starts_with("%") || value.contains("://") || value.contains("***") ||
        value.contains("..."))
        return;
    if (is_word_of_no_secret(value) || (quoted && value.contains(' ') && !digit)) return;
    if (digit || (sign && letter)) reading.add(Kind::credential, Ground::context, begin, end, digit && letter ? 0.9F : 0.6F);
}

}  // namespace hanse::privacy
