// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hanse::base {

// Randomness as a port. SystemRandom asks the kernel and is fit for keys; SeededRandom repeats itself and
// is for tests and simulation only. Both thread-safe unless said otherwise.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> out) = 0;
    std::uint64_t next() {
        std::uint64_t value = 0;
        fill(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
};

class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> out) override;
};

// Not thread-safe.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::byte> out) override;

private:
    std::uint64_t state_;
};

}  // namespace hanse::base
