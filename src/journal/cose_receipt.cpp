// SPDX-License-Identifier: Apache-2.0
#include "journal/cose_receipt.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "cbor.hpp"
#include "inclusion.hpp"

namespace hanse::journal {
namespace {

constexpr std::int64_t label_algorithm = 1;
constexpr std::int64_t label_key_id = 4;
constexpr std::int64_t label_claims = 15;  // RFC 9597
constexpr std::int64_t claim_issuer = 1;
constexpr std::int64_t claim_subject = 2;
constexpr std::int64_t label_structure = 395;
constexpr std::int64_t label_proofs = 396;
constexpr std::int64_t inclusion = -1;
constexpr std::int64_t rfc9162_sha256 = 1;
constexpr std::uint64_t sign1 = 18;
constexpr std::size_t receipt_max = 64 * 1024;
constexpr std::size_t hashes_max = 63;

std::int64_t cose_name(crypto::Algorithm algorithm) { return algorithm == crypto::Algorithm::ed25519 ? -8 : -48; }

std::array<std::byte, 4> key_id_bytes(std::uint32_t id) {
    return {static_cast<std::byte>(id >> 24), static_cast<std::byte>(id >> 16), static_cast<std::byte>(id >> 8),
            static_cast<std::byte>(id)};
}

// RFC 9052, section 4.4, without external data; the payload is the root.
base::Bytes signed_bytes(std::span<const std::byte> head, const Hash& root) {
    CborWriter out;
    out.head(Cbor::array, 4).text("Signature1").bytes(head).bytes({}).bytes(root);
    return out.made();
}

struct Head {
    std::int64_t algorithm = 0;
    std::span<const std::byte> key_id;
    std::string_view origin;
    std::string_view size;
};
std::optional<Head> parse_head(std::span<const std::byte> bytes) {
    CborReader in(bytes);
    if (!in.exactly(Cbor::map, 4) || !in.exactly(label_algorithm)) return std::nullopt;
    const auto algorithm = in.integer();
    if (!algorithm || !in.exactly(label_key_id)) return std::nullopt;
    const auto key_id = in.bytes();
    if (!key_id || key_id->size() != 4 || !in.exactly(label_claims) || !in.exactly(Cbor::map, 2) || !in.exactly(claim_issuer))
        return std::nullopt;
    const auto origin = in.text();
    if (!origin || !in.exactly(claim_subject)) return std::nullopt;
    const auto size = in.text();
    if (!size || !in.exactly(label_structure) || !in.exactly(rfc9162_sha256) || !in.at_end()) return std::nullopt;
    return Head{*algorithm, *key_id, *origin, *size};
}

struct Place {
    std::uint64_t size = 0;
    std::uint64_t index = 0;
    std::vector<Hash> hashes;
};
std::optional<Place> parse_place(std::span<const std::byte> bytes) {
    CborReader in(bytes);
    if (!in.exactly(Cbor::array, 3)) return std::nullopt;
    const auto size = in.head(Cbor::uint);
    const auto index = size ? in.head(Cbor::uint) : std::nullopt;
    const auto count = index ? in.head(Cbor::array) : std::nullopt;
    if (!count || *count > hashes_max) return std::nullopt;
    Place place{*size, *index, {}};
    while (place.hashes.size() < *count) {
        const auto hash = in.bytes();
        if (!hash || hash->size() != sizeof(Hash)) return std::nullopt;
        std::ranges::copy(*hash, place.hashes.emplace_back().begin());
    }
    return in.at_end() ? std::optional(std::move(place)) : std::nullopt;
}

}  // namespace

base::Result<base::Bytes> cose_receipt(const LogProof& proof, const LogKeys& keys, crypto::Algorithm algorithm) {
    const NoteSigner* signer = keys.signer(algorithm);
    if (signer == nullptr) return base::fail(base::ErrorKind::invalid, "COSE receipts are signed with ed25519 or ml-dsa-44");
    const auto note = Note::parse(proof.checkpoint);
    if (!note) return std::unexpected(note.error());
    const auto checkpoint = Checkpoint::parse(note->text);
    if (!checkpoint) return std::unexpected(checkpoint.error());

    CborWriter head;
    head.head(Cbor::map, 4).integer(label_algorithm).integer(cose_name(algorithm));
    head.integer(label_key_id).bytes(key_id_bytes(signer->verifier().key_id()));
    head.integer(label_claims).head(Cbor::map, 2).integer(claim_issuer).text(keys.origin());
    head.integer(claim_subject).text(std::to_string(checkpoint->size));
    head.integer(label_structure).integer(rfc9162_sha256);
    CborWriter place;
    place.head(Cbor::array, 3).head(Cbor::uint, checkpoint->size).head(Cbor::uint, proof.index).head(Cbor::array, proof.hashes.size());
    for (const Hash& hash : proof.hashes) place.bytes(hash);

    CborWriter out;
    out.head(Cbor::tag, sign1).head(Cbor::array, 4).bytes(head.made());
    out.head(Cbor::map, 1).integer(label_proofs).head(Cbor::map, 1).integer(inclusion).head(Cbor::array, 1).bytes(place.made());
    out.head(Cbor::simple, cbor_null).bytes(signer->sign_other(signed_bytes(head.made(), checkpoint->root)));
    return out.made();
}

base::Result<CoseReceipt> read_cose_receipt(std::span<const std::byte> receipt, std::span<const std::byte> entry,
                                            std::span<const NoteVerifier> keys) {
    const auto wrong = [](std::string_view where) {
        return base::fail(base::ErrorKind::corrupt, std::format("the COSE receipt: {}", where));
    };
    if (receipt.size() > receipt_max) return wrong("it has more than 64 KiB");
    CborReader in(receipt);
    if (!in.exactly(Cbor::tag, sign1) || !in.exactly(Cbor::array, 4)) return wrong("it is no tagged COSE_Sign1 of four parts");
    const auto head_bytes = in.bytes();
    const auto head = head_bytes ? parse_head(*head_bytes) : std::nullopt;
    if (!head) return wrong("its protected header is not algorithm, key id, issuer and RFC9162_SHA256 in deterministic CBOR");
    if (!in.exactly(Cbor::map, 1) || !in.exactly(label_proofs) || !in.exactly(Cbor::map, 1) || !in.exactly(inclusion) ||
        !in.exactly(Cbor::array, 1))
        return wrong("its unprotected header is not one proof of inclusion");
    const auto place_bytes = in.bytes();
    const auto place = place_bytes ? parse_place(*place_bytes) : std::nullopt;
    if (!place) return wrong("its proof of inclusion is not tree size, index and hashes");
    if (!in.exactly(Cbor::simple, cbor_null)) return wrong("its payload is not left out");
    const auto signature = in.bytes();
    if (!signature || !in.at_end()) return wrong("its signature is missing, or something follows it");

    const auto known = std::ranges::find_if(keys, [&](const NoteVerifier& key) {
        return key.name() == head->origin && std::ranges::equal(key_id_bytes(key.key_id()), head->key_id);
    });
    if (known == keys.end())
        return base::fail(base::ErrorKind::not_found,
                          std::format("the COSE receipt is signed by a key of {} that is not known", head->origin));
    if (cose_name(known->key().algorithm()) != head->algorithm) return wrong("its algorithm is not that of the key that it names");
    if (std::to_string(place->size) != head->size) return wrong("its tree size is not the one that was signed");
    const auto root = root_of_inclusion(leaf_hash(entry), place->index, place->size, place->hashes);
    if (!root) return wrong("its index lies beyond its tree, or the number of hashes does not fit");
    if (!known->key().verifies(signed_bytes(*head_bytes, *root), *signature))
        return wrong("its signature is not of the root that entry, index and hashes lead to: one of them was changed");
    return CoseReceipt{std::string(head->origin), known->key().algorithm(), place->index, place->size, *root};
}

}  // namespace hanse::journal
