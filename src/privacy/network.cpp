// SPDX-License-Identifier: Apache-2.0
//
// E-mail addresses, URLs that carry a secret, IP addresses.
#include <array>

#include "reading.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

bool in_local_part(char c) {
    return is_alphanumeric(c) || std::string_view("._%+-'&#!=~").contains(c) || static_cast<unsigned char>(c) >= 0x80;
}
bool in_domain(char c) { return is_alphanumeric(c) || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80; }

// Typographic quotes and dashes are letters to nobody.
std::size_t letters_back(std::string_view text, std::size_t at) {
    std::size_t begin = at;
    while (begin > 0 && at - begin < 64) {
        const Character c = character_before(text, begin);
        if (c.code < 0x80 ? !in_local_part(static_cast<char>(c.code)) : !is_letter(c.code)) break;
        begin -= c.size;
    }
    return begin;
}

std::size_t domain_end(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && end - begin < 254) {
        const Character c = character_at(text, end);
        if (c.code < 0x80 ? !in_domain(static_cast<char>(c.code)) : !is_letter(c.code)) break;
        end += c.size;
    }
    while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
    return end;
}

// A name with a dot whose last part is letters.
bool is_domain(std::string_view domain) {
    const auto dot = domain.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3 || domain.contains("..")) return false;
    for (std::size_t i = dot + 1; i < domain.size(); ++i)
        if (is_digit(domain[i])) return domain.substr(dot + 1).starts_with("xn--");
    return true;
}

constexpr std::array secret_names{"token"sv, "key"sv,  "secret"sv, "sig"sv,        "signature"sv, "password"sv, "passwd"sv,
                                  "pwd"sv,   "pass"sv, "auth"sv,   "credential"sv, "session"sv,   "code"sv,     "jwt"sv,
                                  "otp"sv,   "hash"sv, "access"sv, "sas"sv,        "kennwort"sv,  "passwort"sv};

bool names_a_secret(std::string_view parameter) {
    for (const std::string_view name : secret_names) {
        if (parameter.size() < name.size()) continue;
        for (std::size_t at = 0; at + name.size() <= parameter.size(); ++at) {
            bool same = true;
            for (std::size_t i = 0; same && i < name.size(); ++i) same = lower(parameter[at + i]) == name[i];
            // "access_token", "X-Amz-Signature", "apikey", not "monkey" or "hashtag".
            const bool left = at == 0 || !is_letter(parameter[at - 1]) || (at >= 3 && name == "key" && lower(parameter[at - 1]) == 'i');
            const bool right = at + name.size() == parameter.size() || !is_lower(parameter[at + name.size()]);
            if (same && left && right) return true;
        }
    }
    return false;
}

}  // namespace

void read_email(Reading& reading, std::size_t at) {
    const std::string_view text = reading.text;
    std::size_t begin = at;
    if (begin > 0 && text[begin - 1] == '"') {
        const std::size_t opening = text.substr(0, begin - 1).rfind('"');
        if (opening == std::string_view::npos || begin - opening > 64 || text.substr(opening, begin - opening).contains('\n')) return;
        begin = opening;
    } else {
        begin = letters_back(text, at);
    }
    while (begin < at && (text[begin] == '.' || text[begin] == '\'' || text[begin] == '&' || text[begin] == '-' || text[begin] == '='))
        ++begin;
    if (begin == at) return;
    std::size_t end = domain_end(text, at + 1);
    // A URL has its user part read as a URL.
    if (begin > 0 && text[begin - 1] == ':' && text.substr(begin > 60 ? begin - 60 : 0, begin > 60 ? 60 : begin).contains("://")) return;
    if (!is_domain(text.substr(at + 1, end - at - 1))) return;
    reading.add(Kind::email, Ground::form, begin, end, 0.97F);
}

// "name (at) firm (dot) de", as people hide it from collectors.
void read_spelled_email(Reading& reading, std::size_t hit_end) {
    const std::string_view text = reading.text;
    std::size_t opening = hit_end - 2;
    while (opening > 0 && text[opening] != '(' && text[opening] != '[' && text[opening] != '{') --opening;
    std::size_t name_end = opening;
    while (name_end > 0 && text[name_end - 1] == ' ') --name_end;
    const std::size_t begin = letters_back(text, name_end);
    std::size_t end = domain_end(text, hit_end - 1);
    for (int parts = 0; parts < 3; ++parts) {
        const std::string_view rest = text.substr(end);
        std::size_t skip = 0;
        for (const std::string_view dot :
             {" (dot) "sv, "(dot)"sv, " [dot] "sv, "[dot]"sv, " (punkt) "sv, "(punkt)"sv, " [punkt] "sv, "[punkt]"sv, "(.)"sv, "[.]"sv})
            if (rest.starts_with(dot)) skip = std::max(skip, dot.size());
        if (skip == 0) break;
        const std::size_t next = domain_end(text, end + skip);
        if (next == end + skip) break;
        end = next;
    }
    if (begin < name_end && end > hit_end) reading.add(Kind::email, Ground::form, begin, end, 0.8F);
}

void read_url(Reading& reading, std::size_t slashes) {
    const std::string_view text = reading.text;
    std::size_t begin = slashes - 1;
    while (begin > 0 && (is_alphanumeric(text[begin - 1]) || text[begin - 1] == '+') && slashes - begin < 24) --begin;
    std::size_t end = slashes + 2;
    while (end < text.size() && end - begin < 4096 && static_cast<unsigned char>(text[end]) > 0x20 &&
           !std::string_view("<>\"`{}|\\^").contains(text[end]))
        ++end;
    while (end > slashes + 2 && std::string_view(".,;:!?)'").contains(text[end - 1])) --end;
    const std::string_view rest = text.substr(slashes + 2, end - slashes - 2);
    const auto path = rest.find_first_of("/?#");
    const std::string_view authority = rest.substr(0, path);
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) {
        const auto colon = authority.find(':');
        if (colon < user && user - colon > 1) return reading.add(Kind::secret_url, Ground::form, begin, end, 0.95F);
    }
    const auto query = rest.find_first_of("?#");
    for (std::size_t at = query; at != std::string_view::npos && at < rest.size();) {
        const std::size_t next = std::min(rest.find_first_of("&;", at + 1), rest.size());
        const std::string_view pair = rest.substr(at + 1, next - at - 1);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && pair.size() - equals > 6 && names_a_secret(pair.substr(0, equals)))
            return reading.add(Kind::secret_url, Ground::form, begin, end, 0.9F);
        at = next;
    }
}

void read_ip4(Reading& reading, std::size_t begin) {
    const std::string_view text = reading.text;
    std::size_t at = begin;
    std::array<unsigned, 4> parts{};
    for (std::size_t part = 0; part < 4; ++part) {
        if (part > 0 && (at >= text.size() || text[at++] != '.')) return;
        const std::size_t first = at;
        while (at < text.size() && is_digit(text[at]) && at - first < 3)
            parts[part] = parts[part] * 10 + static_cast<unsigned>(text[at++] - '0');
        if (at == first || parts[part] > 255 || (at - first > 1 && text[first] == '0')) return;
    }
    if (at < text.size() &&
        (is_alphanumeric(text[at]) || text[at] == '_' || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]))))
        return;
    // Loopback, "any" and masks name nobody.
    if (parts[0] == 127 || (parts[0] == 0 && parts[3] == 0) || parts[0] == 255) return;
    const bool supported = reading.nearer(Word::ip, Word::version, begin, 60);
    const bool version = reading.before(Word::version, begin, 30) && !supported;
    // "4.2.1.0": versions are small; addresses seldom are.
    const bool small = parts[0] < 10 && parts[1] < 32 && parts[2] < 32;
    reading.add(Kind::ip, Ground::form, begin, at, version ? 0.2F : supported ? 0.95F : small ? 0.45F : 0.9F);
}

void read_ip6(Reading& reading, std::size_t colon) {
    const std::string_view text = reading.text;
    std::size_t begin = colon;
    while (begin > 0 && (is_hex(text[begin - 1]) || text[begin - 1] == ':') && colon - begin < 40) --begin;
    std::size_t end = colon;
    while (end < text.size() && (is_hex(text[end]) || text[end] == ':') && end - begin < 46) ++end;
    if (!open_before(text, begin) || (end < text.size() && (is_alphanumeric(text[end]) || text[end] == '_'))) return;
    while (end > begin && text[end - 1] == ':' && (end - begin < 2 || text[end - 2] != ':')) --end;
    unsigned groups = 0, letters = 0, doubles = 0;
    for (std::size_t at = begin; at < end;) {
        if (text[at] == ':') {
            if (at + 1 < end && text[at + 1] == ':') ++doubles, ++at;
            ++at;
            continue;
        }
        const std::size_t first = at;
        while (at < end && is_hex(text[at])) letters += is_letter(text[at++]) ? 1U : 0U;
        if (at - first > 4) return;
        ++groups;
    }
    // RFC 4291 section 2.2: eight groups, or fewer with one "::". "::1" and "::" name nobody; hours have no letters.
    if (doubles > 1 || groups > 8 || (doubles == 0 && groups != 8) || groups < 2) return;
    if (text[begin] == ':' && (begin + 1 >= end || text[begin + 1] != ':')) return;
    if (letters == 0 && groups < 4 && !reading.before(Word::ip, begin, 40)) return;
    reading.add(Kind::ip, Ground::form, begin, end, 0.9F);
}

}  // namespace hanse::privacy
