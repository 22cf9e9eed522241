// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "label/label.hpp"

namespace hanse::label {

using PayloadDigest = std::array<std::byte, 32>;

enum class Scope : std::uint8_t { once, form, standing };  // this answer; answers of this form; until it expires

// An owner's statement that one payload may be handled less strictly than its label says. It is what the approval
// screen showed, field by field, and what was signed; a model's words are in none of it. Where it lies in the
// journal is the journal's to say.
struct Declassification {
    PayloadDigest digest{};
    Label from;
    Label to;
    std::string reason;  // why, in the signer's words
    Scope scope = Scope::once;
    std::int64_t expiry = 0;  // Unix seconds, the first at which it no longer holds
    Principal signer{};       // the owner, a member
};

struct OwnerSignature {
    Principal person;  // of the signer, or the signer itself
    base::Bytes bytes;
    friend bool operator==(const OwnerSignature&, const OwnerSignature&) = default;
};

// True if `signature` is that person's over `message`. Keys and mathematics are not this room's.
using VerifySignature = std::function<bool(Principal person, std::span<const std::byte> message, std::span<const std::byte> signature)>;

// A statement with the signatures that it has so far, as it is handed from one signer to the next and to the node. As text:
//
//   hanse declassification v1
//   digest 9f86d081…
//   from owner=acme readers=acme place=EU …; integrity=own
//   to owner=acme readers=acme+bolt place=EU …; integrity=own
//   reason the customer asked for it
//   scope once
//   expiry 2026-06-01T12:00:00Z
//   signer acme
//   signed acme/anna …
//
// The line "signed" is there once for each signature: whose it is, and its bytes, which are printable ASCII without a
// meaning here. There is one text for each statement; what people approve is what stands in it.
struct SignedDeclassification {
    Declassification statement;
    std::vector<OwnerSignature> signatures = {};
};
inline constexpr std::size_t declassification_text_max = 64U << 10U;
std::string text(const SignedDeclassification& declassification, const Vocabulary& words);
// `invalid` with the line for one that is not so, or has words that are unknown; `too_large` beyond the size above.
base::Result<SignedDeclassification> read_declassification(std::string_view text, const Vocabulary& words);
std::string_view name(Scope scope);
std::optional<Scope> scope_named(std::string_view word);
// "2026-06-01T12:00:00Z", or the end of a day, "2026-06-01"; as seconds of Unix time.
std::string moment_text(std::int64_t seconds);
std::optional<std::int64_t> moment(std::string_view text);
// Whether this owner's terms ask for two signatures.
bool needs_two_signers(const Terms& terms);

// What is signed: a fixed word, then every field, each with its length.
base::Bytes signed_bytes(const Declassification& statement, const Vocabulary& words);

// The label that the payload has from now on; `statement.to`, and only if all of this holds: the payload has the
// digest and the label of the statement, it gives a reason and has not expired, it loosens nobody's terms but the
// signer's, leaves the integrity alone, and is signed: by two different people of the signer where the signer's terms
// ask for a handling release or hold a trade secret, else by one. `denied`, naming what is missing, otherwise.
base::Result<Label> declassified(const Declassification& statement, std::span<const OwnerSignature> signatures,
                                 const PayloadDigest& payload, const Label& at_hand, std::int64_t now, const Vocabulary& words,
                                 const VerifySignature& verify);

}  // namespace hanse::label
