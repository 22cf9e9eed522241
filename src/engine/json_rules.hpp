// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "grammar.hpp"

namespace hanse::engine {

// The rules that all JSON grammars share, by name: json-gap, json-char, json-string, json-key-rest,
// json-integer, json-number, json-member, json-object, json-array, json-value. Adds those that are missing.
void append_json_rules(GrammarSource& source);

// Where a break or a space may stand: behind { [ and a comma, before } and ].
Expression json_gap();
// The JSON text of a string, quotes included.
Expression json_string_literal(std::string_view text);
// One character out of `ranges` as it is written within a JSON string.
Expression json_string_characters(const std::vector<CodeRange>& ranges);
// A key that is none of `names`, quotes included.
Expression json_other_key(const std::vector<std::string>& names);

struct NumberBounds {
    std::optional<std::int64_t> least = {};
    std::optional<std::int64_t> most = {};
    bool above_least = false;  // `least` itself is excluded; for numbers only
    bool below_most = false;
    bool operator==(const NumberBounds&) const = default;
};
constexpr std::int64_t json_whole_max = 9'999'999'999'999'999;  // longest number written: 16 digits
Expression json_integer(const NumberBounds& bounds);
Expression json_number(const NumberBounds& bounds);

// The content of strings of a format, without quotes; nothing if the format is unknown.
std::optional<Expression> json_format(std::string_view format);
// The content of strings that a regular expression (ECMA-262, without look-around, back references and
// word boundaries) finds, without quotes. The error's message says what is wrong, not where.
base::Result<Expression> json_pattern(std::string_view pattern);

}  // namespace hanse::engine
