// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/key_file.hpp"
#include "journal/log_proof.hpp"
#include "journal/note.hpp"
#include "journal/record_store.hpp"
#include "journal/tile_store.hpp"

namespace hanse::journal {

// The keys of a log: the name is its origin; Ed25519 for everybody (type 0x01), ML-DSA-44 as a cosignature (0x06).
class LogKeys {
public:
    static constexpr std::string_view purpose = "log";
    static constexpr std::array algorithms{crypto::Algorithm::ed25519, crypto::Algorithm::ml_dsa_44};
    // `invalid` if the set is for something else or has other algorithms.
    static base::Result<LogKeys> from_keys(crypto::KeySet set);
    const std::string& origin() const { return signers_.front().verifier().name(); }
    std::vector<NoteVerifier> verifiers() const;
    // A checkpoint's text as a signed note.
    base::Result<Note> sign(const Checkpoint& checkpoint, std::uint64_t time) const;

private:
    explicit LogKeys(std::vector<NoteSigner> signers) : signers_(std::move(signers)) {}
    std::vector<NoteSigner> signers_;
};

// The log of a node on its disk:
//
//   records/…     what was written down, and its salts (record_store.hpp): private
//   tile/…        the tree and its entries (C2SP tlog-tiles): public
//   checkpoint    the largest tree that the log stands for, signed: public
//   sealed        how far the tiles are durable (tile_store.hpp)
//
// append() returns when the records are durable; nothing else needs to be, since tiles are made again from the
// records. A checkpoint is signed only for records that are durable, so after any crash the log is at least as
// long as every checkpoint that anybody saw.
//
// Pure of threads and clocks: belongs to one thread (journal/journal.hpp runs one), the time is passed in. After an
// error of append(), publish() or seal() that is not `overloaded`, usable() is false and everything refuses.
class Log {
public:
    struct Parts {
        base::Disk& disk;
        base::Random& random;
        const LogKeys& keys;
        std::filesystem::path folder;
        std::uint64_t seal_every = 65'536;  // records
    };
    // Recovers from whatever a crash left, then publishes what is there. `corrupt` if something is damaged or
    // missing that had been durable: the message says what and where.
    static base::Result<std::unique_ptr<Log>> open(Parts parts, base::WallTime now);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // The index of the first; all are durable. `overloaded` with the code "disk_full" changes nothing.
    base::Result<std::uint64_t> append(std::span<const NewRecord> records);
    // Signs and shows the tree as it is now, if it has grown since.
    base::Result<void> publish(base::WallTime now);
    // Makes tiles durable, so that the next start has less to read. append() does so every `seal_every` records.
    base::Result<void> seal();

    std::uint64_t size() const { return records_.size(); }
    const Checkpoint& published() const { return published_; }
    const Note& published_note() const { return note_; }
    bool usable() const { return !broken_; }

    base::Result<StoredRecord> read(std::uint64_t index) { return records_.read(index); }
    base::Result<StoredRecord> find(const RecordId& id) { return records_.find(id); }
    // In the published tree; `invalid` beyond it. `extra` goes in as it is.
    base::Result<LogProof> prove(std::uint64_t index, std::optional<base::Bytes> extra);
    base::Result<std::vector<Hash>> prove_consistency(std::uint64_t old_size);
    base::Result<void> erase(std::uint64_t index) { return records_.erase(index); }

private:
    explicit Log(Parts parts);
    base::Result<void> recover(base::WallTime now);
    base::Result<void> show(base::WallTime now);
    base::Result<void> keep(base::Result<void> result);

    Parts parts_;
    RecordStore records_;
    TileStore tiles_;
    Checkpoint published_;
    Note note_;
    bool broken_ = false;
};

}  // namespace hanse::journal
