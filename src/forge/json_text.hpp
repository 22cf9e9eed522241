// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hanse::forge {

// Quoted and escaped.
std::string json_text(std::string_view text);
// The object with the plain value (number, word, quoted text) of one of its own members replaced, or the member added; every other byte
// stays. `value` is JSON.
std::string with_member(std::string_view object, std::string_view key, std::string_view value);
bool has_member(std::string_view object, std::string_view key);

}  // namespace hanse::forge
