// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/signature.hpp"
#include "openssl.hpp"

// What a signing key is made of; for the sources of this room.
namespace hanse::crypto {

struct SigningKey::State {
    EvpKey key;
    PublicKey public_key;
    OSSL_LIB_CTX* context = nullptr;  // of a token's key; none: OpenSSL's own
};

}  // namespace hanse::crypto
