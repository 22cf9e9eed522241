// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

// The tree as static files, as C2SP tlog-tiles says:
//
//   tile/<level>/<index>[.p/<width>]   up to 256 hashes of 32 bytes; at level l each is the root of a complete
//                                      subtree of 256^l leaves
//   tile/entries/<index>[.p/<width>]   up to 256 entries, each with its length before it in two bytes, big-endian
//
// An index is written in groups of three digits, all but the last with an x: 1234067 is x001/x234/067. A full
// tile never changes; one of width 1…255 is a part that a checkpoint needed.
inline constexpr unsigned tile_width = 256;
inline constexpr std::size_t entry_max = 65'535;

struct TileName {
    std::optional<std::uint8_t> level;  // none: a bundle of entries
    std::uint64_t index = 0;
    unsigned width = tile_width;
    bool operator==(const TileName&) const = default;
    std::string path() const;
    // Nothing for a path that is not exactly as path() writes it.
    static std::optional<TileName> parse(std::string_view path);
};

// How many hashes the tile has in a tree of `size` leaves: 256, a part, or 0.
unsigned width_in(std::uint64_t size, unsigned level, std::uint64_t index);

base::Bytes tile_bytes(std::span<const Hash> hashes);
// `corrupt` unless there are exactly `width` of them.
base::Result<std::vector<Hash>> parse_tile(std::span<const std::byte> bytes, unsigned width);

// `too_large` for an entry over 65,535 bytes.
base::Result<void> append_to_bundle(base::Bytes& bundle, std::span<const std::byte> entry);
// Views into `bytes`; `corrupt` unless there are exactly `width` entries and nothing after them.
base::Result<std::vector<std::span<const std::byte>>> parse_bundle(std::span<const std::byte> bytes, unsigned width);

// The nodes of the tree of `size` leaves out of its tiles. `fetch` gives the hashes of a tile of that width, or
// more; the last tile of each level is kept, so that one proof fetches each tile once. Neither thread-safe nor
// longer-lived than what `fetch` reads from.
using TileFetch = std::function<base::Result<std::vector<Hash>>(const TileName& name)>;
NodeReader nodes_from_tiles(std::uint64_t size, TileFetch fetch);

}  // namespace hanse::journal
