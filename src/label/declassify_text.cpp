// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <format>

#include "label/clearance.hpp"
#include "label/declassify.hpp"
#include "term_words.hpp"

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using namespace std::string_view_literals;

constexpr std::string_view first_line = "hanse declassification v1";
constexpr std::array scopes{"once"sv, "form"sv, "standing"sv};
constexpr std::array keys{"digest"sv, "from"sv, "to"sv, "reason"sv, "scope"sv, "expiry"sv, "signer"sv};
constexpr std::size_t reason_max = 1000;

bool printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// Hands out the lines of a text one by one, and says where it is.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}
    bool more() const { return !rest_.empty(); }
    std::string_view next() {
        ++number_;
        const std::string_view line = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
        return line;
    }
    std::unexpected<base::Error> wrong(std::string_view why) const {
        return fail(ErrorKind::invalid, std::format("line {} of the declassification {}", number_, why), "invalid_declassification");
    }

private:
    std::string_view rest_;
    std::size_t number_ = 0;
};

Result<void> read_field(std::string_view key, std::string_view value, const Vocabulary& words, Declassification& out) {
    const auto wrong = [&](std::string_view why) { return fail(ErrorKind::invalid, std::format("has no {}", why)); };
    if (key == "digest") {
        const auto bytes = base::from_hex(value);
        if (!bytes || bytes->size() != out.digest.size()) return wrong("SHA-256 in hexadecimal digits");
        std::ranges::copy(*bytes, out.digest.begin());
    } else if (key == "from" || key == "to") {
        const auto label = read_label(value, words);
        if (!label) return fail(ErrorKind::invalid, "has no label: " + label.error().message);
        (key == "from" ? out.from : out.to) = *label;
    } else if (key == "reason") {
        // What people read must be what is signed: no control characters, which a terminal would obey.
        const bool plain = std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        if (value.empty() || value.size() > reason_max || !plain || !base::is_valid_utf8(value))
            return wrong("reason in one line of at most 1000 bytes");
        out.reason = value;
    } else if (key == "scope") {
        const auto scope = scope_named(value);
        if (!scope) return wrong("scope: once, form or standing");
        out.scope = *scope;
    } else if (key == "expiry") {
        const auto at = moment(value);
        if (!at) return wrong("moment such as 2026-06-01T12:00:00Z");
        out.expiry = *at;
    } else {
        const auto member = words.member(value);
        if (!member) return fail(ErrorKind::invalid, words::unknown("", value).substr(1));
        out.signer = *member;
    }
    return {};
}

}  // namespace

std::string_view name(Scope scope) { return scopes[static_cast<std::size_t>(scope)]; }

std::optional<Scope> scope_named(std::string_view word) {
    const auto found = std::ranges::find(scopes, word);
    if (found == scopes.end()) return {};
    return static_cast<Scope>(found - scopes.begin());
}

std::string moment_text(std::int64_t seconds) { return std::format("{:%FT%TZ}", std::chrono::sys_seconds{std::chrono::seconds{seconds}}); }

std::optional<std::int64_t> moment(std::string_view text) {
    if (text.size() == 10) return text[4] == '-' ? end_of_validity(text) : std::nullopt;
    if (text.size() != 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z' || text[4] != '-') return {};
    const auto day_ends = end_of_validity(text.substr(0, 10));
    std::int64_t seconds = 0;
    for (const auto& [begin, least_too_many, worth] : {std::tuple{11, 24, 3600}, {14, 60, 60}, {17, 60, 1}}) {
        int value = -1;
        const char* end = text.data() + begin + 2;
        if (std::from_chars(text.data() + begin, end, value).ptr != end || value < 0 || value >= least_too_many) return {};
        seconds += std::int64_t{value} * worth;
    }
    if (!day_ends) return {};
    return *day_ends - 86'400 + seconds;
}

std::string text(const SignedDeclassification& declassification, const Vocabulary& words) {
    const Declassification& statement = declassification.statement;
    std::string out = std::format("{}\ndigest {}\nfrom {}\nto {}\nreason {}\nscope {}\nexpiry {}\nsigner {}\n", first_line,
                                  base::hex(statement.digest), text(statement.from, words), text(statement.to, words), statement.reason,
                                  name(statement.scope), moment_text(statement.expiry), words.name(statement.signer));
    for (const auto& [person, bytes] : declassification.signatures)
        out +=
            std::format("signed {} {}\n", words.name(person), std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return out;
}

Result<SignedDeclassification> read_declassification(std::string_view given, const Vocabulary& words) {
    if (given.size() > declassification_text_max)
        return fail(ErrorKind::too_large, std::format("a declassification has at most {} bytes", declassification_text_max));
    Lines lines(given);
    if (lines.next() != first_line) return lines.wrong(std::format("is not \"{}\"", first_line));
    SignedDeclassification all;
    for (const std::string_view key : keys) {
        const std::string_view line = lines.next();
        if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ')
            return lines.wrong(std::format("does not begin with \"{} \"", key));
        if (auto read = read_field(key, line.substr(key.size() + 1), words, all.statement); !read) return lines.wrong(read.error().message);
    }
    while (lines.more()) {
        std::string_view line = lines.next();
        constexpr std::string_view key = "signed ";
        const auto blank = line.find(' ', key.size());
        if (!line.starts_with(key) || blank == std::string_view::npos)
            return lines.wrong("is no signature: \"signed\", a person, and what it signed with");
        const std::string_view person = line.substr(key.size(), blank - key.size()), bytes = line.substr(blank + 1);
        const auto known = words.principal(person);
        if (!known) return lines.wrong(words::unknown("", person).substr(1));
        if (bytes.empty() || !std::ranges::all_of(bytes, [](char c) { return c == ' ' || printable({&c, 1}); }))
            return lines.wrong("has a signature that is not of printable characters");
        const auto span = base::bytes_of(bytes);
        all.signatures.push_back({*known, base::Bytes(span.begin(), span.end())});
    }
    // Other ways to write the same are refused in one place: what was approved is this text and no other.
    if (text(all, words) != given)
        return fail(ErrorKind::invalid, "the declassification is not in the one form that there is for it", "invalid_declassification");
    return all;
}

}  // namespace hanse::label
