// SPDX-License-Identifier: Apache-2.0
#include "locked_memory.hpp"

#include <string.h>  // explicit_bzero
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace hanse::privacy {
namespace {

constexpr std::size_t page = 4096, block_most = 64UL << 10U;

}  // namespace

LockedMemory::~LockedMemory() {
    for (const Block& block : blocks_) {
        explicit_bzero(block.begin, block.size);
        munlock(block.begin, block.size);
        munmap(block.begin, block.size);
    }
}

base::Result<void> LockedMemory::grow(std::size_t least) {
    const std::size_t doubled = blocks_.empty() ? page : std::min(block_most, blocks_.back().size * 2);
    const std::size_t size = (std::max(least, doubled) + page - 1) / page * page;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return base::fail(base::ErrorKind::unavailable, "no memory for the originals of pseudonyms", "no_locked_memory");
    if (mlock(memory, size) != 0 || madvise(memory, size, MADV_DONTDUMP) != 0) {
        munmap(memory, size);
        return base::fail(base::ErrorKind::unavailable,
                          "no more memory can be locked for the originals of pseudonyms; raise RLIMIT_MEMLOCK", "no_locked_memory");
    }
    blocks_.push_back({static_cast<char*>(memory), size, 0});
    return {};
}

base::Result<std::string_view> LockedMemory::keep(std::string_view text) {
    if (used_ + text.size() > most_)
        return base::fail(base::ErrorKind::too_large, "more personal data in one task than pseudonyms are kept for", "too_many_pseudonyms");
    if (blocks_.empty() || blocks_.back().size - blocks_.back().taken < text.size())
        if (auto grown = grow(text.size()); !grown) return std::unexpected(grown.error());
    Block& block = blocks_.back();
    char* place = block.begin + block.taken;
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    block.taken += text.size();
    used_ += text.size();
    return std::string_view(place, text.size());
}

}  // namespace hanse::privacy
