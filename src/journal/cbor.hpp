// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/encoding.hpp"

// The little of CBOR that COSE receipts need, in its deterministic form (RFC 8949, section 4.2.1): shortest heads,
// definite lengths. Whoever writes a map puts its keys in order. Pure.
namespace hanse::journal {

enum class Cbor : std::uint8_t { uint = 0, negative = 1, bytes = 2, text = 3, array = 4, map = 5, tag = 6, simple = 7 };
inline constexpr std::uint64_t cbor_null = 22;

class CborWriter {
public:
    CborWriter& head(Cbor kind, std::uint64_t value);
    CborWriter& integer(std::int64_t value);
    CborWriter& bytes(std::span<const std::byte> value);
    CborWriter& text(std::string_view value);
    const base::Bytes& made() const { return made_; }

private:
    base::Bytes made_;
};

// Takes items one by one; after the first that is not there as expected everything fails.
class CborReader {
public:
    explicit CborReader(std::span<const std::byte> rest) : rest_(rest) {}
    // The value in a head of that kind; nothing for another kind, or for a head that is not the shortest.
    std::optional<std::uint64_t> head(Cbor kind);
    std::optional<std::int64_t> integer();
    std::optional<std::span<const std::byte>> bytes();
    std::optional<std::string_view> text();
    // True only if exactly that stands next.
    bool exactly(Cbor kind, std::uint64_t value) { return head(kind) == value; }
    bool exactly(std::int64_t value) { return integer() == value; }
    bool at_end() const { return rest_.empty(); }

private:
    std::optional<std::span<const std::byte>> take(Cbor kind);
    std::span<const std::byte> rest_;
};

}  // namespace hanse::journal
