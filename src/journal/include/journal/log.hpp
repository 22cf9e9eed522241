// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
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
#include "journal/retention.hpp"
#include "journal/tile_store.hpp"
#include "journal/witness_policy.hpp"

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
    // Nothing if the log has no key of that algorithm.
    const NoteSigner* signer(crypto::Algorithm algorithm) const;

private:
    explicit LogKeys(std::vector<NoteSigner> signers) : signers_(std::move(signers)) {}
    std::vector<NoteSigner> signers_;
};

// The log of a node on its disk:
//
//   records/…     what was written down, and its salts (record_store.hpp): private
//   tile/…        the tree and its entries (C2SP tlog-tiles): public
//   checkpoint    the largest tree that the log stands for, signed: public
//   witnessed     the largest checkpoint that enough witnesses co-signed, with their signatures: public
//   pruned        what is gone on purpose (retention.hpp): public
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
        // Who must co-sign a checkpoint before it counts as witnessed; outlives the log.
        const WitnessPolicy* policy = nullptr;
        // Keys of this log that were replaced by the present ones: what they alone signed is signed anew.
        std::vector<NoteVerifier> former = {};
    };
    // Recovers from whatever a crash left, then publishes what is there. `corrupt` if something is damaged or
    // missing that had been durable: the message says what and where.
    static base::Result<std::unique_ptr<Log>> open(Parts parts, base::WallTime now);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // The index of the first; all are durable. `overloaded` with the code "disk_full" changes nothing. `durable` is
    // called with that index as soon as it is so, before the tree has grown: whoever waits need not wait for that.
    base::Result<std::uint64_t> append(std::span<const NewRecord> records, const std::function<void(std::uint64_t first)>& durable = {});
    // Signs and shows the tree as it is now, if it has grown since.
    base::Result<void> publish(base::WallTime now);
    // Makes tiles durable, so that the next start has less to read. append() does so every `seal_every` records.
    base::Result<void> seal();

    std::uint64_t size() const { return records_.size(); }
    const Checkpoint& published() const { return published_; }
    const Note& published_note() const { return note_; }
    // Adds what witnesses signed of a checkpoint of this log that was shown once. Signatures that are none of the
    // policy's are dropped. When enough are there, it becomes the witnessed one and is durable. `invalid` if it is
    // not a checkpoint of this log, `denied` for a wrong signature.
    base::Result<void> add_cosignatures(const Note& checkpoint);
    // The size of the largest tree that was witnessed as the policy asks; 0 if none was.
    std::uint64_t witnessed_size() const { return witnessed_ ? witnessed_->size : 0; }
    bool usable() const { return !broken_; }

    base::Result<StoredRecord> read(std::uint64_t index) { return records_.read(index); }
    base::Result<StoredRecord> find(const RecordId& id) { return records_.find(id); }
    // In the witnessed tree if the entry is in it, else in the published one; `invalid` beyond both. `extra` goes in
    // as it is.
    base::Result<LogProof> prove(std::uint64_t index, std::optional<base::Bytes> extra);
    // Between trees no larger than the published one.
    base::Result<std::vector<Hash>> prove_consistency(std::uint64_t old_size) { return prove_consistency(old_size, published_.size); }
    base::Result<std::vector<Hash>> prove_consistency(std::uint64_t old_size, std::uint64_t size);
    base::Result<void> erase(std::uint64_t index) { return records_.erase(index); }

    // Removes the records and entries before `minimum`, which is rounded down to a whole file of records; the tiles of the tree
    // stay, so every proof between what is left holds. `invalid` beyond what was published. Durable when it returns.
    base::Result<void> prune(std::uint64_t minimum, const Retention& retention);
    std::uint64_t minimum() const { return records_.first(); }
    // The first record that is younger than `cutoff`, or as many as there are; by whole files, so it may be too low.
    base::Result<std::uint64_t> first_after(std::uint64_t cutoff_ms);

private:
    explicit Log(Parts parts);
    base::Result<void> recover(base::WallTime now);
    base::Result<bool> recall_published();
    void recall_witnessed();
    base::Result<void> recall_pruned();
    base::Result<void> show(base::WallTime now);
    base::Result<void> keep(base::Result<void> result);

    Parts parts_;
    RecordStore records_;
    TileStore tiles_;
    Checkpoint published_;
    Note note_;
    std::optional<Checkpoint> witnessed_;
    Note witnessed_note_;
    bool stale_keys_ = false;  // the published one is signed by former keys only
    bool broken_ = false;
};

}  // namespace hanse::journal
