// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

using RecordId = std::array<std::byte, 16>;
using Salt = std::array<std::byte, 32>;

inline constexpr std::size_t record_max = 256 * 1024;

// What is to be written down.
struct NewRecord {
    RecordId id{};
    std::uint64_t time_ms = 0;  // Unix time in milliseconds
    std::string text = {};      // canonical JSON, at most record_max bytes
};

// What stands there. An erased record keeps its place and its commitment and has no text and no salt.
struct StoredRecord {
    std::uint64_t index = 0;
    RecordId id{};
    std::uint64_t time_ms = 0;
    Salt salt{};
    Hash commitment{};  // HMAC-SHA256(salt, text)
    bool erased = false;
    std::string text = {};
};

// What the log's entry of a record is: one byte 0x01 (HMAC-SHA256) and the commitment. Nothing of the record can
// be guessed from it, since the salt is as long as the commitment.
using LogEntry = std::array<std::byte, 33>;
LogEntry log_entry(const Hash& commitment);
Hash commitment_of(const Salt& salt, std::string_view text);

// The records in the order of the log, and what makes an entry durable: everything else of the log can be made
// again from here.
//
// Files records/0000000000, …1, … of 4,096 records each, only ever appended to. A record is a frame that begins
// at a multiple of 128 bytes: a header of 128 bytes, which therefore never straddles two sectors, and the text.
//
//     0  "HNSJ"         8  index of the record            32  id, 16 bytes        112  1 if erased, in 8 bytes
//     4  length         16 index of its batch's first     48  salt, 32            120  first 8 bytes of the
//        of the text    24 milliseconds since 1970        80  commitment, 32           SHA-256 of the 120 before
//
// Numbers are little-endian. A batch is durable before the next is begun. So a broken frame with a sound one of a
// later batch behind it is damage, and is said; one with nothing sound of a later batch behind it is the end of a
// batch that was never acknowledged, and is cut off.
//
// Beside each full file lies an index, 0000000000.index: of each record its place in 8 bytes and its id in 16, then the
// SHA-256 of all that. It is whole or not there, and never believed further than the frame that it leads to; where it is
// damaged or missing the file's headers are read instead and it is written again.
//
// Belongs to one thread. After an error of append() that is not `overloaded` the store must be opened again.
class RecordStore {
public:
    static constexpr std::uint64_t records_per_file = 4096;

    RecordStore(base::Disk& disk, base::Random& random, std::filesystem::path folder);
    ~RecordStore();
    RecordStore(const RecordStore&) = delete;
    RecordStore& operator=(const RecordStore&) = delete;

    // Finds the end, calling `each` for all sound records from `from` on, and cuts off what was never
    // acknowledged. `corrupt` with the place for damage, or if fewer than `least` records are there.
    base::Result<void> open(std::uint64_t from, std::uint64_t least, const std::function<void(const StoredRecord&)>& each);

    // Reads without changing anything: calls `each` for all sound records from `from` on, and says where they end.
    // `corrupt` with the place if sound records of a later batch follow a broken one. Another process may be writing:
    // what it has not finished is behind the end.
    struct End {
        std::uint64_t index;
        std::uint64_t segment;
        std::uint64_t offset;
    };
    base::Result<End> scan(std::uint64_t from, const std::function<void(const StoredRecord&)>& each);

    std::uint64_t size() const { return size_; }
    // What lies before is gone on purpose: `first` is the first of a file. Removes files that are still there; durable.
    base::Result<void> prune(std::uint64_t first);
    std::uint64_t first() const { return first_; }
    // Whether the index beside a full file, if there is one, says what the file says.
    base::Result<bool> has_right_index(std::uint64_t segment);
    // All of them are durable when this returns their commitments, or none is there. `overloaded` if the disk is
    // full: as if nothing had been asked. One sync (two where a file ends in the midst of it).
    base::Result<std::vector<Hash>> append(std::span<const NewRecord> records);
    // The indexes of files that append() has filled: to be called when nobody waits.
    void write_indexes();
    // `not_found` beyond the end, `corrupt` if the bytes are not what they were.
    base::Result<StoredRecord> read(std::uint64_t index);
    // By id, which is found by its time: ids begin with 48 bits of the milliseconds at which they were made, and
    // a record is written at most a day after. `not_found` otherwise.
    base::Result<StoredRecord> find(const RecordId& id);
    // Overwrites text and salt; durable when it returns. The erasure itself should be in the log before.
    base::Result<void> erase(std::uint64_t index);

private:
    std::filesystem::path path_of(std::uint64_t segment) const;
    base::Result<base::File*> file_of(std::uint64_t segment, base::Disk::Open how);
    // Where each record of a file begins, and its id.
    struct Place {
        std::uint64_t offset = 0;
        RecordId id{};
    };
    using Places = std::vector<Place>;
    base::Result<std::uint64_t> offset_of(std::uint64_t index);
    base::Result<const Places*> places_of(std::uint64_t segment);
    base::Result<Places> read_places(std::uint64_t segment, std::uint64_t count);
    struct Found {
        StoredRecord record;
        std::uint64_t frame_size = 0;
    };
    // Nothing at the end, or where it is broken.
    base::Result<std::optional<Found>> sound_at(const End& at);
    std::optional<Places> read_index(std::uint64_t segment);
    void write_index(std::uint64_t segment, const Places& places);
    base::Result<StoredRecord> read_at(std::uint64_t index, std::uint64_t offset);
    base::Result<bool> later_batch_follows(std::uint64_t segment, std::uint64_t offset, std::uint64_t index);
    base::Result<void> cut(std::uint64_t segment, std::uint64_t offset);

    base::Disk& disk_;
    base::Random& random_;
    std::filesystem::path folder_;
    std::uint64_t first_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t end_ = 0;  // of the last segment, in bytes
    std::unique_ptr<base::File> tail_;
    std::uint64_t tail_segment_ = UINT64_MAX;
    std::unique_ptr<base::File> reading_;
    std::uint64_t reading_segment_ = UINT64_MAX;
    Places tail_places_;                                    // of the last file
    std::vector<std::pair<std::uint64_t, Places>> filled_;  // without an index yet
    Places read_places_;                                    // of one other
    std::uint64_t read_places_segment_ = UINT64_MAX;
};

}  // namespace hanse::journal
