// SPDX-License-Identifier: Apache-2.0
#include "journal/tile_store.hpp"

#include <algorithm>
#include <cstring>
#include <format>

namespace hanse::journal {
namespace {

// The file `sealed`: this line, then in 8 bytes each (little-endian) the size, the number of levels and each
// level's number of hashes, then the hashes level by level, the unfinished bundle, and the SHA-256 of all before.
constexpr std::string_view sealed_line = "hanse-sealed v1\n";
constexpr std::size_t sealed_max = 64 << 20;

void put_u64(base::Bytes& out, std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
}
std::uint64_t take_u64(std::span<const std::byte>& in) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8 && i < in.size(); ++i) value |= std::to_integer<std::uint64_t>(in[i]) << 8 * i;
    in = in.subspan(std::min<std::size_t>(8, in.size()));
    return value;
}

}  // namespace

TileStore::TileStore(base::Disk& disk, std::filesystem::path folder) : disk_(disk), folder_(std::move(folder)) {}

base::Result<void> TileStore::open() {
    if (auto made = disk_.make_folders(folder_); !made) return made;
    now_ = {};
    sealed_size_ = 0;
    written_width_.clear();
    const auto bytes = disk_.read_whole(folder_ / "sealed", sealed_max);
    if (!bytes && bytes.error().kind != base::ErrorKind::not_found) return std::unexpected(bytes.error());
    if (bytes) now_ = parse_seal(*bytes).value_or(Unfinished{});
    sealed_size_ = now_.size;
    return {};
}

bool TileStore::is_seal(std::span<const std::byte> bytes) { return parse_seal(bytes).has_value(); }

std::optional<TileStore::Unfinished> TileStore::parse_seal(std::span<const std::byte> bytes) {
    if (bytes.size() < sealed_line.size() + 16 + sizeof(Hash) || std::memcmp(bytes.data(), sealed_line.data(), sealed_line.size()) != 0)
        return std::nullopt;
    const Hash check = crypto::sha256(bytes.first(bytes.size() - sizeof(Hash)));
    if (!std::ranges::equal(check, bytes.last(sizeof(Hash)))) return std::nullopt;
    auto rest = bytes.subspan(sealed_line.size(), bytes.size() - sealed_line.size() - sizeof(Hash));
    Unfinished made{.size = take_u64(rest)};
    const std::uint64_t levels = take_u64(rest);
    if (levels > 8) return std::nullopt;
    std::vector<std::uint64_t> widths(levels);
    for (auto& width : widths) width = take_u64(rest);
    for (unsigned level = 0; level < levels; ++level) {
        if (widths[level] != (made.size >> (8 * level)) % tile_width || rest.size() < widths[level] * sizeof(Hash)) return std::nullopt;
        made.edge.push_back(*parse_tile(rest.first(widths[level] * sizeof(Hash)), static_cast<unsigned>(widths[level])));
        rest = rest.subspan(widths[level] * sizeof(Hash));
    }
    made.bundle.assign(rest.begin(), rest.end());
    const bool whole = levels == 8 || made.size >> (8 * levels) == 0;
    if (!whole || !parse_bundle(made.bundle, made.size % tile_width)) return std::nullopt;
    return made;
}

base::Bytes TileStore::sealed_bytes() const {
    const auto line = base::bytes_of(sealed_line);
    base::Bytes out(line.begin(), line.end());
    put_u64(out, now_.size);
    put_u64(out, now_.edge.size());
    for (const auto& level : now_.edge) put_u64(out, level.size());
    for (const auto& level : now_.edge) std::ranges::copy(std::as_bytes(std::span(level)), std::back_inserter(out));
    out.insert(out.end(), now_.bundle.begin(), now_.bundle.end());
    const Hash check = crypto::sha256(out);
    out.insert(out.end(), check.begin(), check.end());
    return out;
}

base::Result<void> TileStore::write(const TileName& name, std::span<const std::byte> bytes) {
    const auto path = folder_ / name.path();
    auto written = disk_.write_whole(path, bytes);
    if (written || written.error().kind != base::ErrorKind::not_found) return written;
    if (auto made = disk_.make_folders(path.parent_path()); !made) return made;
    return disk_.write_whole(path, bytes);
}

// Parts may go once the full tile is there (C2SP tlog-tiles, "Partial Tiles").
base::Result<void> TileStore::remove_parts(const TileName& name) {
    const auto parts = folder_ / (name.path() + ".p");
    const auto widths = disk_.list(parts);
    if (!widths) return {};
    for (const std::string& width : *widths)
        if (auto gone = disk_.remove(parts / width); !gone) return gone;
    return disk_.remove(parts);
}

base::Result<void> TileStore::add(std::span<const std::byte> entry) {
    if (auto added = append_to_bundle(now_.bundle, entry); !added) return added;
    return grow(leaf_hash(entry), false);
}

base::Result<void> TileStore::add_pruned_tile() {
    const TileName name{std::uint8_t{0}, now_.size / tile_width};
    const auto bytes = disk_.read_whole(folder_ / name.path(), tile_width * sizeof(Hash));
    auto hashes = bytes ? parse_tile(*bytes, tile_width) : base::Result<std::vector<Hash>>(std::unexpected(bytes.error()));
    if (!hashes)
        return base::fail(base::ErrorKind::corrupt, std::format("{}: {}; the entries below it were pruned, so it cannot be made again",
                                                                name.path(), hashes.error().message));
    for (const Hash& hash : *hashes)
        if (auto grown = grow(hash, true); !grown) return grown;
    return {};
}

// From the youngest of them down. Names may have been lost in any order, so a few that are missing are no end.
base::Result<void> TileStore::prune(std::uint64_t first) {
    constexpr int gap = 64;
    int missing = 0;
    for (std::uint64_t index = first / tile_width; index > 0 && missing < gap; --index) {
        const std::filesystem::path path = folder_ / TileName{{}, index - 1}.path();
        const auto there = disk_.open(path, base::Disk::Open::existing);
        missing = there ? 0 : missing + 1;
        if (!there) continue;
        if (auto gone = disk_.remove(path); !gone) return gone;
    }
    return {};
}

// Of a pruned leaf the tile is there, and the bundle is not to come back.
base::Result<void> TileStore::grow(const Hash& leaf, bool pruned) {
    Hash carried = leaf;
    for (unsigned level = 0;; ++level) {
        if (level == now_.edge.size()) {
            now_.edge.emplace_back();
            now_.edge.back().reserve(tile_width);
        }
        auto& hashes = now_.edge[level];
        hashes.push_back(carried);
        if (hashes.size() < tile_width) break;
        const TileName name{static_cast<std::uint8_t>(level), now_.size >> (8 * (level + 1))};
        if (level > 0 || !pruned) {
            if (auto written = write(name, tile_bytes(hashes)); !written) return written;
            if (auto removed = remove_parts(name); !removed) return removed;
        }
        if (level == 0 && !pruned) {
            const TileName entries{{}, name.index};
            if (auto written = write(entries, now_.bundle); !written) return written;
            if (auto removed = remove_parts(entries); !removed) return removed;
            now_.bundle.clear();
        }
        if (level < written_width_.size()) written_width_[level] = 0;
        std::vector<Hash> row = hashes;
        for (; row.size() > 1; row.resize(row.size() / 2))
            for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
        carried = row.front();
        hashes.clear();
    }
    ++now_.size;
    return {};
}

NodeReader TileStore::nodes() const {
    return nodes_from_tiles(now_.size, [this](const TileName& name) -> base::Result<std::vector<Hash>> {
        if (name.width != tile_width) return now_.edge[*name.level];
        const auto bytes = disk_.read_whole(folder_ / name.path(), tile_width * sizeof(Hash));
        if (!bytes) return base::fail(base::ErrorKind::corrupt, std::format("{}: {}", name.path(), bytes.error().message));
        auto hashes = parse_tile(*bytes, tile_width);
        if (!hashes) hashes.error().message = name.path() + ": " + hashes.error().message;
        return hashes;
    });
}

// Only unfinished tiles are looked at: the root's parts all lie on the right edge.
Hash TileStore::root() const { return *root_at(now_.size, nodes()); }

base::Result<base::Bytes> TileStore::bundle(std::uint64_t index, unsigned width) const {
    if (index == now_.size / tile_width && width == now_.size % tile_width) return now_.bundle;
    const TileName name{{}, index, width};
    return disk_.read_whole(folder_ / name.path(), tile_width * (entry_max + 2));
}

base::Result<void> TileStore::mend_parts() {
    for (unsigned level = 0; level < now_.edge.size(); ++level) {
        const auto& hashes = now_.edge[level];
        TileName name{static_cast<std::uint8_t>(level), now_.size >> (8 * (level + 1))};
        const auto mend = [&](bool entries) -> base::Result<void> {
            TileName part = name;
            if (entries) part.level.reset();
            const std::string parts = part.path() + ".p/";
            const auto widths = disk_.list(folder_ / parts.substr(0, parts.size() - 1));
            if (!widths) return {};
            for (const std::string& width : *widths) {
                const auto parsed = TileName::parse(parts + width);
                if (!parsed || parsed->width > hashes.size()) {
                    if (auto gone = disk_.remove(folder_ / (parts + width)); !gone) return gone;
                    continue;
                }
                base::Bytes bytes = tile_bytes(std::span(hashes).first(parsed->width));
                if (entries) {
                    const auto all = parse_bundle(now_.bundle, static_cast<unsigned>(hashes.size()));
                    bytes = now_.bundle;
                    if (parsed->width < hashes.size())
                        bytes.resize(static_cast<std::size_t>((*all)[parsed->width].data() - now_.bundle.data()) - 2);
                }
                if (auto written = write(*parsed, bytes); !written) return written;
            }
            return {};
        };
        if (auto done = mend(false); !done) return done;
        if (level != 0) continue;
        if (auto done = mend(true); !done) return done;
    }
    return {};
}

base::Result<void> TileStore::write_parts() {
    written_width_.resize(now_.edge.size());
    for (unsigned level = 0; level < now_.edge.size(); ++level) {
        const auto width = static_cast<unsigned>(now_.edge[level].size());
        if (width == written_width_[level]) continue;
        const TileName name{static_cast<std::uint8_t>(level), now_.size >> (8 * (level + 1)), width};
        if (auto written = write(name, tile_bytes(now_.edge[level])); !written) return written;
        if (level == 0)
            if (auto written = write({{}, name.index, width}, now_.bundle); !written) return written;
        written_width_[level] = width;
    }
    return {};
}

base::Result<void> TileStore::seal() {
    if (auto synced = disk_.sync_all(folder_); !synced) return synced;
    if (auto written = disk_.replace(folder_ / "sealed", sealed_bytes()); !written) return written;
    sealed_size_ = now_.size;
    return {};
}

}  // namespace hanse::journal
