// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/digest.hpp"

namespace hanse::crypto {

// Bytes that are overwritten when they are no longer needed. Moves, never copies; a Secret that was moved from
// is empty. What reads it asks for reveal(), so that each such place can be searched for.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::size_t size) : bytes_(size) {}
    static Secret copy_of(std::span<const std::byte> bytes) {
        Secret made(bytes.size());
        std::ranges::copy(bytes, made.bytes_.begin());
        return made;
    }
    static Secret copy_of(std::string_view text) { return copy_of(std::as_bytes(std::span(text))); }
    Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Secret& operator=(Secret&& other) noexcept {
        wipe(bytes_);
        bytes_ = std::exchange(other.bytes_, {});
        return *this;
    }
    ~Secret() { wipe(bytes_); }

    std::span<const std::byte> reveal() const { return bytes_; }
    std::span<std::byte> fill() { return bytes_; }
    bool empty() const { return bytes_.empty(); }

private:
    std::vector<std::byte> bytes_;
};

}  // namespace hanse::crypto
