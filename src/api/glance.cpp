// SPDX-License-Identifier: Apache-2.0
#include "glance.hpp"

#include <bitset>

#include "base/encoding.hpp"
#include "json.hpp"
#include "json_lexer.hpp"
#include "json_write.hpp"

namespace hanse::api {
namespace {

std::unexpected<base::Error> malformed(const JsonLexer& lexer) {
    return base::fail(base::ErrorKind::invalid,
                      "the body is not valid JSON at byte " + std::to_string(lexer.at) + ": " + (lexer.problem ? lexer.problem : "unexpected text"),
                      "invalid_json");
}

// Behind the opening bracket of a container; moves behind the closing one.
bool skip_container(JsonLexer& lexer) {
    std::bitset<JsonLexer::depth_max> object;
    std::size_t depth = 0;
    bool opened = true;
    const auto open = [&](char bracket) {
        // The body's own object counts as one level.
        if (depth + 1 >= JsonLexer::depth_max) return lexer.fail("nested too deeply");
        object[depth++] = bracket == '{';
        ++lexer.at;
        opened = true;
        return true;
    };
    if (!open(lexer.peek())) return false;
    while (depth > 0) {
        lexer.skip_space();
        const bool in_object = object[depth - 1];
        if (lexer.peek() == (in_object ? '}' : ']')) {
            ++lexer.at;
            --depth;
            opened = false;
            continue;
        }
        if (!opened) {
            if (lexer.peek() != ',') return lexer.fail(in_object ? "',' or '}' is expected" : "',' or ']' is expected");
            ++lexer.at;
            lexer.skip_space();
        }
        if (in_object) {
            if (lexer.peek() != '"') return lexer.fail("a field name in quotes is expected");
            if (!lexer.read_string()) return false;
            lexer.skip_space();
            if (lexer.peek() != ':') return lexer.fail("':' is expected");
            ++lexer.at;
            lexer.skip_space();
        }
        opened = false;
        if (lexer.peek() == '{' || lexer.peek() == '[') {
            if (!open(lexer.peek())) return false;
        } else if (!lexer.read_scalar()) {
            return false;
        }
    }
    return true;
}

bool skip_value(JsonLexer& lexer) {
    if (lexer.peek() == '{' || lexer.peek() == '[') return skip_container(lexer);
    return lexer.read_scalar();
}

std::string decoded(std::string_view quoted) {
    const auto document = JsonDocument::parse(quoted);
    return document ? document->root().string() : std::string();
}

}  // namespace

base::Result<Glance> glance(std::string_view body) {
    JsonLexer lexer{body};
    Glance found;
    bool model_seen = false;
    bool stream_seen = false;
    bool model_is_text = false;
    bool stream_is_bool = true;
    lexer.skip_space();
    if (lexer.peek() != '{') {
        if (lexer.at >= body.size()) return base::fail(base::ErrorKind::invalid, "the body is empty; a JSON object is expected", "invalid_json");
        return base::fail(base::ErrorKind::invalid, "the body must be a JSON object", "invalid_type");
    }
    ++lexer.at;
    for (bool first = true;; first = false) {
        lexer.skip_space();
        if (lexer.peek() == '}') {
            ++lexer.at;
            break;
        }
        if (!first) {
            if (lexer.peek() != ',') {
                lexer.fail("',' or '}' is expected");
                return malformed(lexer);
            }
            ++lexer.at;
            lexer.skip_space();
        }
        const std::size_t key_at = lexer.at;
        if (lexer.peek() != '"') {
            lexer.fail("a field name in quotes is expected");
            return malformed(lexer);
        }
        if (!lexer.read_string()) return malformed(lexer);
        const auto key = body.substr(key_at, lexer.at - key_at);
        const std::string unescaped_key = lexer.escaped ? quoted(decoded(key)) : std::string();
        const std::string_view plain = lexer.escaped ? std::string_view(unescaped_key) : key;
        lexer.skip_space();
        if (lexer.peek() != ':') {
            lexer.fail("':' is expected");
            return malformed(lexer);
        }
        ++lexer.at;
        lexer.skip_space();
        const std::size_t value_at = lexer.at;
        if (!skip_value(lexer)) return malformed(lexer);
        const auto value = body.substr(value_at, lexer.at - value_at);
        if (plain == "\"model\"") {
            if (model_seen) return base::fail(base::ErrorKind::invalid, "model is there twice", "duplicate_field", "model");
            model_seen = true;
            found.model_at = value_at;
            found.model_size = value.size();
            model_is_text = value.front() == '"';
            if (model_is_text && lexer.escaped)
                found.model = decoded(value);
            else if (model_is_text)
                found.model = value.substr(1, value.size() - 2);
        } else if (plain == "\"stream\"") {
            if (stream_seen) return base::fail(base::ErrorKind::invalid, "stream is there twice", "duplicate_field", "stream");
            stream_seen = true;
            found.stream = value == "true";
            stream_is_bool = value == "true" || value == "false" || value == "null";
        }
    }
    lexer.skip_space();
    if (lexer.at != body.size()) {
        lexer.fail("nothing may follow the value");
        return malformed(lexer);
    }
    if (lexer.high && !base::is_valid_utf8(body)) return base::fail(base::ErrorKind::invalid, "the body is not valid UTF-8", "invalid_utf8");
    if (!model_is_text) {
        if (model_seen) return base::fail(base::ErrorKind::invalid, "model must be a string", "invalid_type", "model");
        return base::fail(base::ErrorKind::invalid, "model is required and must be a string", "missing_field", "model");
    }
    if (!stream_is_bool) return base::fail(base::ErrorKind::invalid, "stream must be a boolean", "invalid_type", "stream");
    return found;
}

std::string with_model(std::string_view body, const Glance& glance, std::string_view name) {
    std::string out;
    out.reserve(body.size() + name.size());
    out += body.substr(0, glance.model_at);
    append_quoted(out, name);
    out += body.substr(glance.model_at + glance.model_size);
    return out;
}

}  // namespace hanse::api
