// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/encoding.hpp"
#include "base/utf8.hpp"
#include "json_lexer.hpp"

namespace hanse::api {
namespace {

std::uint32_t unit_at(std::string_view text, std::size_t at) {
    std::uint32_t unit = 0;
    std::from_chars(text.data() + at, text.data() + at + 4, unit, 16);
    return unit;
}

// The lexer has seen that every escape is well-formed.
std::string unescaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto slash = text.find('\\', at);
        out.append(text.substr(at, slash - at));
        if (slash == std::string_view::npos) break;
        at = slash + 2;
        switch (text[slash + 1]) {
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': {
                std::uint32_t code = unit_at(text, at);
                at += 4;
                if (code >= 0xD800 && code <= 0xDBFF) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (unit_at(text, at + 2) - 0xDC00);
                    at += 6;
                }
                base::append_utf8(out, code);
                break;
            }
            default: out += text[slash + 1];
        }
    }
    return out;
}

base::Error malformed(const JsonLexer& lexer) {
    return {base::ErrorKind::invalid,
            "the body is not valid JSON at byte " + std::to_string(lexer.at) + ": " + (lexer.problem ? lexer.problem : "unexpected text"),
            "invalid_json"};
}

JsonKind kind_of(char first) {
    switch (first) {
        case '"': return JsonKind::string;
        case '{': return JsonKind::object;
        case '[': return JsonKind::array;
        case 't':
        case 'f': return JsonKind::boolean;
        case 'n': return JsonKind::null;
        default: return JsonKind::number;
    }
}

}  // namespace

std::string_view name(JsonKind kind) {
    constexpr std::array<std::string_view, 6> names{"null", "a boolean", "a number", "a string", "an array", "an object"};
    return names[static_cast<std::size_t>(kind)];
}

base::Result<JsonDocument> JsonDocument::parse(std::string_view text) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
        return base::fail(base::ErrorKind::too_large, "the body is larger than 4 GiB");
    JsonLexer lexer{text};
    JsonDocument document;
    document.text_ = text;
    auto& nodes = document.nodes_;
    nodes.reserve(64);
    std::array<std::uint32_t, JsonLexer::depth_max> open{};  // containers around us
    std::size_t depth = 0;

    const auto position = [&] { return static_cast<std::uint32_t>(lexer.at); };
    const auto bad = [&](const char* what) {
        lexer.fail(what);
        return std::unexpected(malformed(lexer));
    };
    // Reads a value; a container is only opened.
    const auto read_value = [&]() -> bool {
        const char first = lexer.peek();
        const JsonKind kind = kind_of(first);
        nodes.push_back({position(), 0, 0, 0, kind, false});
        if (kind == JsonKind::array || kind == JsonKind::object) {
            if (depth == open.size()) return lexer.fail("nested too deeply");
            open[depth++] = static_cast<std::uint32_t>(nodes.size() - 1);
            ++lexer.at;
            return true;
        }
        const auto index = nodes.size() - 1;
        if (!lexer.read_scalar()) return false;
        nodes[index].end = position();
        nodes[index].next = static_cast<std::uint32_t>(nodes.size());
        nodes[index].escaped = kind == JsonKind::string && lexer.escaped;
        return true;
    };

    lexer.skip_space();
    if (!read_value()) return std::unexpected(malformed(lexer));
    while (depth > 0) {
        if (nodes.size() > nodes_max) return base::fail(base::ErrorKind::too_large, "the body holds too many values", "too_many_values");
        const auto container = open[depth - 1];
        const bool object = nodes[container].kind == JsonKind::object;
        lexer.skip_space();
        if (lexer.peek() == (object ? '}' : ']')) {
            ++lexer.at;
            nodes[container].end = position();
            nodes[container].next = static_cast<std::uint32_t>(nodes.size());
            --depth;
            continue;
        }
        if (nodes[container].count > 0) {
            if (lexer.peek() != ',') return bad(object ? "',' or '}' is expected" : "',' or ']' is expected");
            ++lexer.at;
            lexer.skip_space();
        }
        if (object) {
            if (lexer.peek() != '"') return bad("a field name in quotes is expected");
            if (!read_value()) return std::unexpected(malformed(lexer));
            lexer.skip_space();
            if (lexer.peek() != ':') return bad("':' is expected");
            ++lexer.at;
            lexer.skip_space();
        }
        ++nodes[container].count;
        if (!read_value()) return std::unexpected(malformed(lexer));
    }
    lexer.skip_space();
    if (lexer.at != text.size()) return bad("nothing may follow the value");
    if (lexer.high && !base::is_valid_utf8(text))
        return base::fail(base::ErrorKind::invalid, "the body is not valid UTF-8", "invalid_utf8");
    return document;
}

JsonKind JsonValue::kind() const { return document_->nodes_[index_].kind; }
std::size_t JsonValue::size() const { return document_->nodes_[index_].count; }

std::string_view JsonValue::raw() const {
    const auto& node = document_->nodes_[index_];
    return document_->text_.substr(node.begin, node.end - node.begin);
}

bool JsonValue::boolean() const { return raw() == "true"; }

double JsonValue::number() const {
    const auto text = raw();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    // Beyond a double's range: the caller's limits refuse it.
    if (error == std::errc::result_out_of_range) return text.front() == '-' ? -HUGE_VAL : HUGE_VAL;
    return value;
}

std::optional<std::int64_t> JsonValue::integer() const {
    const auto text = raw();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    // 10.0 and 1e3 are whole numbers too.
    const double real = number();
    if (std::isfinite(real) && std::abs(real) <= 9007199254740992.0 && real == std::floor(real)) return static_cast<std::int64_t>(real);
    return std::nullopt;
}

std::string JsonValue::string() const {
    const auto text = raw();
    const auto inner = text.substr(1, text.size() - 2);
    return document_->nodes_[index_].escaped ? unescaped(inner) : std::string(inner);
}

std::optional<JsonValue> JsonValue::first() const {
    const auto next = document_->nodes_[index_].next;
    if (index_ + 1 == next) return std::nullopt;
    return JsonValue(document_, index_ + 1, next);
}

std::optional<JsonValue> JsonValue::next() const {
    const auto next = document_->nodes_[index_].next;
    if (next >= stop_) return std::nullopt;
    return JsonValue(document_, next, stop_);
}

}  // namespace hanse::api
