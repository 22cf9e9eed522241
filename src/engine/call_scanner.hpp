// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace hanse::engine {

// Decodes the inside of a JSON string byte by byte, escapes and surrogate pairs included.
class StringScanner {
public:
    enum class Took : std::uint8_t { more, done, wrong };
    // Takes the byte behind the opening quote and those that follow; text is appended to `out`.
    Took take(char c, std::string& out);

private:
    enum class Step : std::uint8_t { plain, escape, hex };
    void finish_escape(std::string& out);
    Step step_ = Step::plain;
    int digits_ = 0;
    std::uint32_t code_ = 0;
    std::uint32_t high_ = 0;  // first half of a surrogate pair
};

// Reads one tool call as it grows: {"name": …, "arguments": {…}} in any order and with other members between,
// or {"name": {…}} where the only key is the name. Arguments are passed on as they were written; written as a string
// of JSON they are decoded. One object per call; pure.
class CallScanner {
public:
    enum class Style : std::uint8_t { members, key_is_name, arguments_alone };
    enum class Took : std::uint8_t { more, done, wrong };

    // `name` is known beforehand in the style arguments_alone: the whole object is the arguments.
    explicit CallScanner(Style style, std::string name = {}) : style_(style), name_(std::move(name)) {}

    // The first byte must be the opening brace.
    Took take(char c);

    // Name and arguments have both begun, or the object is complete: from now on it counts as a call.
    bool begun() const { return begun_; }
    const std::string& name() const { return name_; }
    Style style() const { return style_; }
    // Arguments read since the last time; nothing before begun().
    std::string take_arguments();

private:
    enum class Step : std::uint8_t { open, key_or_end, key, colon, value, in_value, comma_or_end };
    enum class Use : std::uint8_t { skip, name, arguments };
    enum class Shape : std::uint8_t { text, nested, bare };

    Took begin_value(char c);
    Took in_value(char c);
    Took end_value();
    Took complete();
    void put(char c);

    const Style style_;
    std::string name_;
    Step step_ = Step::open;
    std::string key_;
    Use use_ = Use::skip;
    Shape shape_ = Shape::bare;
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    StringScanner string_;
    std::string bare_;
    std::string arguments_;
    bool has_arguments_ = false;
    bool begun_ = false;
};

}  // namespace hanse::engine
