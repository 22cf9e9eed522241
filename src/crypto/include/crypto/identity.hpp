// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/key_file.hpp"
#include "crypto/signature.hpp"

namespace hanse::crypto {

// Which algorithms belong together, by a name that is printed wherever they are used.
//
//   default  ed25519 + ml-dsa-65
//   bsi      ecdsa-p256 + ml-dsa-65   as BSI TR-02102-1 (2026-01) asks: post-quantum signatures only beside a
//                                     classical one, on a curve of its list
enum class Profile : std::uint8_t { standard, bsi };
std::string_view name(Profile profile);
std::optional<Profile> profile_named(std::string_view name);
std::array<Algorithm, 2> algorithms_of(Profile profile);

// A signature by two algorithms, each named. Both are over the same bytes,
//
//   "hanse-signature v1\n" | "<algorithm> <algorithm>\n" | "<context>\n" | message
//
// so that neither half can be taken for a signature of its own, nor for one in another context. `context` says
// what was signed ("charter", "manifest"): one line, not empty. As text: two times "<algorithm>:<base64>",
// with a space between.
struct HybridSignature {
    struct Part {
        Algorithm algorithm;
        base::Bytes bytes;
        bool operator==(const Part&) const = default;
    };
    std::array<Part, 2> parts;

    std::string text() const;
    static base::Result<HybridSignature> parse(std::string_view text);
    bool operator==(const HybridSignature&) const = default;
};

// The public half of a member's or node's identity: a name, a profile, its two keys. A value.
class Identity {
public:
    // `invalid` if the algorithms are not those of a profile in its order.
    static base::Result<Identity> from_keys(std::string name, std::vector<PublicKey> keys);
    const std::string& name() const { return name_; }
    Profile profile() const { return profile_; }
    const std::vector<PublicKey>& keys() const { return keys_; }
    // SHA-256 over the names of the algorithms and the keys, in hex: what two people compare.
    std::string fingerprint() const;
    // Only if both halves verify and are of this identity's algorithms.
    bool verifies(std::string_view context, std::span<const std::byte> message, const HybridSignature& signature) const;

private:
    Identity(std::string name, Profile profile, std::vector<PublicKey> keys)
        : name_(std::move(name)),
          profile_(profile),
          keys_(std::move(keys)) {}
    std::string name_;
    Profile profile_;
    std::vector<PublicKey> keys_;
};

// The secret half. Made from a key file of purpose "identity"; held by one owner, signs on any thread.
class IdentityKey {
public:
    static constexpr std::string_view purpose = "identity";
    static base::Result<IdentityKey> from_keys(KeySet set);
    const Identity& identity() const { return identity_; }
    const std::vector<SigningKey>& keys() const { return keys_; }  // as in the identity
    HybridSignature sign(std::string_view context, std::span<const std::byte> message, Signing how = Signing::hedged) const;

private:
    IdentityKey(Identity identity, std::vector<SigningKey> keys) : identity_(std::move(identity)), keys_(std::move(keys)) {}
    Identity identity_;
    std::vector<SigningKey> keys_;
};

}  // namespace hanse::crypto
