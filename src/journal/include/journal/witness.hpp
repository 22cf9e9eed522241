// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/key_file.hpp"
#include "journal/note.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

// What a log asks of a witness (C2SP tlog-witness, add-checkpoint):
//
//   old <size that the witness signed last>
//   <base64 of a hash>…                      proof from there to the checkpoint, at most 63
//   (empty line)
//   <the checkpoint, signed>
struct AddCheckpoint {
    std::uint64_t old_size = 0;
    std::vector<Hash> proof;
    std::string checkpoint;
    std::string body() const;
    // At most 1 MiB; `corrupt` otherwise.
    static base::Result<AddCheckpoint> parse(std::string_view body);
};

// What a witness says to that, with the HTTP status that the specification gives each.
enum class Testimony : std::uint8_t {
    cosigned,      // 200, lines of signatures
    malformed,     // 400
    not_signed,    // 403, by no known key of the log, or wrongly by one
    unknown_log,   // 404
    conflict,      // 409, the size that was signed last and a newline, as text/x.tlog.size
    inconsistent,  // 422, the proof does not lead there, or two trees of one size differ
    failed,        // 500, the disk
};
struct WitnessAnswer {
    Testimony testimony = Testimony::failed;
    std::string body;
    unsigned status() const;
    std::string_view content_type() const;
};

// The rule alone: whether a checkpoint that the log has signed may follow the last one. No checkpoint yet: the
// empty tree.
Testimony judge(const AddCheckpoint& asked, const Checkpoint& offered, const std::optional<Checkpoint>& last);

// The keys of a witness: Ed25519 (type 0x04) and ML-DSA-44 (0x06), both under its name.
class WitnessKeys {
public:
    static constexpr std::string_view purpose = "witness";
    static constexpr std::array algorithms{crypto::Algorithm::ed25519, crypto::Algorithm::ml_dsa_44};
    // `invalid` if the set is for something else or has other algorithms.
    static base::Result<WitnessKeys> from_keys(crypto::KeySet set);
    const std::string& name() const { return signers_.front().verifier().name(); }
    std::vector<NoteVerifier> verifiers() const;
    // ML-DSA does not cover extension lines, so a checkpoint that has some is signed by Ed25519 alone.
    base::Result<std::vector<NoteSignature>> sign(const Checkpoint& checkpoint, std::uint64_t time) const;

private:
    explicit WitnessKeys(std::vector<NoteSigner> signers) : signers_(std::move(signers)) {}
    std::vector<NoteSigner> signers_;
};

// Two checkpoints that one log signed and that do not go together, or none where only the log could tell.
struct Evidence {
    std::string seen;     // the note that was co-signed before
    std::string offered;  // the request that was refused
    bool proven = false;  // of one size and with two roots: no excuse is possible
    std::string text() const;
    static base::Result<Evidence> parse(std::string_view text);
};

// A witness: it remembers of each log that it knows the largest checkpoint it has co-signed, and co-signs only what
// contains that one. So a log that shows different trees to different people cannot get both co-signed.
//
//   <SHA-256 of the origin, in hex>/checkpoint   what was co-signed last, with the log's signatures and ours
//   <the same>/evidence/<size>-<digest>          what was refused although the log had signed it, at most 64
//
// Checking and remembering is one step under one lock, and durable before the answer. A file that is damaged stops the
// witness for that log: forgetting would let the log turn back. Made by `node`; disk must outlive it. Thread-safe;
// calls wait for the disk, so they do not belong on a thread that serves others.
class Witness {
public:
    struct Parts {
        base::Disk& disk;
        WitnessKeys keys;
        std::vector<NoteVerifier> logs;  // keys by log: a key's name is its log's origin
        std::filesystem::path folder;
    };
    // `corrupt` if what was signed last cannot be read.
    static base::Result<std::unique_ptr<Witness>> open(Parts parts);

    const WitnessKeys& keys() const { return parts_.keys; }
    WitnessAnswer add_checkpoint(std::string_view body, base::WallTime now);
    // The last co-signed checkpoint of the log with this origin hash (lower-case hex); `not_found` if there is none.
    base::Result<std::string> checkpoint(std::string_view origin_hash) const;
    // What was ever refused although it was signed, of all logs.
    base::Result<std::vector<Evidence>> evidence() const;

    struct Figures {
        std::uint64_t cosigned = 0;
        std::uint64_t refused = 0;
        std::uint64_t proven_splits = 0;
    };
    Figures figures() const;

private:
    struct Remembered {
        std::vector<NoteVerifier> keys;
        std::optional<Checkpoint> last;
        std::string note;
        bool known = false;  // what is on disk is what stands here
    };
    explicit Witness(Parts parts);
    base::Result<void> recall(const std::string& origin, Remembered& log) const;
    WitnessAnswer decide(std::string_view body, base::WallTime now);
    void keep_evidence(const std::string& origin, const Remembered& log, std::string_view body, const Checkpoint& offered);
    std::filesystem::path folder_of(std::string_view origin) const;

    Parts parts_;
    mutable std::mutex mutex_;
    std::map<std::string, Remembered, std::less<>> logs_;  // by origin
    Figures figures_;
};

}  // namespace hanse::journal
