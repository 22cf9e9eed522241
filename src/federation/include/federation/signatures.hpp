// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "crypto/digest.hpp"
#include "crypto/identity.hpp"

namespace hanse::federation {

using Digest = crypto::Sha256Digest;

// Signing and checking as ports: a node signs with its member's IdentityKey, wherever that lies; the simulator brings
// algorithms that are quick and that only the holder of a key can use. Both are called on the thread of the core.
using Sign = std::function<crypto::HybridSignature(std::string_view context, std::span<const std::byte> message)>;
using Verify = std::function<bool(const crypto::Identity& signer, std::string_view context, std::span<const std::byte> message,
                                  const crypto::HybridSignature& signature)>;

// With the keys that an Identity holds.
inline Verify verify_with_keys() {
    return [](const crypto::Identity& signer, std::string_view context, std::span<const std::byte> message,
              const crypto::HybridSignature& signature) { return signer.verifies(context, message, signature); };
}

}  // namespace hanse::federation
