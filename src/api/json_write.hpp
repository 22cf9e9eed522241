// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace hanse::api {

// JSON is written by hand here: an answer is mostly the model's text between fixed words, and streaming
// repeats the same words for each token.

// The inside of a JSON string. What is not valid UTF-8 becomes U+FFFD, since JSON has no other way.
void append_escaped(std::string& out, std::string_view text);
// With quotes.
void append_quoted(std::string& out, std::string_view text);
void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, double value);  // null if it is not finite
void append_number(std::string& out, float value);   // as short as a float needs
template <std::unsigned_integral T>
void append_number(std::string& out, T value) {
    append_number(out, static_cast<std::int64_t>(value));
}
inline void append_bool(std::string& out, bool value) { out += value ? "true" : "false"; }

std::string quoted(std::string_view text);

}  // namespace hanse::api
