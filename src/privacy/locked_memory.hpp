// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::privacy {

// Texts that must not reach a disk: pages that are locked in memory, left out of core dumps, and overwritten before they are
// given back. What keep() returns stays where it is until the end. Blocks begin small, since an ordinary process may lock
// only a few megabytes for all its tasks.
class LockedMemory {
public:
    explicit LockedMemory(std::size_t most) : most_(most) {}
    ~LockedMemory();
    LockedMemory(const LockedMemory&) = delete;
    LockedMemory& operator=(const LockedMemory&) = delete;

    // Locks the first block, so that a task learns at its beginning whether it can.
    base::Result<void> prepare() { return grow(1); }
    base::Result<std::string_view> keep(std::string_view text);
    std::size_t used() const { return used_; }

private:
    struct Block {
        char* begin;
        std::size_t size;
        std::size_t taken;
    };
    base::Result<void> grow(std::size_t least);
    std::vector<Block> blocks_;
    std::size_t most_;
    std::size_t used_ = 0;
};

}  // namespace hanse::privacy
