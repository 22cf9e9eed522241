// SPDX-License-Identifier: Apache-2.0
#include "journal/check.hpp"

#include <algorithm>
#include <format>

#include "base/random.hpp"
#include "journal/record_store.hpp"
#include "journal/tile.hpp"
#include "journal/tile_store.hpp"

namespace hanse::journal {
namespace {

constexpr std::size_t problems_max = 100;
constexpr std::size_t bundle_max = tile_width * (entry_max + 2);

class Checker {
public:
    Checker(base::Disk& disk, const std::filesystem::path& folder, const std::function<void(std::uint64_t, std::uint64_t)>& progress)
        : disk_(disk),
          folder_(folder),
          progress_(progress) {}

    CheckReport run(std::span<const NoteVerifier> verifiers) {
        read_checkpoint(verifiers);
        if (report_.checkpoint) compare_records(report_.checkpoint->size);
        look_at_seal();
        return std::move(report_);
    }

private:
    void wrong(std::string place, std::string sentence) {
        if (report_.problems.size() < problems_max) report_.problems.push_back({std::move(place), std::move(sentence)});
    }

    void read_checkpoint(std::span<const NoteVerifier> verifiers) {
        const auto whole = disk_.read_whole(folder_ / "checkpoint", 1 << 20);
        if (!whole) return wrong("checkpoint", whole.error().message);
        const auto note = Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
        if (!note) return wrong("checkpoint", note.error().message);
        const auto checkpoint = Checkpoint::parse(note->text);
        if (!checkpoint) return wrong("checkpoint", checkpoint.error().message);
        const auto signed_by = endorsements(*note, verifiers);
        if (!signed_by) wrong("checkpoint", signed_by.error().message);
        for (const NoteVerifier& verifier : verifiers) {
            const bool there =
                signed_by && std::ranges::any_of(*signed_by, [&](const Endorsement& each) { return each.verifier == &verifier; });
            const std::string name = std::format("{} ({})", verifier.name(), crypto::name(algorithm_of(verifier.type())));
            if (there) report_.signed_by.push_back(name);
            else if (signed_by) wrong("checkpoint", "it is not signed by " + name);
            if (checkpoint->origin != verifier.name())
                wrong("checkpoint", std::format("it is of {}, and the keys are of {}", checkpoint->origin, verifier.name()));
        }
        report_.checkpoint = *checkpoint;
    }

    // A tile of the tree of this size: its own file, or the beginning of one that has filled since.
    base::Result<base::Bytes> tile(const TileName& name) {
        auto bytes = disk_.read_whole(folder_ / name.path(), bundle_max);
        if (bytes || bytes.error().kind != base::ErrorKind::not_found || name.width == tile_width) return bytes;
        TileName full = name;
        full.width = tile_width;
        auto whole = disk_.read_whole(folder_ / full.path(), bundle_max);
        if (!whole) return bytes;
        std::size_t end = name.width * sizeof(Hash);
        if (!name.level) {
            const auto entries = parse_bundle(*whole, tile_width);
            if (!entries) return bytes;
            end = static_cast<std::size_t>((*entries)[name.width].data() - whole->data()) - 2;
        }
        whole->resize(std::min(end, whole->size()));
        return whole;
    }

    void compare_tile(const TileName& name, std::span<const Hash> hashes) {
        const auto bytes = tile(name);
        if (!bytes) return wrong(name.path(), bytes.error().message);
        ++report_.tiles;
        if (bytes->size() != hashes.size() * sizeof(Hash))
            return wrong(name.path(), std::format("it has {} bytes instead of {}", bytes->size(), hashes.size() * sizeof(Hash)));
        for (std::size_t i = 0; i < hashes.size(); ++i)
            if (!std::ranges::equal(std::span(*bytes).subspan(i * sizeof(Hash), sizeof(Hash)), hashes[i]))
                wrong(std::format("{}, hash {}", name.path(), i), "it is not the hash of what lies below it");
        compare_parts(name, *bytes, {});
    }

    void compare_bundle(std::uint64_t index, std::span<const LogEntry> entries) {
        const TileName name{{}, index, static_cast<unsigned>(entries.size())};
        const auto bytes = tile(name);
        if (!bytes) return wrong(name.path(), bytes.error().message);
        ++report_.tiles;
        const auto found = parse_bundle(*bytes, name.width);
        if (!found) return wrong(name.path(), found.error().message);
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (!std::ranges::equal((*found)[i], entries[i]))
                wrong(std::format("{}, entry {}", name.path(), index * tile_width + i),
                      "the record that it stands for has another commitment");
        compare_parts(name, *bytes, *found);
    }

    // Parts of earlier checkpoints are beginnings of what the tile is now.
    void compare_parts(const TileName& name, std::span<const std::byte> whole, std::span<const std::span<const std::byte>> entries) {
        TileName part = name;
        part.width = tile_width;
        const std::filesystem::path parts = folder_ / (part.path() + ".p");
        const auto widths = disk_.list(parts);
        if (!widths) return;
        for (const std::string& width : *widths) {
            const auto parsed = TileName::parse(part.path() + ".p/" + width);
            if (!parsed) {
                wrong(part.path() + ".p/" + width, "this is no width of a tile");
                continue;
            }
            if (parsed->width >= name.width) continue;
            const auto bytes = disk_.read_whole(parts / width, bundle_max);
            if (!bytes) continue;  // gone meanwhile, as parts may
            ++report_.tiles;
            const std::size_t size =
                name.level ? parsed->width * sizeof(Hash) : static_cast<std::size_t>(entries[parsed->width].data() - whole.data()) - 2;
            if (!std::ranges::equal(*bytes, whole.first(size))) wrong(parsed->path(), "it is not the beginning of " + name.path());
        }
    }

    void grow(const Hash& hash, unsigned level, std::uint64_t size) {
        if (level == rows_.size()) rows_.emplace_back();
        auto& row = rows_[level];
        row.push_back(hash);
        if (row.size() < tile_width) return;
        compare_tile({static_cast<std::uint8_t>(level), (size - 1) >> (8 * (level + 1))}, row);
        Frontier above;
        for (const Hash& each : row) above.append(each);
        row.clear();
        grow(above.root(), level + 1, size);
    }

    void compare_records(std::uint64_t size) {
        base::SystemRandom unused;
        RecordStore records(disk_, unused, folder_ / "records");
        Frontier tree;
        std::vector<LogEntry> entries;
        const auto end = records.scan(0, [&](const StoredRecord& record) {
            ++report_.records;
            report_.erased += record.erased ? 1 : 0;
            if (tree.size() == size) return;  // younger than the checkpoint: only the record itself can be checked
            entries.push_back(log_entry(record.commitment));
            const Hash leaf = leaf_hash(entries.back());
            tree.append(leaf);
            grow(leaf, 0, tree.size());
            if (entries.size() == tile_width || tree.size() == size) {
                compare_bundle((tree.size() - 1) / tile_width, entries);
                entries.clear();
                if (progress_) progress_(tree.size(), size);
            }
        });
        if (!end) return wrong("records", end.error().message);
        if (tree.size() < size)
            return wrong(std::format("records/{:010}, byte {}", end->segment, end->offset),
                         std::format("record {} is damaged or missing; the checkpoint is of {}", end->index, size));
        for (unsigned level = 0; level < rows_.size(); ++level)
            if (!rows_[level].empty())
                compare_tile({static_cast<std::uint8_t>(level), size >> (8 * (level + 1)), static_cast<unsigned>(rows_[level].size())},
                             rows_[level]);
        if (tree.root() != report_.checkpoint->root)
            wrong("checkpoint, line 3", "the records give another root: one of them was changed after it was signed");
    }

    void look_at_seal() {
        const auto bytes = disk_.read_whole(folder_ / "sealed", 64 << 20);
        if (!bytes && bytes.error().kind == base::ErrorKind::not_found) return;
        if (!bytes) return wrong("sealed", bytes.error().message);
        if (!TileStore::is_seal(*bytes)) wrong("sealed", "it is damaged; the node makes it again from the records");
    }

    base::Disk& disk_;
    const std::filesystem::path& folder_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
    CheckReport report_;
    std::vector<std::vector<Hash>> rows_;
};

}  // namespace

CheckReport check_log(base::Disk& disk, const std::filesystem::path& folder, std::span<const NoteVerifier> verifiers,
                      const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    return Checker(disk, folder, progress).run(verifiers);
}

}  // namespace hanse::journal
