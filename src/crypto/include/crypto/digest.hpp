// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace hanse::crypto {

using Sha256Digest = std::array<std::byte, 32>;

// FIPS 180-4.
Sha256Digest sha256(std::span<const std::byte> bytes);

// The same over bytes that arrive in pieces, as a download does.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::span<const std::byte> bytes);
    Sha256Digest finish();  // and begins anew

private:
    struct State;
    std::unique_ptr<State> state_;
};

// RFC 2104 over SHA-256.
Sha256Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message);

// Takes the same time wherever the difference is; false if the sizes differ.
bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

// Overwrites what the compiler must not find useless to overwrite.
void wipe(std::span<std::byte> secret);

}  // namespace hanse::crypto
