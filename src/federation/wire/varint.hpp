// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/encoding.hpp"

namespace hanse::federation::wire {

// LEB128, seven bits a byte, the low ones first.
inline void put_varint(std::uint64_t value, base::Bytes& out) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
    out.push_back(static_cast<std::byte>(value));
}
inline std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
}

// Takes one off the front; nothing if it is not there whole, not in its shortest form, or over 64 bits.
inline std::optional<std::uint64_t> take_varint(std::span<const std::byte>& rest) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < rest.size(); ++i) {
        const auto byte = std::to_integer<std::uint64_t>(rest[i]);
        if (i == 9 && byte > 1) return {};
        value |= (byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0) continue;
        if (byte == 0 && i > 0) return {};
        rest = rest.subspan(i + 1);
        return value;
    }
    return {};
}

}  // namespace hanse::federation::wire
