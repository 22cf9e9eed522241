// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <format>

#include "json_rules.hpp"

namespace hanse::engine {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using Ranges = std::vector<CodeRange>;

constexpr int depth_max = 50;
constexpr std::uint32_t repeats_max = 10'000;

Ranges digit_ranges() { return {{'0', '9'}}; }
Ranges word_ranges() { return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; }
Ranges space_ranges() {
    return {{0x09, 0x0D}, {0x20, 0x20}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
}
Ranges except(Ranges ranges) { return characters_except(std::move(ranges)).ranges; }

// Recursive descent over ECMA-262's Pattern grammar (section 22.2.1). Anchors are read at the two ends of
// a top-level alternative only; elsewhere they would need look-around.
class PatternParser {
public:
    explicit PatternParser(std::string_view text) : text_(text) {}

    Result<Expression> parse() {
        std::vector<Expression> ways;
        while (true) {
            // A pattern is looked for anywhere in the string unless it is anchored.
            const bool from_start = take("^");
            auto body = terms(0);
            if (!body) return body;
            const bool to_end = take("$");
            std::vector<Expression> whole;
            if (!from_start) whole.push_back(repeat(rule("json-char"), 0));
            whole.push_back(std::move(*body));
            if (!to_end) whole.push_back(repeat(rule("json-char"), 0));
            ways.push_back(sequence(std::move(whole)));
            if (at_ == text_.size()) return choice(std::move(ways));
            if (!take("|")) return wrong(text_[at_] == ')' ? "a ) closes no group" : "an anchor stands within the pattern");
        }
    }

private:
    static std::unexpected<base::Error> wrong(std::string what) { return fail(ErrorKind::invalid, std::move(what)); }

    bool ahead(char c) const { return at_ < text_.size() && text_[at_] == c; }
    bool take(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }

    Result<Expression> alternatives(int depth) {
        if (depth > depth_max) return wrong("groups are nested too deeply");
        std::vector<Expression> ways;
        do {
            auto way = terms(depth);
            if (!way) return way;
            ways.push_back(std::move(*way));
        } while (take("|"));
        return choice(std::move(ways));
    }

    Result<Expression> terms(int depth) {
        std::vector<Expression> parts;
        while (at_ < text_.size() && !ahead('|') && !ahead(')') && !ahead('$')) {
            auto part = atom(depth);
            if (!part) return part;
            auto counted = quantified(std::move(*part));
            if (!counted) return counted;
            parts.push_back(std::move(*counted));
        }
        return sequence(std::move(parts));
    }

    Result<Expression> atom(int depth) {
        const char c = text_[at_];
        switch (c) {
            case '(': return group(depth);
            case '[': return character_class();
            case '.': ++at_; return json_string_characters(except({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
            case '\\': {
                auto set = escape(false);
                if (!set) return std::unexpected(set.error());
                return json_string_characters(*set);
            }
            case '^': return wrong("an anchor stands within the pattern");
            case '*': case '+': case '?': case '{': return wrong(std::format("nothing stands before {} to be repeated", c));
            default: {
                const auto code = code_point();
                return json_string_characters({{code, code}});
            }
        }
    }

    Result<Expression> group(int depth) {
        ++at_;
        if (take("?")) {
            if (take("<") && !ahead('=') && !ahead('!')) {
                const auto end = text_.find('>', at_);
                if (end == std::string_view::npos) return wrong("a group's name has no >");
                at_ = end + 1;
            } else if (!take(":")) {
                return wrong("look-around is not supported");
            }
        }
        auto inner = alternatives(depth + 1);
        if (!inner) return inner;
        if (ahead('$')) return wrong("an anchor stands within a group");
        if (!take(")")) return wrong("a group has no closing )");
        return inner;
    }

    Result<Expression> quantified(Expression part) {
        std::uint32_t least = 0;
        std::uint32_t most = Expression::unbounded;
        if (take("*")) {
        } else if (take("+")) {
            least = 1;
        } else if (take("?")) {
            most = 1;
        } else if (take("{")) {
            auto number = count();
            if (!number) return std::unexpected(number.error());
            least = most = *number;
            if (take(",")) {
                most = Expression::unbounded;
                if (!ahead('}')) {
                    auto end = count();
                    if (!end) return std::unexpected(end.error());
                    most = *end;
                }
            }
            if (!take("}") || most < least) return wrong("a repetition in braces is malformed");
        } else {
            return part;
        }
        take("?");  // lazy or greedy is the same set of strings
        if (ahead('*') || ahead('+') || ahead('?') || ahead('{')) return wrong("a repetition is repeated");
        return repeat(std::move(part), least, most);
    }

    Result<std::uint32_t> count() {
        std::uint32_t value = 0;
        const auto [last, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (error != std::errc{} || value > repeats_max) return wrong(std::format("a repetition needs a number of at most {}", repeats_max));
        at_ = static_cast<std::size_t>(last - text_.data());
        return value;
    }

    Result<Expression> character_class() {
        ++at_;
        const bool negated = take("^");
        Ranges ranges;
        while (!take("]")) {
            if (at_ >= text_.size()) return wrong("a character class has no closing ]");
            auto first = class_atom();
            if (!first) return std::unexpected(first.error());
            if (ahead('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                auto last = class_atom();
                if (!last) return std::unexpected(last.error());
                if (first->size() != 1 || last->size() != 1 || first->front().first != first->front().last || last->front().first != last->front().last ||
                    last->front().first < first->front().first)
                    return wrong("a range in a character class is malformed");
                ranges.push_back({first->front().first, last->front().first});
            } else {
                ranges.insert(ranges.end(), first->begin(), first->end());
            }
        }
        ranges = negated ? except(std::move(ranges)) : characters(std::move(ranges)).ranges;
        if (ranges.empty()) return wrong("a character class matches nothing");
        return json_string_characters(ranges);
    }

    Result<Ranges> class_atom() {
        if (ahead('\\')) return escape(true);
        const auto code = code_point();
        return Ranges{{code, code}};
    }

    Result<Ranges> escape(bool in_class) {
        ++at_;
        if (at_ >= text_.size()) return wrong("the pattern ends within an escape");
        const char c = text_[at_++];
        const auto one = [](char32_t code) { return Ranges{{code, code}}; };
        switch (c) {
            case 'd': return digit_ranges();
            case 'D': return except(digit_ranges());
            case 'w': return word_ranges();
            case 'W': return except(word_ranges());
            case 's': return space_ranges();
            case 'S': return except(space_ranges());
            case 'n': return one('\n');
            case 'r': return one('\r');
            case 't': return one('\t');
            case 'f': return one('\f');
            case 'v': return one('\v');
            case '0': return one(0);
            case 'x': return hex(2);
            case 'u':
                if (take("{")) {
                    const auto end = text_.find('}', at_);
                    if (end == std::string_view::npos || end == at_ || end - at_ > 6) return wrong("an escape \\u{…} is malformed");
                    auto code = hex(end - at_);
                    ++at_;
                    return code;
                }
                return hex(4);
            case 'b':
                if (in_class) return one('\b');
                [[fallthrough]];
            case 'B': return wrong("word boundaries are not supported");
            default:
                if ((c >= '1' && c <= '9') || c == 'k') return wrong("back references are not supported");
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return wrong(std::format("the escape \\{} is not supported", c));
                --at_;
                return one(code_point());
        }
    }

    Result<Ranges> hex(std::size_t digits) {
        std::uint32_t value = 0;
        const auto from = text_.substr(at_, digits);
        const auto [last, error] = std::from_chars(from.data(), from.data() + from.size(), value, 16);
        if (error != std::errc{} || from.size() < digits || last != from.data() + digits) return wrong("an escape has too few hexadecimal digits");
        if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return wrong("an escape is no Unicode character");
        at_ += digits;
        return Ranges{{value, value}};
    }

    // The text is valid UTF-8, as the JSON parser has checked.
    char32_t code_point() {
        const auto lead = static_cast<unsigned char>(text_[at_]);
        const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0x80 ? 2 : 1;
        char32_t code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
        for (std::size_t i = 1; i < size && at_ + i < text_.size(); ++i) code = (code << 6) | (static_cast<unsigned char>(text_[at_ + i]) & 0x3F);
        at_ = std::min(at_ + size, text_.size());
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

base::Result<Expression> json_pattern(std::string_view pattern) { return PatternParser(pattern).parse(); }

}  // namespace hanse::engine
