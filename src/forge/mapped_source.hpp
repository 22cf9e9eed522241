// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// One file, open and mapped for reading.
struct TensorFile::Source {
    static base::Result<std::shared_ptr<const Source>> open(const std::filesystem::path& path);
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source();

    std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(begin), size}; }
    // Whole, or an error; safe from any thread.
    base::Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
    // madvise(2) over the pages that lie wholly or partly in the range.
    void advise(std::uint64_t offset, std::uint64_t length, int advice) const;

    std::filesystem::path path;
    int descriptor = -1;
    void* begin = nullptr;
    std::uint64_t size = 0;
};

}  // namespace hanse::forge
