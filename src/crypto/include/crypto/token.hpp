// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/secret.hpp"
#include "crypto/signature.hpp"

namespace hanse::crypto {

// How to reach a PKCS #11 token: the vendor's module (empty: what p11-kit knows) and the PIN.
struct TokenAccess {
    std::string module;
    Secret pin;
};

// A private key that never leaves its token, by its PKCS #11 URI (RFC 7512), as "pkcs11:token=hanse;object=identity".
// OpenSSL speaks to the token through its provider pkcs11, in a library context of its own, so that nothing else of the
// process sees that provider. Ed25519 and ECDSA P-256, where the token can do them; SoftHSM and most others know no
// ML-DSA yet, so of a hybrid identity the classical half lives here.
//
// `not_found` if there is no such key, `denied` if the PIN is wrong, `unavailable` if provider or module cannot be loaded,
// `invalid` if the key is of another algorithm. The URI holds no PIN (`invalid`), since URIs end up in files and logs.
base::Result<SigningKey> key_in_token(Algorithm algorithm, std::string_view uri, const TokenAccess& access);

}  // namespace hanse::crypto
