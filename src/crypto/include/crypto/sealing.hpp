// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace hanse::crypto {

// AES-256-GCM (NIST SP 800-38D) with a nonce drawn for each message. One key must not seal more than 2^32
// messages; keys here seal one.
//   nonce 12 | ciphertext | tag 16
inline constexpr std::size_t sealed_overhead = 28;
base::Bytes seal(const Secret& key, std::span<const std::byte> plain, std::span<const std::byte> bound, base::Random& random);
// `corrupt` if the key is another one, or anything of the message or of what it is bound to has changed.
base::Result<Secret> open_sealed(const Secret& key, std::span<const std::byte> sealed, std::span<const std::byte> bound);

// Argon2id (RFC 9106). The default is the second recommended option of its section 4: 64 MiB, three passes.
struct PassphraseCost {
    std::uint32_t memory_kib = 65'536;
    std::uint32_t passes = 3;
    std::uint32_t lanes = 1;
    bool operator==(const PassphraseCost&) const = default;
};
using PassphraseSalt = std::array<std::byte, 16>;
// A key of 32 bytes. `invalid` for a cost outside 8 MiB…1 GiB, 1…16 passes, 1…16 lanes: a file from elsewhere
// must not be able to take a machine's memory.
base::Result<Secret> key_from_passphrase(const Secret& passphrase, const PassphraseSalt& salt, const PassphraseCost& cost);

}  // namespace hanse::crypto
