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

const NoteSigner* LogKeys::signer(crypto::Algorithm algorithm) const {
    const auto found = std::ranges::find(signers_, algorithm, [](const NoteSigner& each) { return algorithm_of(each.verifier().type()); });
    return found == signers_.end() ? nullptr : &*found;
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

// What was shown last, if anything; checked with the keys of this log.
base::Result<bool> Log::recall_published() {
    auto whole = parts_.disk.read_whole(parts_.folder / "checkpoint", checkpoint_max);
    if (!whole && whole.error().kind == base::ErrorKind::not_found) return false;
    if (!whole) return std::unexpected(whole.error());
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
    if (signed_by->size() < verifiers.size()) {
        const auto formerly = endorsements(*note, parts_.former);
        if (!formerly) return wrong(formerly.error().message);
        if (formerly->empty()) return wrong("it is not signed by all keys of this log");
        stale_keys_ = true;
    }
    published_ = std::move(*checkpoint);
    note_ = std::move(*note);
    return true;
}

// Lost, it is only asked for again; so anything that is wrong with it counts as none.
void Log::recall_witnessed() {
    witnessed_.reset();
    const auto whole = parts_.disk.read_whole(parts_.folder / "witnessed", checkpoint_max);
    if (!whole || parts_.policy == nullptr) return;
    auto note = Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
    if (!note) return;
    std::vector<NoteVerifier> keys = parts_.keys.verifiers();
    keys.insert(keys.end(), parts_.former.begin(), parts_.former.end());
    const auto verdict = parts_.policy->judge(*note, keys);
    const auto checkpoint = Checkpoint::parse(note->text);
    if (!verdict || !verdict->met() || checkpoint->origin != parts_.keys.origin() || checkpoint->size > size()) return;
    const auto root = root_at(checkpoint->size, tiles_.nodes());
    if (!root || *root != checkpoint->root) return;
    witnessed_ = *checkpoint;
    witnessed_note_ = std::move(*note);
}

// Before the records are looked at: what should be there, and the leaves of what need not.
base::Result<void> Log::recall_pruned() {
    const auto read = read_pruned(parts_.disk, parts_.folder);
    if (!read) return std::unexpected(read.error());
    const auto& pruned = *read;
    if (!pruned) return {};
    while (tiles_.size() < pruned->minimum)
        if (auto added = tiles_.add_pruned_tile(); !added) return added;
    if (auto done = records_.prune(pruned->minimum); !done) return done;
    return tiles_.prune(pruned->minimum);
}

base::Result<void> Log::prune(std::uint64_t minimum, const Retention& retention) {
    if (broken_) return broken();
    if (minimum > published_.size) return base::fail(base::ErrorKind::invalid, "what was not published yet is not pruned");
    minimum -= minimum % RecordStore::records_per_file;
    if (minimum <= records_.first()) return {};
    // The tiles must not depend on records that are about to go; then the promise, then the deed.
    if (auto sealed = keep(tiles_.seal()); !sealed) return sealed;
    const std::string text = Pruned{minimum, retention}.text();
    if (auto written = keep(parts_.disk.replace(parts_.folder / "pruned", base::bytes_of(text))); !written) return written;
    if (auto done = keep(records_.prune(minimum)); !done) return done;
    return keep(tiles_.prune(minimum));
}

base::Result<std::uint64_t> Log::first_after(std::uint64_t cutoff_ms) {
    std::uint64_t first = records_.first();
    // A file is old when its last record is.
    for (std::uint64_t next = first + RecordStore::records_per_file; next <= size(); next += RecordStore::records_per_file) {
        const auto last = records_.read(next - 1);
        if (!last) return std::unexpected(last.error());
        if (last->time_ms >= cutoff_ms) break;
        first = next;
    }
    return first;
}

base::Result<void> Log::recover(base::WallTime now) {
    if (auto opened = tiles_.open(); !opened) return opened;
    if (auto pruned = recall_pruned(); !pruned) return pruned;
    const auto recalled = recall_published();
    if (!recalled) return std::unexpected(recalled.error());
    const bool shown = *recalled;
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
    recall_witnessed();
    if (!shown || stale_keys_ || published_.size != size()) return show(now);
    return tiles_.write_parts();
}

// A failed write may have left anything, so nothing more is done until the log was opened again.
base::Result<void> Log::keep(base::Result<void> result) {
    if (!result) broken_ = true;
    return result;
}

base::Result<std::uint64_t> Log::append(std::span<const NewRecord> records, const std::function<void(std::uint64_t first)>& durable) {
    if (broken_) return broken();
    const std::uint64_t first = size();
    const auto commitments = records_.append(records);
    if (!commitments) {
        const auto kind = commitments.error().kind;
        broken_ = kind != base::ErrorKind::overloaded && kind != base::ErrorKind::too_large;
        return std::unexpected(commitments.error());
    }
    if (durable) durable(first);
    records_.write_indexes();
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

base::Result<void> Log::add_cosignatures(const Note& checkpoint) {
    if (broken_) return broken();
    const auto parsed = Checkpoint::parse(checkpoint.text);
    if (parts_.policy == nullptr || !parsed || parsed->origin != parts_.keys.origin() || parsed->size > published_.size)
        return base::fail(base::ErrorKind::invalid, "this is no checkpoint of this log that witnesses were asked to sign");
    const auto root = root_at(parsed->size, tiles_.nodes());
    if (!root) return std::unexpected(root.error());
    if (*root != parsed->root) return base::fail(base::ErrorKind::invalid, "this checkpoint has another root than this log at its size");
    // Both what came before for the same tree and what comes now, each signature once.
    std::vector<NoteVerifier> known = parts_.keys.verifiers();
    for (const auto& witness : parts_.policy->witnesses()) known.push_back(witness.verifier);
    if (const auto signed_by = endorsements(checkpoint, known); !signed_by) return std::unexpected(signed_by.error());
    Note merged{checkpoint.text, {}};
    const auto take = [&](const Note& from) {
        if (from.text != merged.text) return;
        for (const NoteSignature& signature : from.signatures) {
            const bool wanted = std::ranges::any_of(known, [&](const NoteVerifier& key) { return key.made(signature); });
            const bool there = std::ranges::any_of(merged.signatures, [&](const NoteSignature& other) {
                return other.name == signature.name && other.key_id == signature.key_id;
            });
            if (wanted && !there) merged.signatures.push_back(signature);
        }
    };
    take(checkpoint);
    take(note_);
    take(witnessed_note_);
    if (merged.text == note_.text && merged.signatures.size() > note_.signatures.size()) {
        if (auto written = keep(parts_.disk.replace(parts_.folder / "checkpoint", base::bytes_of(merged.whole()))); !written)
            return written;
        note_ = merged;
    }
    const auto verdict = parts_.policy->judge(merged, parts_.keys.verifiers());
    if (!verdict) return std::unexpected(verdict.error());
    if (!verdict->met() || parsed->size < witnessed_size()) return {};
    if (auto written = keep(parts_.disk.replace(parts_.folder / "witnessed", base::bytes_of(merged.whole()))); !written) return written;
    witnessed_ = *parsed;
    witnessed_note_ = std::move(merged);
    return {};
}

base::Result<LogProof> Log::prove(std::uint64_t index, std::optional<base::Bytes> extra) {
    const bool witnessed = index < witnessed_size();
    auto hashes = inclusion_proof(index, witnessed ? witnessed_->size : published_.size, tiles_.nodes());
    if (!hashes) return std::unexpected(hashes.error());
    return LogProof{std::move(extra), index, std::move(*hashes), (witnessed ? witnessed_note_ : note_).whole()};
}

base::Result<std::vector<Hash>> Log::prove_consistency(std::uint64_t old_size, std::uint64_t size) {
    if (size > published_.size) return base::fail(base::ErrorKind::invalid, "the tree is larger than what was published");
    return consistency_proof(old_size, size, tiles_.nodes());
}

}  // namespace hanse::journal
