// SPDX-License-Identifier: Apache-2.0
#include "journal/tile.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <map>
#include <memory>

namespace hanse::journal {
namespace {

std::optional<std::uint64_t> digits(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string grouped(std::uint64_t index) {
    std::string text = std::format("{:03}", index % 1000);
    for (index /= 1000; index > 0; index /= 1000) text = std::format("x{:03}/", index % 1000) + text;
    return text;
}

}  // namespace

std::string TileName::path() const {
    std::string path = level ? std::format("tile/{}/{}", *level, grouped(index)) : "tile/entries/" + grouped(index);
    if (width != tile_width) path += std::format(".p/{}", width);
    return path;
}

std::optional<TileName> TileName::parse(std::string_view path) {
    const std::string_view whole = path;
    if (path.size() > 64 || !path.starts_with("tile/")) return std::nullopt;
    path.remove_prefix(5);
    const auto slash = path.find('/');
    if (slash == path.npos) return std::nullopt;
    TileName name;
    if (const std::string_view first = path.substr(0, slash); first != "entries") {
        const auto level = digits(first);
        if (!level || *level > 63) return std::nullopt;
        name.level = static_cast<std::uint8_t>(*level);
    }
    path.remove_prefix(slash + 1);
    if (const auto part = path.find(".p/"); part != path.npos) {
        const auto width = digits(path.substr(part + 3));
        if (!width || *width == 0 || *width >= tile_width) return std::nullopt;
        name.width = static_cast<unsigned>(*width);
        path = path.substr(0, part);
    }
    for (int group = 0; !path.empty(); ++group) {
        const bool more = path.starts_with('x');
        const auto value = digits(path.substr(more ? 1 : 0, 3));
        if (!value || group > 6 || name.index > (UINT64_MAX - *value) / 1000) return std::nullopt;
        name.index = name.index * 1000 + *value;
        path.remove_prefix(std::min<std::size_t>(path.size(), more ? 5 : 3));
    }
    // Leading zeroes, missing x and the like: there is one way to write a name.
    return name.path() == whole ? std::optional(name) : std::nullopt;
}

unsigned width_in(std::uint64_t size, unsigned level, std::uint64_t index) {
    const std::uint64_t hashes = level >= 8 ? 0 : size >> (8 * level);
    const std::uint64_t before = hashes / tile_width;
    return index < before ? tile_width : index == before ? static_cast<unsigned>(hashes % tile_width) : 0;
}

base::Bytes tile_bytes(std::span<const Hash> hashes) {
    const auto bytes = std::as_bytes(hashes);
    return {bytes.begin(), bytes.end()};
}

base::Result<std::vector<Hash>> parse_tile(std::span<const std::byte> bytes, unsigned width) {
    if (bytes.size() != width * sizeof(Hash))
        return base::fail(base::ErrorKind::corrupt, std::format("a tile of {} hashes has {} bytes", width, bytes.size()));
    std::vector<Hash> hashes(width);
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(hashes)).begin());
    return hashes;
}

base::Result<void> append_to_bundle(base::Bytes& bundle, std::span<const std::byte> entry) {
    if (entry.size() > entry_max) return base::fail(base::ErrorKind::too_large, "an entry of the log has at most 65,535 bytes");
    bundle.push_back(static_cast<std::byte>(entry.size() >> 8));
    bundle.push_back(static_cast<std::byte>(entry.size()));
    bundle.insert(bundle.end(), entry.begin(), entry.end());
    return {};
}

base::Result<std::vector<std::span<const std::byte>>> parse_bundle(std::span<const std::byte> bytes, unsigned width) {
    std::vector<std::span<const std::byte>> entries;
    while (!bytes.empty() && entries.size() < width) {
        if (bytes.size() < 2) break;
        const std::size_t size = std::to_integer<std::size_t>(bytes[0]) << 8 | std::to_integer<std::size_t>(bytes[1]);
        if (bytes.size() < 2 + size) break;
        entries.push_back(bytes.subspan(2, size));
        bytes = bytes.subspan(2 + size);
    }
    if (!bytes.empty() || entries.size() != width)
        return base::fail(base::ErrorKind::corrupt,
                          std::format("a bundle of {} entries breaks off or goes on at entry {}", width, entries.size()));
    return entries;
}

NodeReader nodes_from_tiles(std::uint64_t size, TileFetch fetch) {
    struct Kept {
        std::uint64_t index = 0;
        std::vector<Hash> hashes;
    };
    auto kept = std::make_shared<std::map<unsigned, Kept>>();
    return [size, kept, fetch = std::move(fetch)](unsigned level, std::uint64_t index) -> base::Result<Hash> {
        const unsigned tile_level = level / 8;
        const std::uint64_t first = index << level % 8;
        const std::uint64_t tile_index = first / tile_width;
        const std::size_t offset = first % tile_width;
        const std::size_t count = std::size_t{1} << level % 8;
        const unsigned width = width_in(size, tile_level, tile_index);
        if (offset + count > width) return base::fail(base::ErrorKind::invalid, "the node lies beyond the tree");
        Kept& tile = (*kept)[tile_level];
        if (tile.hashes.empty() || tile.index != tile_index) {
            auto hashes = fetch({static_cast<std::uint8_t>(tile_level), tile_index, width});
            if (!hashes) return std::unexpected(hashes.error());
            if (hashes->size() < width) return base::fail(base::ErrorKind::corrupt, "a tile is shorter than its name says");
            tile = {tile_index, std::move(*hashes)};
        }
        std::vector<Hash> row(tile.hashes.begin() + static_cast<std::ptrdiff_t>(offset),
                              tile.hashes.begin() + static_cast<std::ptrdiff_t>(offset + count));
        for (; row.size() > 1; row.resize(row.size() / 2))
            for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
        return row.front();
    };
}

}  // namespace hanse::journal
