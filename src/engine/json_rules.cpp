// SPDX-License-Identifier: Apache-2.0
#include "json_rules.hpp"

#include <algorithm>
#include <format>
#include <map>

namespace hanse::engine {
namespace {

Expression digit() { return characters({{'0', '9'}}); }
Expression hex_digit() { return characters({{'0', '9'}, {'a', 'f'}, {'A', 'F'}}); }
Expression digits(std::uint32_t least, std::uint32_t most) { return repeat(digit(), least, most); }

// A surrogate comes only as a pair, which is one character.
Expression escape() {
    const auto hex = [](std::uint32_t n) { return repeat(hex_digit(), n, n); };
    return sequence({literal("\\"),
                     choice({characters({{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}}),
                             sequence({literal("u"), choice({sequence({characters({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}}), hex(3)}),
                                                             sequence({characters({{'d', 'd'}, {'D', 'D'}}), characters({{'0', '7'}}), hex(2)}),
                                                             sequence({characters({{'d', 'd'}, {'D', 'D'}}), characters({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), hex(2),
                                                                       literal("\\u"), characters({{'d', 'd'}, {'D', 'D'}}), characters({{'c', 'f'}, {'C', 'F'}}), hex(2)})})})})});
}

// [item {"," item}] between brackets.
Expression list_of(std::string open, const Expression& item, std::string close) {
    return sequence({literal(std::move(open)), json_gap(),
                     optional(sequence({item, repeat(sequence({literal(","), json_gap(), item}), 0), json_gap()})), literal(std::move(close))});
}

// Whole numbers without sign from `first` to `last`, both written with as many digits.
Expression digits_between(std::string_view first, std::string_view last) {
    if (first.empty()) return {};
    const auto left = static_cast<std::uint32_t>(first.size() - 1);
    const auto one = [](char c) { return literal(std::string(1, c)); };
    if (first.front() == last.front()) return sequence({one(first.front()), digits_between(first.substr(1), last.substr(1))});
    const bool first_is_round = first.substr(1).find_first_not_of('0') == std::string_view::npos;
    const bool last_is_round = last.substr(1).find_first_not_of('9') == std::string_view::npos;
    const char low = static_cast<char>(first.front() + (first_is_round ? 0 : 1));
    const char high = static_cast<char>(last.front() - (last_is_round ? 0 : 1));
    std::vector<Expression> ways;
    if (!first_is_round) ways.push_back(sequence({one(first.front()), digits_between(first.substr(1), std::string(left, '9'))}));
    if (low <= high) ways.push_back(sequence({characters({{static_cast<char32_t>(low), static_cast<char32_t>(high)}}), digits(left, left)}));
    if (!last_is_round) ways.push_back(sequence({one(last.front()), digits_between(std::string(left, '0'), last.substr(1))}));
    return choice(std::move(ways));
}

Expression whole_between(std::int64_t first, std::int64_t last) {
    std::vector<Expression> ways;
    std::uint32_t full_least = 0;  // lengths of which every number belongs to it, joined in one way
    std::uint32_t full_most = 0;
    for (std::uint32_t size = 1; size <= 16; ++size) {
        const auto least = std::stoll(size == 1 ? "0" : "1" + std::string(size - 1, '0'));
        const auto most = std::stoll(std::string(size, '9'));
        if (size > 1 && first <= least && last >= most) {
            if (full_least == 0) full_least = size;
            full_most = size;
            continue;
        }
        const auto low = std::max<std::int64_t>(first, least);
        const auto high = std::min<std::int64_t>(last, most);
        if (low <= high) ways.push_back(digits_between(std::to_string(low), std::to_string(high)));
    }
    if (full_least > 0) ways.push_back(sequence({characters({{'1', '9'}}), digits(full_least - 1, full_most - 1)}));
    return choice(std::move(ways));
}

Expression matches_nothing() { return characters({}); }

// Numbers without sign from `first` to `last`: a fraction may follow all but the last, and must follow the
// first if that is excluded.
Expression decimal_between(std::int64_t first, bool above_first, std::int64_t last, bool below_last) {
    const auto fraction = [] { return sequence({literal("."), digits(1, 16)}); };
    const auto some_fraction = [] { return sequence({literal("."), digits(0, 15), characters({{'1', '9'}})}); };
    std::vector<Expression> ways;
    auto next = first;
    if (above_first && first < last) {
        ways.push_back(sequence({literal(std::to_string(first)), some_fraction()}));
        ++next;
    }
    if (next < last) ways.push_back(sequence({whole_between(next, last - 1), optional(fraction())}));
    if (!below_last && !(above_first && first == last))
        ways.push_back(sequence({literal(std::to_string(last)), optional(sequence({literal("."), repeat(literal("0"), 1, 16)}))}));
    if (ways.empty()) return matches_nothing();
    return choice(std::move(ways));
}

}  // namespace

Expression json_gap() { return rule("json-gap"); }

void append_json_rules(GrammarSource& source) {
    const auto add = [&](std::string name, auto make) {
        const auto known = std::ranges::find(source.rules, name, &std::pair<std::string, Expression>::first);
        if (known == source.rules.end()) source.rules.emplace_back(std::move(name), make());
    };
    add("json-gap", [] { return choice({Expression{}, literal(" "), sequence({literal("\n"), repeat(literal(" "), 0, 16)})}); });
    add("json-char", [] { return choice({characters_except({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}), escape()}); });
    add("json-string", [] { return sequence({literal("\""), repeat(rule("json-char"), 0), literal("\"")}); });
    add("json-key-rest", [] { return repeat(characters_except({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}), 0); });
    add("json-integer", [] { return json_integer({}); });
    add("json-number", [] { return json_number({}); });
    add("json-member", [] { return sequence({rule("json-string"), literal(":"), optional(literal(" ")), rule("json-value")}); });
    add("json-object", [] { return list_of("{", rule("json-member"), "}"); });
    add("json-array", [] { return list_of("[", rule("json-value"), "]"); });
    add("json-value", [] {
        return choice({rule("json-object"), rule("json-array"), rule("json-string"), rule("json-number"), literal("true"), literal("false"), literal("null")});
    });
}

Expression json_string_literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) out += std::format("\\u{:04x}", static_cast<unsigned>(c));
                else out += c;
        }
    }
    return literal(out + '"');
}

Expression json_string_characters(const std::vector<CodeRange>& ranges) {
    std::vector<CodeRange> plain;
    std::vector<Expression> ways;
    const auto take = [&](char32_t first, char32_t last) {
        if (first <= last) plain.push_back({first, last});
    };
    for (const auto& range : ranges) {
        for (auto code = range.first; code <= std::min<char32_t>(range.last, 0x1F); ++code) {
            const auto quoted = json_string_literal(std::string(1, static_cast<char>(code))).text;
            ways.push_back(literal(quoted.substr(1, quoted.size() - 2)));
        }
        auto first = std::max<char32_t>(range.first, 0x20);
        for (const char32_t special : {U'"', U'\\'}) {
            if (special < first || special > range.last) continue;
            take(first, special - 1);
            ways.push_back(literal(special == U'"' ? "\\\"" : "\\\\"));
            first = special + 1;
        }
        take(first, range.last);
    }
    if (!plain.empty() || ways.empty()) ways.push_back(characters(std::move(plain)));
    return choice(std::move(ways));
}

Expression json_other_key(const std::vector<std::string>& names) {
    struct Node {
        std::map<char32_t, Node> next;
        bool taken = false;
        Expression expression() const {
            // Keys with escapes are not generated: they could spell one of the names.
            std::vector<CodeRange> known{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
            std::vector<Expression> ways;
            for (const auto& [code, node] : next) {
                known.push_back({code, code});
                if (code >= 0x20 && code != '"' && code != '\\') ways.push_back(sequence({characters({{code, code}}), node.expression()}));
            }
            ways.push_back(sequence({characters_except(std::move(known)), rule("json-key-rest")}));
            if (!taken) ways.emplace_back();
            return choice(std::move(ways));
        }
    } root;
    for (const auto& name : names) {
        auto* node = &root;
        for (std::size_t i = 0; i < name.size();) {
            const auto lead = static_cast<unsigned char>(name[i]);
            const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0x80 ? 2 : 1;
            char32_t code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
            for (std::size_t k = 1; k < size && i + k < name.size(); ++k) code = (code << 6) | (static_cast<unsigned char>(name[i + k]) & 0x3F);
            node = &node->next[code];
            i += size;
        }
        node->taken = true;
    }
    return sequence({literal("\""), root.expression(), literal("\"")});
}

Expression json_integer(const NumberBounds& bounds) {
    if (bounds == NumberBounds{}) return choice({literal("0"), sequence({optional(literal("-")), characters({{'1', '9'}}), digits(0, 15)})});
    const auto least = bounds.least.value_or(-json_whole_max);
    const auto most = bounds.most.value_or(json_whole_max);
    std::vector<Expression> ways;
    if (most >= 0 && std::max<std::int64_t>(least, 0) <= most) ways.push_back(whole_between(std::max<std::int64_t>(least, 0), most));
    if (least < 0 && least <= most) ways.push_back(sequence({literal("-"), whole_between(std::max<std::int64_t>(-most, 1), -least)}));
    if (ways.empty()) return matches_nothing();
    return choice(std::move(ways));
}

Expression json_number(const NumberBounds& bounds) {
    if (bounds == NumberBounds{}) {
        return sequence({optional(literal("-")), choice({literal("0"), sequence({characters({{'1', '9'}}), digits(0, 15)})}),
                         optional(sequence({literal("."), digits(1, 16)})),
                         optional(sequence({characters({{'e', 'e'}, {'E', 'E'}}), optional(characters({{'+', '+'}, {'-', '-'}})), digits(1, 2)}))});
    }
    const auto least = bounds.least.value_or(-json_whole_max);
    const auto most = bounds.most.value_or(json_whole_max);
    std::vector<Expression> ways;
    if (most >= 0 && least <= most) ways.push_back(decimal_between(std::max<std::int64_t>(least, 0), bounds.above_least && least >= 0, most, bounds.below_most));
    if (least < 0 && least <= most) {
        // -0 would be written for a zero that an exclusive upper bound forbids.
        ways.push_back(sequence({literal("-"), decimal_between(std::max<std::int64_t>(-most, 0), bounds.below_most && most <= 0, -least, bounds.above_least)}));
    }
    if (ways.empty()) return matches_nothing();
    return choice(std::move(ways));
}

std::optional<Expression> json_format(std::string_view format) {
    const auto two = [](std::int64_t first, std::int64_t last) {
        return digits_between(std::format("{:02}", first), std::format("{:02}", last));
    };
    const auto date = [&] {
        const auto month_of = [&](std::string_view months, std::int64_t days) {
            std::vector<Expression> ways;
            for (std::size_t i = 0; i < months.size(); i += 2) ways.push_back(literal(std::string(months.substr(i, 2))));
            return sequence({choice(std::move(ways)), literal("-"), two(1, days)});
        };
        // The 29th of February is left out: whether it exists depends on the year.
        return sequence({digits(4, 4), literal("-"), choice({month_of("01030507081012", 31), month_of("04060911", 30), month_of("02", 28)})});
    };
    const auto time = [&] {
        return sequence({two(0, 23), literal(":"), two(0, 59), literal(":"), two(0, 59), optional(sequence({literal("."), digits(1, 9)})),
                         choice({literal("Z"), sequence({characters({{'+', '+'}, {'-', '-'}}), two(0, 23), literal(":"), two(0, 59)})})});
    };
    const auto letters = [] { return std::vector<CodeRange>{{'a', 'z'}, {'A', 'Z'}, {'0', '9'}}; };
    const auto label = [&] {
        auto inner = letters();
        inner.push_back({'-', '-'});
        return sequence({characters(letters()), optional(sequence({repeat(characters(std::move(inner)), 0, 61), characters(letters())}))});
    };
    const auto host = [&] { return sequence({label(), repeat(sequence({literal("."), label()}), 1, 8)}); };
    const auto hex = [](std::uint32_t n) { return repeat(hex_digit(), n, n); };
    if (format == "date") return date();
    if (format == "time") return time();
    if (format == "date-time") return sequence({date(), literal("T"), time()});
    if (format == "uuid")
        return sequence({hex(8), literal("-"), hex(4), literal("-"), hex(4), literal("-"), hex(4), literal("-"), hex(12)});
    if (format == "ipv4") {
        const auto part = [] { return whole_between(0, 255); };
        return sequence({part(), literal("."), part(), literal("."), part(), literal("."), part()});
    }
    if (format == "hostname") return sequence({label(), repeat(sequence({literal("."), label()}), 0, 8)});
    if (format == "email") {
        const auto atom = [&] {
            auto set = letters();
            for (const char32_t c : std::u32string_view(U"_+-")) set.push_back({c, c});
            return repeat(characters(std::move(set)), 1, 32);
        };
        return sequence({atom(), repeat(sequence({literal("."), atom()}), 0, 4), literal("@"), host()});
    }
    return std::nullopt;
}

}  // namespace hanse::engine
