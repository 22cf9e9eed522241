// SPDX-License-Identifier: Apache-2.0
#include "journal/witness.hpp"

#include <algorithm>
#include <format>

#include "number.hpp"

namespace hanse::journal {
namespace {

constexpr std::size_t body_max = 1 << 20;
constexpr std::size_t proof_max = 63;
constexpr std::size_t evidence_max = 64;  // a log

std::unexpected<base::Error> no_request(std::string_view what) {
    return base::fail(base::ErrorKind::corrupt, std::format("this is no request to add a checkpoint: {}", what));
}

std::string origin_hash(std::string_view origin) { return base::hex(crypto::sha256(base::bytes_of(origin))); }

}  // namespace

std::string AddCheckpoint::body() const {
    std::string text = std::format("old {}\n", old_size);
    for (const Hash& hash : proof) text += base::base64(hash) + "\n";
    return text + "\n" + checkpoint;
}

base::Result<AddCheckpoint> AddCheckpoint::parse(std::string_view body) {
    if (body.size() > body_max) return no_request("it has more than 1 MiB");
    AddCheckpoint made;
    for (int number = 1;; ++number) {
        const auto end = body.find('\n');
        if (end == body.npos) return no_request(std::format("line {} has no end", number));
        const std::string_view line = body.substr(0, end);
        body.remove_prefix(end + 1);
        if (number == 1) {
            const auto size = line.starts_with("old ") ? decimal(line.substr(4)) : std::nullopt;
            if (!size) return no_request("line 1 gives no old size");
            made.old_size = *size;
        } else if (line.empty()) {
            break;
        } else {
            const auto hash = base::from_base64(line);
            if (!hash || hash->size() != sizeof(Hash)) return no_request(std::format("line {} is no hash", number));
            if (made.proof.size() == proof_max) return no_request("the proof has more than 63 hashes");
            std::ranges::copy(*hash, made.proof.emplace_back().begin());
        }
    }
    made.checkpoint = body;
    return made;
}

unsigned WitnessAnswer::status() const {
    switch (testimony) {
        case Testimony::cosigned: return 200;
        case Testimony::malformed: return 400;
        case Testimony::not_signed: return 403;
        case Testimony::unknown_log: return 404;
        case Testimony::conflict: return 409;
        case Testimony::inconsistent: return 422;
        case Testimony::failed: break;
    }
    return 500;
}
std::string_view WitnessAnswer::content_type() const {
    return testimony == Testimony::conflict ? "text/x.tlog.size" : "text/plain; charset=utf-8";
}

Testimony judge(const AddCheckpoint& asked, const Checkpoint& offered, const std::optional<Checkpoint>& last) {
    if (asked.old_size > offered.size) return Testimony::malformed;
    if (asked.old_size != (last ? last->size : 0)) return Testimony::conflict;
    if (offered.size == 0 && offered.root != empty_root()) return Testimony::inconsistent;
    const Hash before = last ? last->root : empty_root();
    return verifies_consistency(asked.old_size, offered.size, asked.proof, before, offered.root) ? Testimony::cosigned
                                                                                                 : Testimony::inconsistent;
}

base::Result<WitnessKeys> WitnessKeys::from_keys(crypto::KeySet set) {
    if (set.purpose != purpose || !std::ranges::equal(set.keys, algorithms, {}, &crypto::SigningKey::algorithm))
        return base::fail(base::ErrorKind::invalid, "these are no keys of a witness: it signs with Ed25519 and ML-DSA-44");
    std::vector<NoteSigner> signers;
    for (std::size_t i = 0; i < set.keys.size(); ++i) {
        auto signer = NoteSigner::from_key(set.name, i == 0 ? NoteType::ed25519_cosignature : NoteType::ml_dsa_44_cosignature,
                                           std::move(set.keys[i]));
        if (!signer) return std::unexpected(signer.error());
        signers.push_back(std::move(*signer));
    }
    return WitnessKeys(std::move(signers));
}

std::vector<NoteVerifier> WitnessKeys::verifiers() const {
    std::vector<NoteVerifier> all;
    for (const NoteSigner& signer : signers_) all.push_back(signer.verifier());
    return all;
}

base::Result<std::vector<NoteSignature>> WitnessKeys::sign(const Checkpoint& checkpoint, std::uint64_t time) const {
    std::vector<NoteSignature> made;
    for (const NoteSigner& signer : signers_) {
        if (!checkpoint.extensions.empty() && signer.verifier().type() == NoteType::ml_dsa_44_cosignature) continue;
        auto signature = signer.sign(checkpoint.text(), time);
        if (!signature) return std::unexpected(signature.error());
        made.push_back(std::move(*signature));
    }
    return made;
}

// A line of two lengths and a mark, then both texts: they hold empty lines themselves.
std::string Evidence::text() const {
    return std::format("hanse-evidence v1 {} {} {}\n{}{}", proven ? "proven" : "unproven", seen.size(), offered.size(), seen, offered);
}
base::Result<Evidence> Evidence::parse(std::string_view text) {
    const auto refuse = [] { return base::fail(base::ErrorKind::corrupt, "this is no evidence of a witness"); };
    const auto end = text.find('\n');
    if (end == text.npos) return refuse();
    std::string_view head = text.substr(0, end);
    text.remove_prefix(end + 1);
    Evidence made;
    if (!head.starts_with("hanse-evidence v1 ")) return refuse();
    head.remove_prefix(18);
    made.proven = head.starts_with("proven ");
    if (!made.proven && !head.starts_with("unproven ")) return refuse();
    head.remove_prefix(made.proven ? 7 : 9);
    const auto space = head.find(' ');
    const auto seen = decimal(head.substr(0, space));
    const auto offered = space == head.npos ? std::nullopt : decimal(head.substr(space + 1));
    if (!seen || !offered || *seen > text.size() || *offered != text.size() - *seen) return refuse();
    made.seen = text.substr(0, *seen);
    made.offered = text.substr(*seen);
    return made;
}

Witness::Witness(Parts parts) : parts_(std::move(parts)) {}

std::filesystem::path Witness::folder_of(std::string_view origin) const { return parts_.folder / origin_hash(origin); }

base::Result<std::unique_ptr<Witness>> Witness::open(Parts parts) {
    std::unique_ptr<Witness> made(new Witness(std::move(parts)));
    for (const NoteVerifier& key : made->parts_.logs) made->logs_[key.name()].keys.push_back(key);
    if (auto folder = made->parts_.disk.make_folders(made->parts_.folder); !folder) return std::unexpected(folder.error());
    for (auto& [origin, log] : made->logs_) {
        if (auto folder = made->parts_.disk.make_folders(made->folder_of(origin) / "evidence"); !folder)
            return std::unexpected(folder.error());
        if (auto recalled = made->recall(origin, log); !recalled) return std::unexpected(recalled.error());
    }
    return made;
}

// Reads what was co-signed last. Our own signature is checked: what stands there is what we said, or nothing is.
base::Result<void> Witness::recall(const std::string& origin, Remembered& log) const {
    log.known = false;
    const auto path = folder_of(origin) / "checkpoint";
    const auto damaged = [&](std::string_view why) {
        return base::fail(base::ErrorKind::corrupt,
                          std::format("{}: what this witness signed last of {} is damaged: {}", path.string(), origin, why));
    };
    const auto whole = parts_.disk.read_whole(path, body_max);
    if (!whole) {
        if (whole.error().kind != base::ErrorKind::not_found) return std::unexpected(whole.error());
        log.last.reset();
        log.note.clear();
        log.known = true;
        return {};
    }
    std::string text(reinterpret_cast<const char*>(whole->data()), whole->size());
    const auto note = Note::parse(text);
    if (!note) return damaged(note.error().message);
    const auto checkpoint = Checkpoint::parse(note->text);
    if (!checkpoint) return damaged(checkpoint.error().message);
    const auto verifiers = parts_.keys.verifiers();
    const auto ours = endorsements(*note, verifiers);
    if (!ours) return damaged(ours.error().message);
    if (ours->empty() || checkpoint->origin != origin) return damaged("it is not signed by this witness for this log");
    log.last = *checkpoint;
    log.note = std::move(text);
    log.known = true;
    return {};
}

WitnessAnswer Witness::add_checkpoint(std::string_view body, base::WallTime now) {
    const std::lock_guard lock(mutex_);
    WitnessAnswer answer = decide(body, now);
    ++(answer.testimony == Testimony::cosigned ? figures_.cosigned : figures_.refused);
    return answer;
}

WitnessAnswer Witness::decide(std::string_view body, base::WallTime now) {
    const auto refuse = [](Testimony testimony, std::string_view why) { return WitnessAnswer{testimony, std::string(why) + "\n"}; };
    const auto asked = AddCheckpoint::parse(body);
    if (!asked) return refuse(Testimony::malformed, asked.error().message);
    auto note = Note::parse(asked->checkpoint);
    if (!note) return refuse(Testimony::malformed, note.error().message);
    const auto offered = Checkpoint::parse(note->text);
    if (!offered) return refuse(Testimony::malformed, offered.error().message);
    const auto found = logs_.find(offered->origin);
    if (found == logs_.end()) return refuse(Testimony::unknown_log, "this witness does not know this log");
    Remembered& log = found->second;
    const auto signed_by = endorsements(*note, log.keys);
    if (!signed_by) return refuse(Testimony::not_signed, signed_by.error().message);
    if (signed_by->empty()) return refuse(Testimony::not_signed, "no known key of the log signed the checkpoint");
    // After a failed write nobody knows what is on disk, so it is read again.
    if (!log.known)
        if (auto recalled = recall(found->first, log); !recalled)
            return refuse(Testimony::failed, "this witness cannot read what it signed last");

    const Testimony testimony = judge(*asked, *offered, log.last);
    if (testimony == Testimony::conflict) return {testimony, std::format("{}\n", log.last ? log.last->size : 0)};
    if (testimony == Testimony::malformed) return refuse(testimony, "the old size is larger than the checkpoint");
    if (testimony == Testimony::inconsistent) {
        keep_evidence(found->first, log, body, *offered);
        return refuse(testimony, "the checkpoint does not contain what this witness has signed before, or the proof does not show it");
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    auto made = parts_.keys.sign(*offered, static_cast<std::uint64_t>(seconds));
    if (!made) return refuse(Testimony::failed, "this witness cannot sign");
    // Remembered: the log's own signatures that were checked, and ours.
    Note kept{note->text, {}};
    for (const NoteSignature& signature : note->signatures)
        if (std::ranges::any_of(log.keys, [&](const NoteVerifier& key) { return key.made(signature); }))
            kept.signatures.push_back(signature);
    std::string lines;
    for (const NoteSignature& signature : *made) {
        lines += signature.line();
        kept.signatures.push_back(signature);
    }
    log.known = false;
    std::string whole = kept.whole();
    if (auto written = parts_.disk.replace(folder_of(found->first) / "checkpoint", base::bytes_of(whole)); !written)
        return refuse(Testimony::failed, "this witness cannot write down what it signs");
    log.last = *offered;
    log.note = std::move(whole);
    log.known = true;
    return {Testimony::cosigned, std::move(lines)};
}

// Best effort: the answer is a refusal whether it can be kept or not.
void Witness::keep_evidence(const std::string& origin, const Remembered& log, std::string_view body, const Checkpoint& offered) {
    const bool proven =
        log.last ? log.last->size == offered.size && log.last->root != offered.root : offered.size == 0;  // the empty tree has one root
    if (proven) ++figures_.proven_splits;
    const std::filesystem::path folder = folder_of(origin) / "evidence";
    const auto names = parts_.disk.list(folder);
    if (!names) return;
    const std::string name = std::format("{}-{}", offered.size, base::hex(crypto::sha256(base::bytes_of(offered.text()))).substr(0, 16));
    // What proves something is kept however much is there that does not.
    const std::size_t most = proven ? 2 * evidence_max : evidence_max;
    if (std::ranges::contains(*names, name) || names->size() >= most) return;
    (void)parts_.disk.replace(folder / name, base::bytes_of(Evidence{log.note, std::string(body), proven}.text()));
}

base::Result<std::string> Witness::checkpoint(std::string_view hash) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [origin, log] : logs_)
        if (origin_hash(origin) == hash && log.known && log.last) return log.note;
    return base::fail(base::ErrorKind::not_found, "this witness has signed no checkpoint of such a log");
}

base::Result<std::vector<Evidence>> Witness::evidence() const {
    const std::lock_guard lock(mutex_);
    std::vector<Evidence> all;
    for (const auto& [origin, log] : logs_) {
        const auto folder = folder_of(origin) / "evidence";
        const auto names = parts_.disk.list(folder);
        if (!names) return std::unexpected(names.error());
        for (const std::string& name : *names) {
            if (name.ends_with(".new")) continue;  // a write that a power cut stopped
            const auto bytes = parts_.disk.read_whole(folder / name, 4 * body_max);
            if (!bytes) return std::unexpected(bytes.error());
            auto parsed = Evidence::parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
            if (!parsed) {
                parsed.error().message = (folder / name).string() + ": " + parsed.error().message;
                return std::unexpected(parsed.error());
            }
            all.push_back(std::move(*parsed));
        }
    }
    return all;
}

Witness::Figures Witness::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

}  // namespace hanse::journal
