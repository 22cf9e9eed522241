// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "crypto/signature.hpp"
#include "journal/tree.hpp"

namespace hanse::journal {

// A signed note (C2SP signed-note): text that ends in a newline, an empty line, and lines of signatures:
//
//   — <key name> base64(4 bytes of key id | signature)
//
// Whoever reads the text of a note must have checked it with a key that they trust.
struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    base::Bytes bytes;
    std::string line() const;  // with its newline
};
struct Note {
    std::string text;
    std::vector<NoteSignature> signatures;
    std::string whole() const;
    // At most 1 MiB and 64 signatures (a verifier must take 16); `corrupt` otherwise.
    static base::Result<Note> parse(std::string_view whole);
};
// Lines of signatures alone, as a witness answers; each must be one.
base::Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines);

// The largest tree that a log stands for (C2SP tlog-checkpoint): the text of a note of three lines.
struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    Hash root{};
    std::vector<std::string> extensions = {};
    std::string text() const;
    static base::Result<Checkpoint> parse(std::string_view text);
    bool operator==(const Checkpoint&) const = default;
};

// The signature types of C2SP signed-note that Hanse makes and checks. The last two are cosignatures (C2SP
// tlog-cosignature): they say when they were made, and are of checkpoints only.
enum class NoteType : std::uint8_t { ed25519 = 0x01, ed25519_cosignature = 0x04, ml_dsa_44_cosignature = 0x06 };
crypto::Algorithm algorithm_of(NoteType type);

// Who is believed: a name, a type and a public key, as text a "vkey".
class NoteVerifier {
public:
    // `invalid` if the key is of another algorithm than the type, or the name could not stand in a note.
    static base::Result<NoteVerifier> from_key(std::string name, NoteType type, crypto::PublicKey key);
    static base::Result<NoteVerifier> from_vkey(std::string_view vkey);
    std::string vkey() const;
    const std::string& name() const { return name_; }
    NoteType type() const { return type_; }
    std::uint32_t key_id() const { return key_id_; }
    const crypto::PublicKey& key() const { return key_; }
    bool made(const NoteSignature& signature) const { return signature.name == name_ && signature.key_id == key_id_; }
    // POSIX time of the cosignature, 0 for a type without one; nothing if the signature is not good.
    std::optional<std::uint64_t> verifies(std::string_view text, const NoteSignature& signature) const;

private:
    NoteVerifier(std::string name, NoteType type, crypto::PublicKey key, std::uint32_t key_id)
        : name_(std::move(name)),
          type_(type),
          key_(std::move(key)),
          key_id_(key_id) {}
    std::string name_;
    NoteType type_;
    crypto::PublicKey key_;
    std::uint32_t key_id_;
};

// Who signs. Belongs to one owner; signs on any thread.
class NoteSigner {
public:
    static base::Result<NoteSigner> from_key(std::string name, NoteType type, crypto::SigningKey key);
    const NoteVerifier& verifier() const { return verifier_; }
    // `time` is POSIX time, used by cosignatures. `invalid` where the type asks for a checkpoint and the text is none.
    base::Result<NoteSignature> sign(std::string_view text, std::uint64_t time, crypto::Signing how = crypto::Signing::hedged) const;
    // The bare signature of a message that can be none of a note's: COSE's begin with a byte that no UTF-8 text and
    // no cosignature begins with.
    base::Bytes sign_other(std::span<const std::byte> message) const { return key_.sign(message); }

private:
    NoteSigner(NoteVerifier verifier, crypto::SigningKey key) : verifier_(std::move(verifier)), key_(std::move(key)) {}
    NoteVerifier verifier_;
    crypto::SigningKey key_;
};

// What a note's known signatures say.
struct Endorsement {
    const NoteVerifier* verifier;
    std::uint64_t time;
};
// Those of `verifiers` who signed. `denied` if one of their signatures is bad: the whole note is refused then, as
// the specification advises. Signatures of others are passed over. None signed: an empty list.
base::Result<std::vector<Endorsement>> endorsements(const Note& note, std::span<const NoteVerifier> verifiers);

}  // namespace hanse::journal
