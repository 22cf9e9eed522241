// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hanse::base {

using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string hex(std::span<const std::byte> bytes);
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648: section 4 with padding, and section 5 without.
std::string base64(std::span<const std::byte> bytes);
std::string base64url(std::span<const std::byte> bytes);
// Section 4, strictly: padding is there, bits beyond the last byte are zero, and nothing else stands between.
// So no two texts stand for the same bytes.
std::optional<Bytes> from_base64(std::string_view text);

// RFC 3629; rejects overlong forms, surrogates and what lies beyond U+10FFFF.
bool is_valid_utf8(std::string_view text);
// The length of the longest prefix of `text` that does not end inside a character: what of a stream may
// be handed on now, while the rest waits for its remaining bytes.
std::size_t whole_utf8_prefix(std::string_view text);
// Each maximal ill-formed part replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);

}  // namespace hanse::base
