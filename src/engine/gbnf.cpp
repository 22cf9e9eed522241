// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <format>
#include <optional>
#include <unordered_set>

#include "base/utf8.hpp"
#include "grammar.hpp"

namespace hanse::engine {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::size_t text_max = 4U << 20;
constexpr int depth_max = 200;
constexpr std::uint32_t repeats_max = 65'536;

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

// Recursive descent over the text; `at_` never passes its end.
class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<GrammarSource> parse(std::string root) {
        GrammarSource source{std::move(root), {}};
        std::unordered_set<std::string> names;
        skip_space(Lines::yes);
        while (at_ < text_.size()) {
            auto name = word();
            if (!name) return std::unexpected(name.error());
            skip_space(Lines::no);
            if (!text_.substr(at_).starts_with("::=")) return wrong("expected ::= after the rule's name");
            at_ += 3;
            skip_space(Lines::yes);
            auto body = alternatives(0);
            if (!body) return std::unexpected(body.error());
            if (!names.insert(*name).second) return wrong(std::format("the rule {} is defined twice", *name));
            source.rules.emplace_back(std::move(*name), std::move(*body));
            skip_space(Lines::no);
            if (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') return wrong("expected the end of the line");
            skip_space(Lines::yes);
        }
        if (!names.contains(source.root)) return wrong(std::format("the grammar has no rule named {}", source.root));
        return source;
    }

private:
    enum class Lines : bool { no, yes };

    std::unexpected<base::Error> wrong(std::string what) const {
        const auto before = text_.substr(0, at_);
        const auto line = 1 + std::ranges::count(before, '\n');
        const auto last = before.rfind('\n');
        const auto column = 1 + before.size() - (last == std::string_view::npos ? 0 : last + 1);
        return fail(ErrorKind::invalid, std::format("grammar, line {}, column {}: {}", line, column, what), "invalid_grammar");
    }

    bool ahead(char c) const { return at_ < text_.size() && text_[at_] == c; }

    void skip_space(Lines lines) {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
            } else if (c == ' ' || c == '\t' || (lines == Lines::yes && (c == '\n' || c == '\r'))) {
                ++at_;
            } else {
                return;
            }
        }
    }

    Result<std::string> word() {
        const auto first = at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        if (at_ == first) return wrong("expected a rule's name");
        return std::string(text_.substr(first, at_ - first));
    }

    // In a group a rule may go on over several lines.
    Result<Expression> alternatives(int depth) {
        if (depth > depth_max) return wrong("groups are nested too deeply");
        std::vector<Expression> parts;
        while (true) {
            auto part = terms(depth);
            if (!part) return std::unexpected(part.error());
            parts.push_back(std::move(*part));
            const auto here = at_;
            skip_space(Lines::yes);  // "|" may begin the next line
            if (!ahead('|')) {
                if (depth == 0) at_ = here;
                return choice(std::move(parts));
            }
            ++at_;
            skip_space(Lines::yes);
        }
    }

    Result<Expression> terms(int depth) {
        const auto lines = depth > 0 ? Lines::yes : Lines::no;
        std::vector<Expression> parts;
        while (true) {
            skip_space(lines);
            auto part = term(depth);
            if (!part) return std::unexpected(part.error());
            if (!*part) return sequence(std::move(parts));
            for (int chained = 0;; ++chained) {
                skip_space(lines);
                auto counts = quantifier();
                if (!counts) return std::unexpected(counts.error());
                if (!*counts) break;
                if (chained == 4) return wrong("too many repetitions of a repetition");
                part = repeat(std::move(**part), (*counts)->first, (*counts)->second);
            }
            parts.push_back(std::move(**part));
        }
    }

    // Nothing if no term begins here.
    Result<std::optional<Expression>> term(int depth) {
        if (at_ >= text_.size()) return std::nullopt;
        switch (text_[at_]) {
            case '"': return quoted().transform([](std::string text) { return std::optional(literal(std::move(text))); });
            case '[': return character_class().transform([](Expression e) { return std::optional(std::move(e)); });
            case '<': return token().transform([](Expression e) { return std::optional(std::move(e)); });
            case '!': return wrong("tokens that must not come (!<…>) are not supported");
            case '.': ++at_; return characters_except({});
            case '(': {
                ++at_;
                skip_space(Lines::yes);
                auto inner = alternatives(depth + 1);
                if (!inner) return std::unexpected(inner.error());
                skip_space(Lines::yes);
                if (!ahead(')')) return wrong("expected ) at the end of the group");
                ++at_;
                return std::optional(std::move(*inner));
            }
            default: {
                if (!is_name(text_[at_])) return std::nullopt;
                auto name = word();
                if (!name) return std::unexpected(name.error());
                return std::optional(rule(std::move(*name)));
            }
        }
    }

    Result<std::optional<std::pair<std::uint32_t, std::uint32_t>>> quantifier() {
        if (at_ >= text_.size()) return std::nullopt;
        switch (text_[at_]) {
            case '*': ++at_; return std::pair{0U, Expression::unbounded};
            case '+': ++at_; return std::pair{1U, Expression::unbounded};
            case '?': ++at_; return std::pair{0U, 1U};
            case '{': break;
            default: return std::nullopt;
        }
        ++at_;
        skip_space(Lines::no);
        auto least = number();
        if (!least) return std::unexpected(least.error());
        skip_space(Lines::no);
        std::uint32_t most = *least;
        if (ahead(',')) {
            ++at_;
            skip_space(Lines::no);
            most = Expression::unbounded;
            if (!ahead('}')) {
                auto bound = number();
                if (!bound) return std::unexpected(bound.error());
                most = *bound;
                skip_space(Lines::no);
            }
        }
        if (!ahead('}')) return wrong("expected } at the end of the repetition");
        if (most < *least) return wrong("the repetition's end is below its start");
        ++at_;
        return std::pair{*least, most};
    }

    Result<std::uint32_t> number() {
        std::uint32_t value = 0;
        const char* first = text_.data() + at_;
        const auto [last, error] = std::from_chars(first, text_.data() + text_.size(), value);
        if (error != std::errc{} || value > repeats_max) return wrong(std::format("expected a number of at most {}", repeats_max));
        at_ += static_cast<std::size_t>(last - first);
        return value;
    }

    Result<std::string> quoted() {
        ++at_;
        std::string out;
        while (!ahead('"')) {
            if (at_ >= text_.size() || text_[at_] == '\n') return wrong("the literal has no closing quote");
            auto code = character();
            if (!code) return std::unexpected(code.error());
            base::append_utf8(out, *code);
        }
        ++at_;
        return out;
    }

    Result<Expression> character_class() {
        ++at_;
        const bool except = ahead('^');
        if (except) ++at_;
        std::vector<CodeRange> ranges;
        while (!ahead(']')) {
            if (at_ >= text_.size()) return wrong("the character class has no closing ]");
            auto first = character();
            if (!first) return std::unexpected(first.error());
            auto last = *first;
            if (ahead('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                auto end = character();
                if (!end) return std::unexpected(end.error());
                last = *end;
            }
            if (last < *first) return wrong("the range's end is below its start");
            ranges.push_back({*first, last});
        }
        ++at_;
        if (except) return characters_except(std::move(ranges));
        if (ranges.empty()) return wrong("the character class is empty");
        return characters(std::move(ranges));
    }

    // <name> is the control token of that very text, brackets included; <"name"> names one without.
    Result<Expression> token() {
        const auto first = at_;
        ++at_;
        if (ahead('[')) return wrong("tokens by number (<[…]>) are not supported; name the token");
        if (ahead('"')) {
            auto text = quoted();
            if (!text) return std::unexpected(text.error());
            if (text->empty()) return wrong("the token has no name");
            if (!ahead('>')) return wrong("expected > after the token's name");
            ++at_;
            return control(std::move(*text));
        }
        while (at_ < text_.size() && text_[at_] != '>' && text_[at_] != '\n') ++at_;
        if (!ahead('>')) return wrong("the token has no closing >");
        ++at_;
        return control(std::string(text_.substr(first, at_ - first)));
    }

    // One character of a literal or class, escapes resolved.
    Result<char32_t> character() {
        if (!ahead('\\')) return code_point();
        ++at_;
        if (at_ >= text_.size()) return wrong("the grammar ends within an escape");
        const char c = text_[at_++];
        switch (c) {
            case 'n': return U'\n';
            case 'r': return U'\r';
            case 't': return U'\t';
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-':
            case '^': return static_cast<char32_t>(c);
            case 'x': return hex(2);
            case 'u': return hex(4);
            case 'U': return hex(8);
            default: --at_; return wrong("unknown escape");
        }
    }

    Result<char32_t> hex(std::size_t digits) {
        std::uint32_t value = 0;
        const auto from = text_.substr(at_, digits);
        const auto [last, error] = std::from_chars(from.data(), from.data() + from.size(), value, 16);
        if (error != std::errc{} || from.size() < digits || last != from.data() + digits)
            return wrong(std::format("expected {} hexadecimal digits", digits));
        if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return wrong("the escape is no Unicode character");
        at_ += digits;
        return static_cast<char32_t>(value);
    }

    Result<char32_t> code_point() {
        const auto lead = static_cast<unsigned char>(text_[at_]);
        if (lead < 0x80) {
            ++at_;
            return static_cast<char32_t>(lead);
        }
        const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        char32_t code = lead & (0xFFU >> (size + 1));
        if (lead < 0xC2 || lead > 0xF4 || at_ + size > text_.size()) return wrong("the grammar is no valid UTF-8");
        for (std::size_t i = 1; i < size; ++i) {
            const auto next = static_cast<unsigned char>(text_[at_ + i]);
            if ((next & 0xC0) != 0x80) return wrong("the grammar is no valid UTF-8");
            code = (code << 6) | (next & 0x3F);
        }
        if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return wrong("the grammar is no valid UTF-8");
        at_ += size;
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

void print_code(std::string& out, char32_t code, std::string_view escaped) {
    if (code == '\n') out += "\\n";
    else if (code == '\r') out += "\\r";
    else if (code == '\t') out += "\\t";
    else if (code < 0x20 || code == 0x7F) out += std::format("\\x{:02X}", static_cast<unsigned>(code));
    else if (code < 0x80 && escaped.contains(static_cast<char>(code))) (out += '\\') += static_cast<char>(code);
    else if (code < 0x80) out += static_cast<char>(code);
    else if (code < 0x10000) out += std::format("\\u{:04X}", static_cast<unsigned>(code));
    else out += std::format("\\U{:08X}", static_cast<unsigned>(code));
}

// Literals are UTF-8 by construction; bytes from 0x80 on stand for themselves.
void print_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) out += c;
        else print_code(out, static_cast<char32_t>(c), "\"\\");
    }
    out += '"';
}

enum class Around : std::uint8_t { rule, sequence, repeat };

void print(std::string& out, const Expression& e, Around around) {
    using Kind = Expression::Kind;
    switch (e.kind) {
        case Kind::literal: print_quoted(out, e.text); return;
        case Kind::rule: out += e.text; return;
        case Kind::control:
            out += '<';
            print_quoted(out, e.text);
            out += '>';
            return;
        case Kind::characters:
            if (e.ranges.empty()) {  // matches nothing: all but all
                out += "[^\\x00-\\U0010FFFF]";
                return;
            }
            out += '[';
            for (const auto& range : e.ranges) {
                print_code(out, range.first, "\\]-^[");
                if (range.last == range.first) continue;
                out += '-';
                print_code(out, range.last, "\\]-^[");
            }
            out += ']';
            return;
        case Kind::repeat:
            if (around == Around::repeat) out += '(';
            print(out, e.parts.front(), Around::repeat);
            if (e.least == 0 && e.most == Expression::unbounded) out += '*';
            else if (e.least == 1 && e.most == Expression::unbounded) out += '+';
            else if (e.least == 0 && e.most == 1) out += '?';
            else if (e.most == Expression::unbounded) out += std::format("{{{},}}", e.least);
            else if (e.most == e.least) out += std::format("{{{}}}", e.least);
            else out += std::format("{{{},{}}}", e.least, e.most);
            if (around == Around::repeat) out += ')';
            return;
        case Kind::sequence:
        case Kind::choice: {
            if (e.parts.empty()) {
                out += "\"\"";
                return;
            }
            const bool bracket = around == Around::repeat || (around == Around::sequence && e.kind == Kind::choice);
            if (bracket) out += '(';
            for (bool first = true; const auto& part : e.parts) {
                if (!first) out += e.kind == Kind::choice ? " | " : " ";
                first = false;
                print(out, part, e.kind == Kind::choice ? Around::rule : Around::sequence);
            }
            if (bracket) out += ')';
            return;
        }
    }
}

}  // namespace

base::Result<GrammarSource> parse_gbnf(std::string_view text, std::string root) {
    if (text.size() > text_max) return fail(ErrorKind::too_large, std::format("the grammar is longer than {} bytes", text_max));
    return Parser(text).parse(std::move(root));
}

std::string gbnf(const GrammarSource& source) {
    std::string out;
    for (const auto& [name, body] : source.rules) {
        out += name;
        out += " ::= ";
        print(out, body, Around::rule);
        out += '\n';
    }
    return out;
}

}  // namespace hanse::engine
