// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "base/disk.hpp"
#include "base/result.hpp"
#include "journal/tile.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

// The tree's tiles as files under a folder, which any web server can serve, and in memory the unfinished ones:
// at most 255 hashes a level and one bundle, so that memory does not grow with the log. Full tiles are written as
// they fill, parts when a checkpoint needs them; nothing is read on append.
//
// Nothing here is synced: after a power cut all that is younger than the last seal() is made again from the
// records. seal() makes everything durable at once and remembers the unfinished tiles in the file `sealed`.
//
// Belongs to one thread. After an error the store must be opened again; the records are not in danger.
class TileStore {
public:
    TileStore(base::Disk& disk, std::filesystem::path folder);

    // Takes up at the last seal, or at nothing; size() says where. A seal that is damaged counts as none.
    base::Result<void> open();
    static bool is_seal(std::span<const std::byte> bytes);
    std::uint64_t size() const { return now_.size; }
    std::uint64_t sealed_size() const { return sealed_size_; }
    base::Result<void> add(std::span<const std::byte> entry);
    // The next 256 leaves out of their tile, whose entries are gone on purpose: after a lost seal. `corrupt` if it is not there.
    base::Result<void> add_pruned_tile();
    // Removes the bundles of entries before this one, which is the first of a bundle; not synced.
    base::Result<void> prune(std::uint64_t first);
    Hash root() const;
    // The unfinished tiles as files; needed before a checkpoint of this size is shown.
    base::Result<void> write_parts();
    // After the records were added again: parts that earlier checkpoints needed may have been torn.
    base::Result<void> mend_parts();
    base::Result<void> seal();

    // Nodes of the tree as it is now, from files and memory. To be used before the next add().
    NodeReader nodes() const;
    // The entries of a bundle, in files and memory.
    base::Result<base::Bytes> bundle(std::uint64_t index, unsigned width) const;

private:
    struct Unfinished {
        std::uint64_t size = 0;
        std::vector<std::vector<Hash>> edge;  // by level; each shorter than a tile
        base::Bytes bundle;
    };
    static std::optional<Unfinished> parse_seal(std::span<const std::byte> bytes);
    base::Result<void> grow(const Hash& leaf, bool pruned);
    base::Result<void> write(const TileName& name, std::span<const std::byte> bytes);
    base::Result<void> remove_parts(const TileName& name);
    base::Bytes sealed_bytes() const;

    base::Disk& disk_;
    std::filesystem::path folder_;
    Unfinished now_;
    std::uint64_t sealed_size_ = 0;
    std::vector<unsigned> written_width_;  // of the part that is in a file, by level
};

}  // namespace hanse::journal
