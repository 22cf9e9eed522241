// SPDX-License-Identifier: Apache-2.0
#include "json_write.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/encoding.hpp"
#include "json_lexer.hpp"

namespace hanse::api {
namespace {

void append_escape(std::string& out, unsigned char c) {
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        default: break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u00";
    out += digits[c >> 4];
    out += digits[c & 15];
}

template <typename T>
void append_chars(std::string& out, T value) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    out.append(buffer.data(), end);
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
    JsonLexer runs{text};
    bool checked = false;
    for (std::size_t begin = 0;;) {
        runs.run();
        // Bytes beyond ASCII stop a run but are written as they are, once the text is known to be UTF-8.
        if (runs.at < text.size() && static_cast<unsigned char>(text[runs.at]) >= 0x80) {
            if (!checked && !base::is_valid_utf8(text.substr(runs.at))) {
                out.append(text.substr(begin, runs.at - begin));
                append_escaped(out, base::repaired_utf8(text.substr(runs.at)));
                return;
            }
            checked = true;
            while (runs.at < text.size() && static_cast<unsigned char>(text[runs.at]) >= 0x80) ++runs.at;
            continue;
        }
        out.append(text.substr(begin, runs.at - begin));
        if (runs.at >= text.size()) return;
        append_escape(out, static_cast<unsigned char>(text[runs.at]));
        begin = ++runs.at;
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    append_escaped(out, text);
    out += '"';
}

std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

void append_number(std::string& out, std::int64_t value) { append_chars(out, value); }

void append_number(std::string& out, double value) {
    if (std::isfinite(value))
        append_chars(out, value);
    else
        out += "null";
}

void append_number(std::string& out, float value) {
    if (std::isfinite(value))
        append_chars(out, value);
    else
        out += "null";
}

}  // namespace hanse::api
