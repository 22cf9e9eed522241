// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "journal/record_store.hpp"

namespace hanse::journal {

// A record's frame in bytes, as record_store.hpp says. Pure.
inline constexpr std::size_t frame_align = 128;
inline constexpr std::size_t header_size = 128;

struct FrameHeader {
    std::uint32_t length = 0;
    std::uint64_t index = 0;
    std::uint64_t batch = 0;
    std::uint64_t time_ms = 0;
    RecordId id{};
    Salt salt{};
    Hash commitment{};
    bool erased = false;

    // Including the gap to the next frame.
    std::uint64_t frame_size() const { return (header_size + length + frame_align - 1) / frame_align * frame_align; }
    std::array<std::byte, header_size> bytes() const;
    // Nothing unless magic, check and length are right.
    static std::optional<FrameHeader> parse(std::span<const std::byte> bytes);
};

}  // namespace hanse::journal
