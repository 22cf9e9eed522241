// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "journal/log.hpp"
#include "journal/record.hpp"
#include "journal/witness_policy.hpp"

namespace hanse::journal {

struct JournalOptions {
    std::chrono::milliseconds publish_every{1'000};  // a checkpoint at most so often
    std::size_t waiting_max = 65'536;                // records not yet on disk
    std::size_t batch_max = 4'096;                   // records that share one sync
    std::uint64_t seal_every = 65'536;               // records; how much is read again after a crash
};

// The journal of a running node: one thread that owns the log, and a queue before it. Whoever has something to
// record hands it over and goes on; when it is durable the thread calls back. Records that arrive while one batch is
// being written are the next batch, so that many share one sync however busy the node is.
//
// Made by `node`; everything that it is given must outlive it. Thread-safe. Callbacks run on the journal's thread:
// they must return at once and not call back into the journal's destructor. The destructor writes what waits.
//
// When the disk is full or fails, what waits and what comes is refused (`unavailable`, code "journal_stopped", or
// `overloaded`, "disk_full") and ready() says why; once a second the journal tries again, and goes on where it was.
class Journal {
public:
    struct Parts {
        base::Disk& disk;
        base::Random& random;
        base::Clock& clock;
        base::Log& log;
        LogKeys keys;
        std::filesystem::path folder;
        JournalOptions options = {};
        std::optional<WitnessPolicy> policy = {};  // none: receipts need no witness
        std::vector<NoteVerifier> former = {};     // keys that the present ones replaced
    };
    // Recovers and publishes. `corrupt` if what had been durable is not there: the node must not start then.
    static base::Result<std::unique_ptr<Journal>> open(Parts parts);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // The log's name, which is the node's in its records.
    const std::string& origin() const;
    const LogKeys& keys() const;
    const std::filesystem::path& folder() const;
    // Whether records are taken; to be asked before work is begun that must be recorded.
    base::Result<void> ready() const;

    RecordId new_id();
    using Recorded = std::function<void(base::Result<std::uint64_t> index)>;
    void append(NewRecord record, Recorded done);
    // One record of this node, now.
    void append(const RecordId& id, std::string_view kind, CanonicalObject fields, Recorded done = {});
    // The self-contained receipt of a record; a checkpoint is made for it where there is none yet. It holds the
    // cosignatures of witnesses once its record lies in a tree that the policy calls witnessed.
    void receipt(const RecordId& id, std::function<void(base::Result<std::string> receipt)> done);
    // The same place in the same tree as a COSE receipt (journal/cose_receipt.hpp), signed now by that key of the log.
    void cose_receipt(const RecordId& id, crypto::Algorithm algorithm, std::function<void(base::Result<base::Bytes> receipt)> done);

    // Removes records that are older than the retention; that it was done is a record of the kind "pruned" before. `done` gets
    // the first that is left.
    void prune(const Retention& retention, Recorded done);

    // For those who ask witnesses. What was shown last, signed; and that the tree of `size` begins with that of `old_size`.
    Note published() const;
    void consistency(std::uint64_t old_size, std::uint64_t size, std::function<void(base::Result<std::vector<Hash>> proof)> done);
    // A checkpoint with what witnesses signed; only signatures of the policy are kept.
    void add_cosignatures(Note checkpoint, std::function<void(base::Result<void>)> done = {});
    const std::optional<WitnessPolicy>& policy() const;

    // Destroys what a record says and its salt; the log stays whole. That it was done, and why, is a record of the kind
    // "erasure" before, whose index `done` gets. `not_found` if there is no such record or it was erased before.
    void erase(const RecordId& id, CanonicalObject why, Recorded done);

    struct Figures {
        std::uint64_t size = 0;
        std::uint64_t batches = 0;
        std::uint64_t records = 0;    // since the start
        std::uint64_t witnessed = 0;  // how much of the log enough witnesses have co-signed
        std::uint64_t pruned = 0;     // the first record that is still there
    };
    Figures figures() const;

private:
    struct State;
    explicit Journal(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::journal
