// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <format>

#include "crypto/key_file.hpp"
#include "journal/note.hpp"

// Keys of notes: their ids, their text form, and what exactly each type of signature is made over.
namespace hanse::journal {
namespace {

void put(base::Bytes& out, std::string_view text) { std::ranges::copy(base::bytes_of(text), std::back_inserter(out)); }
void put_u64(base::Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

std::uint32_t key_id_of(std::string_view name, NoteType type, const crypto::PublicKey& key) {
    base::Bytes all;
    put(all, name);
    put(all, "\n");
    all.push_back(static_cast<std::byte>(type));
    std::ranges::copy(key.bytes(), std::back_inserter(all));
    const Hash digest = crypto::sha256(all);
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = id << 8 | std::to_integer<std::uint32_t>(digest[i]);
    return id;
}

// What is signed (C2SP tlog-cosignature, "signed message"); nothing where the text cannot be signed so.
std::optional<base::Bytes> signed_message(std::string_view signer, NoteType type, std::string_view text, std::uint64_t time) {
    base::Bytes message;
    switch (type) {
        case NoteType::ed25519: put(message, text); return message;
        case NoteType::ed25519_cosignature:
            put(message, std::format("cosignature/v1\ntime {}\n", time));
            put(message, text);
            return message;
        case NoteType::ml_dsa_44_cosignature: break;
    }
    const auto checkpoint = Checkpoint::parse(text);
    // Extension lines would not be covered, so a checkpoint that has some is not signed, nor believed, this way.
    if (!checkpoint || !checkpoint->extensions.empty() || checkpoint->origin.size() > 255 || signer.size() > 255) return std::nullopt;
    put(message, std::string_view("subtree/v1\n\0", 12));
    message.push_back(static_cast<std::byte>(signer.size()));
    put(message, signer);
    put_u64(message, time);
    message.push_back(static_cast<std::byte>(checkpoint->origin.size()));
    put(message, checkpoint->origin);
    put_u64(message, 0);
    put_u64(message, checkpoint->size);
    std::ranges::copy(checkpoint->root, std::back_inserter(message));
    return message;
}

}  // namespace

crypto::Algorithm algorithm_of(NoteType type) {
    return type == NoteType::ml_dsa_44_cosignature ? crypto::Algorithm::ml_dsa_44 : crypto::Algorithm::ed25519;
}

base::Result<NoteVerifier> NoteVerifier::from_key(std::string name, NoteType type, crypto::PublicKey key) {
    if (!crypto::is_key_name(name)) return base::fail(base::ErrorKind::invalid, "a key name has no spaces and no plus sign");
    if (key.algorithm() != algorithm_of(type))
        return base::fail(base::ErrorKind::invalid, "the key is of another algorithm than its type says");
    const auto id = key_id_of(name, type, key);
    return NoteVerifier(std::move(name), type, std::move(key), id);
}

base::Result<NoteVerifier> NoteVerifier::from_vkey(std::string_view vkey) {
    const auto refuse = [](std::string_view why) {
        return base::fail(base::ErrorKind::invalid, std::format("this is no verifier key: {}", why));
    };
    const auto first = vkey.find('+');
    const auto second = first == vkey.npos ? vkey.npos : vkey.find('+', first + 1);
    if (second == vkey.npos) return refuse("it has the form NAME+ID+KEY");
    const auto bytes = base::from_base64(vkey.substr(second + 1));
    if (!bytes || bytes->empty()) return refuse("its key is no base64");
    const auto type = static_cast<NoteType>(bytes->front());
    if (type != NoteType::ed25519 && type != NoteType::ed25519_cosignature && type != NoteType::ml_dsa_44_cosignature)
        return refuse("its type is none of Ed25519, Ed25519 cosignature and ML-DSA-44 cosignature");
    auto key = crypto::PublicKey::from_bytes(algorithm_of(type), std::span(*bytes).subspan(1));
    if (!key) return std::unexpected(key.error());
    auto made = from_key(std::string(vkey.substr(0, first)), type, std::move(*key));
    if (made && std::format("{:08x}", made->key_id()) != vkey.substr(first + 1, second - first - 1))
        return refuse("its id does not belong to its name and key");
    return made;
}

std::string NoteVerifier::vkey() const {
    base::Bytes bytes{static_cast<std::byte>(type_)};
    std::ranges::copy(key_.bytes(), std::back_inserter(bytes));
    return std::format("{}+{:08x}+{}", name_, key_id_, base::base64(bytes));
}

std::optional<std::uint64_t> NoteVerifier::verifies(std::string_view text, const NoteSignature& signature) const {
    if (!made(signature)) return std::nullopt;
    std::span<const std::byte> bytes = signature.bytes;
    std::uint64_t time = 0;
    if (type_ != NoteType::ed25519) {
        if (bytes.size() < 8) return std::nullopt;
        for (std::size_t i = 0; i < 8; ++i) time = time << 8 | std::to_integer<std::uint64_t>(bytes[i]);
        if (time > INT64_MAX) return std::nullopt;
        bytes = bytes.subspan(8);
    }
    const auto message = signed_message(name_, type_, text, time);
    if (!message || !key_.verifies(*message, bytes)) return std::nullopt;
    return time;
}

base::Result<NoteSigner> NoteSigner::from_key(std::string name, NoteType type, crypto::SigningKey key) {
    auto verifier = NoteVerifier::from_key(std::move(name), type, key.public_key());
    if (!verifier) return std::unexpected(verifier.error());
    return NoteSigner(std::move(*verifier), std::move(key));
}

base::Result<NoteSignature> NoteSigner::sign(std::string_view text, std::uint64_t time, crypto::Signing how) const {
    const auto message = signed_message(verifier_.name(), verifier_.type(), text, time);
    if (!message) return base::fail(base::ErrorKind::invalid, "a cosignature is of a checkpoint without extension lines");
    NoteSignature made{verifier_.name(), verifier_.key_id(), {}};
    if (verifier_.type() != NoteType::ed25519) put_u64(made.bytes, time);
    std::ranges::copy(key_.sign(*message, {}, how), std::back_inserter(made.bytes));
    return made;
}

}  // namespace hanse::journal
