// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace hanse::crypto {

// The signature algorithms that Hanse knows. The name travels with every key and signature; a name that is
// not in this list is an error, never skipped.
//
//   ed25519       RFC 8032; public key 32 bytes, signature 64
//   ecdsa-p256    FIPS 186-5 over SHA-256; public key an uncompressed point (SEC 1, 2.3.3), signature in DER
//   ml-dsa-44     FIPS 204, category 2; public key 1,312 bytes, signature 2,420
//   ml-dsa-65     FIPS 204, category 3; public key 1,952 bytes, signature 3,309
//   ml-dsa-87     FIPS 204, category 5; public key 2,592 bytes, signature 4,627
enum class Algorithm : std::uint8_t { ed25519, ecdsa_p256, ml_dsa_44, ml_dsa_65, ml_dsa_87 };
std::string_view name(Algorithm algorithm);
std::optional<Algorithm> algorithm_named(std::string_view name);
bool is_post_quantum(Algorithm algorithm);

// FIPS 204, section 3.4: hedged signing draws fresh randomness for each signature, which is what one wants;
// deterministic signing is for known-answer tests and simulations. The other algorithms ignore it.
enum class Signing : std::uint8_t { hedged, deterministic };

// Who can check. A value: cheap to copy, safe on any thread.
class PublicKey {
public:
    // `invalid` if the bytes are no public key of that algorithm.
    static base::Result<PublicKey> from_bytes(Algorithm algorithm, std::span<const std::byte> bytes);

    Algorithm algorithm() const;
    const base::Bytes& bytes() const;
    // True only for a signature of exactly this message. `context` is ML-DSA's context string (FIPS 204,
    // section 5.3), at most 255 bytes; the classical algorithms have none, so for them it must be empty.
    bool verifies(std::span<const std::byte> message, std::span<const std::byte> signature, std::span<const std::byte> context = {}) const;
    bool operator==(const PublicKey& other) const;

private:
    friend class SigningKey;
    struct State;
    explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

struct TokenAccess;

// Who can sign. Made from 32 secret bytes, which is all that has to be kept: the seed of Ed25519 (RFC 8032,
// 5.1.5) and of ML-DSA (FIPS 204, algorithm 6), the scalar of P-256. Safe on any thread; held by one owner.
class SigningKey {
public:
    static constexpr std::size_t seed_size = 32;
    // `invalid` if the seed has another size or, for P-256, is not in [1, order of the group).
    static base::Result<SigningKey> from_seed(Algorithm algorithm, const Secret& seed);
    ~SigningKey();
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;

    Algorithm algorithm() const;
    const PublicKey& public_key() const;
    // Whether the secret lies in a token (crypto/token.hpp).
    bool in_token() const;
    // Always a signature, but for a key in a token that was taken away or locked: that one gives no bytes, which verify
    // as nothing.
    base::Bytes sign(std::span<const std::byte> message, std::span<const std::byte> context = {}, Signing how = Signing::hedged) const;
    // PKCS #8 (RFC 5958) in DER, for what signs by itself with the key: OpenSSL's TLS. Nothing for a key in a token.
    Secret pkcs8() const;

private:
    friend base::Result<SigningKey> key_in_token(Algorithm algorithm, std::string_view uri, const TokenAccess& access);
    struct State;
    explicit SigningKey(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::crypto
