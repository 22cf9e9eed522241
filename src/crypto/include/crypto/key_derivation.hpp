// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "crypto/secret.hpp"

namespace hanse::crypto {

// HKDF (RFC 5869) over SHA-384: `size` secret bytes (at most 12,240) out of a secret, for the one use that `info`
// names. Two uses of one secret must not share an info.
Secret hkdf_sha384(const Secret& secret, std::span<const std::byte> salt, std::string_view info, std::size_t size);

}  // namespace hanse::crypto
