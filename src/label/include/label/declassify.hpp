// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
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
};

// True if `signature` is that person's over `message`. Keys and mathematics are not this room's.
using VerifySignature = std::function<bool(Principal person, std::span<const std::byte> message, std::span<const std::byte> signature)>;

// What is signed: a fixed word, then every field, each with its length.
base::Bytes signed_bytes(const Declassification& statement, const Vocabulary& words);

// The label that the payload has from now on; `statement.to`, and only if all of this holds: the payload has the
// digest and the label of the statement, it gives a reason and has not expired, it loosens nobody's terms but the
// signer's, leaves the integrity alone, and is signed: by two different people of the signer where the signer's terms
// ask for a handling release or hold a trade secret, else by one. `denied`, naming what is missing, otherwise.
base::Result<Label> declassified(const Declassification& statement, std::span<const OwnerSignature> signatures, const PayloadDigest& payload,
                                 const Label& at_hand, std::int64_t now, const Vocabulary& words, const VerifySignature& verify);

}  // namespace hanse::label
