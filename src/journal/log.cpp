// SPDX-License-Identifier: Apache-2.0
#include "journal/log.hpp"

#include <algorithm>
#include <format>

namespace hanse::journal {
namespace {

constexpr std::size_t checkpoint_max = 1 << 20;

std::uint64_t seconds(base::WallTime now) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

std::unexpected<base::Error> broken() {
    return base::fail(base::ErrorKind::unavailable,
                      "the journal stopped after an error of its disk; it is checked when the node starts again", "journal_stopped");
}

}  // namespace

base::Result<LogKeys> LogKeys::from_keys(crypto::KeySet set) {
    if (set.purpose != purpose || !std::ranges::equal(set.keys, algorithms, {}, &crypto::SigningKey::algorithm))
        return base::fail(base::ErrorKind::invalid, "these are no keys of a log: it signs with Ed25519 and ML-DSA-44");
    std::vector<NoteSigner> signers;
    for (std::size_t i = 0; i < set.keys.size(); ++i) {
        auto signer = NoteSigner::from_key(set.name, i == 0 ? NoteType::ed25519 : NoteType::ml_dsa_44_cosignature, std::move(set.keys[i]));
        if (!signer) return std::unexpected(signer.error());
        signers.push_back(std::move(*signer));
    }
    return LogKeys(std::move(signers));
}

std::vector<NoteVerifier> LogKeys::verifiers() const {
    std::vector<NoteVerifier> all;
    for (const NoteSigner& signer : signers_) all.push_back(signer.verifier());
    return all;
}

base::Result<Note> LogKeys::sign(const Checkpoint& checkpoint, std::uint64_t time) const {
    Note note{checkpoint.text(), {}};
    for (const NoteSigner& signer : signers_) {
        auto signature = signer.sign(note.text, time);
        if (!signature) return std::unexpected(signature.error());
        note.signatures.push_back(std::move(*signature));
    }
    return note;
}

Log::Log(Parts parts)
    : parts_(std::move(parts)),
      records_(parts_.disk, parts_.random, parts_.folder / "records"),
      tiles_(parts_.disk, parts_.folder) {}

base::Result<std::unique_ptr<Log>> Log::open(Parts parts, base::WallTime now) {
    std::unique_ptr<Log> log(new Log(std::move(parts)));
    if (auto recovered = log->recover(now); !recovered) return std::unexpected(recovered.error());
    return log;
}

base::Result<void> Log::recover(base::WallTime now) {
    if (auto opened = tiles_.open(); !opened) return opened;
    bool shown = false;
    auto whole = parts_.disk.read_whole(parts_.folder / "checkpoint", checkpoint_max);
    if (!whole && whole.error().kind != base::ErrorKind::not_found) return std::unexpected(whole.error());
    if (whole) {
        const auto wrong = [&](std::string_view what) {
            return base::fail(base::ErrorKind::corrupt, std::format("{}: {}", (parts_.folder / "checkpoint").string(), what));
        };
        auto note = Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
        if (!note) return wrong(note.error().message);
        auto checkpoint = Checkpoint::parse(note->text);
        if (!checkpoint) return wrong(checkpoint.error().message);
        if (checkpoint->origin != parts_.keys.origin())
            return wrong(std::format("it is of {}, and the keys are of {}", checkpoint->origin, parts_.keys.origin()));
        const auto verifiers = parts_.keys.verifiers();
        const auto signed_by = endorsements(*note, verifiers);
        if (!signed_by) return wrong(signed_by.error().message);
        if (signed_by->size() < verifiers.size()) return wrong("it is not signed by all keys of this log");
        published_ = std::move(*checkpoint);
        note_ = std::move(*note);
        shown = true;
    }
    std::optional<Hash> root_then;
    if (shown && published_.size == tiles_.size()) root_then = tiles_.root();
    base::Result<void> added;
    auto opened = records_.open(tiles_.size(), std::max(tiles_.size(), published_.size), [&](const StoredRecord& record) {
        if (added) added = tiles_.add(log_entry(record.commitment));
        if (shown && tiles_.size() == published_.size) root_then = tiles_.root();
    });
    if (!opened) return opened;
    if (!added) return added;
    if (shown && !root_then) {
        const auto before = root_at(published_.size, tiles_.nodes());
        if (!before) return std::unexpected(before.error());
        root_then = *before;
    }
    if (shown && *root_then != published_.root)
        return base::fail(
            base::ErrorKind::corrupt,
            std::format("the first {} records do not give the root that the checkpoint signs: one of them was changed", published_.size));
    if (auto mended = tiles_.mend_parts(); !mended) return mended;
    if (!shown || published_.size != size()) return show(now);
    return tiles_.write_parts();
}

// A failed write may have left anything, so nothing more is done until the log was opened again.
base::Result<void> Log::keep(base::Result<void> result) {
    if (!result) broken_ = true;
    return result;
}

base::Result<std::uint64_t> Log::append(std::span<const NewRecord> records) {
    if (broken_) return broken();
    const std::uint64_t first = size();
    const auto commitments = records_.append(records);
    if (!commitments) {
        const auto kind = commitments.error().kind;
        broken_ = kind != base::ErrorKind::overloaded && kind != base::ErrorKind::too_large;
        return std::unexpected(commitments.error());
    }
    // From here on the records are durable, and whatever fails is told to the next caller: tiles can be made again.
    for (const Hash& commitment : *commitments)
        if (!keep(tiles_.add(log_entry(commitment)))) return first;
    if (tiles_.size() - tiles_.sealed_size() >= parts_.seal_every) (void)keep(tiles_.seal());
    return first;
}

base::Result<void> Log::publish(base::WallTime now) {
    if (broken_) return broken();
    if (published_.size == size() && !note_.signatures.empty()) return {};
    return keep(show(now));
}

base::Result<void> Log::show(base::WallTime now) {
    if (auto written = tiles_.write_parts(); !written) return written;
    Checkpoint checkpoint{parts_.keys.origin(), tiles_.size(), tiles_.root()};
    auto note = parts_.keys.sign(checkpoint, seconds(now));
    if (!note) return std::unexpected(note.error());
    if (auto written = parts_.disk.replace(parts_.folder / "checkpoint", base::bytes_of(note->whole())); !written) return written;
    published_ = std::move(checkpoint);
    note_ = std::move(*note);
    return {};
}

base::Result<void> Log::seal() {
    if (broken_) return broken();
    return keep(tiles_.seal());
}

base::Result<LogProof> Log::prove(std::uint64_t index, std::optional<base::Bytes> extra) {
    auto hashes = inclusion_proof(index, published_.size, tiles_.nodes());
    if (!hashes) return std::unexpected(hashes.error());
    return LogProof{std::move(extra), index, std::move(*hashes), note_.whole()};
}

base::Result<std::vector<Hash>> Log::prove_consistency(std::uint64_t old_size) {
    return consistency_proof(old_size, published_.size, tiles_.nodes());
}

}  // namespace hanse::journal
