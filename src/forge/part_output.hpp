// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace hanse::forge {

// A worker's memory for bytes on their way into a file, laid out so that a page of the file begins where a page of memory does:
// then whole pages go to the disk as they are, without a copy in the page cache, which costs more than merging them did. Grows, never
// shrinks; what lies in it is lost when it does.
class FileBuffer {
public:
    // For bytes that will stand at this offset of the file.
    std::span<std::byte> at(std::uint64_t file_offset, std::size_t size);

private:
    struct Free {
        void operator()(std::byte* memory) const;
    };
    std::unique_ptr<std::byte, Free> memory_;
    std::size_t size_ = 0;
};

// A file of known length under the name PATH.part, written in any order, that gets its real name when it is whole. Errors:
// `overloaded` with "disk_full", else `unavailable`. write() is safe from any thread; long stretches from a FileBuffer pass by the
// page cache where the file system can do that, and the pages at their ends, which others may write to as well, go through it.
class PartOutput {
public:
    PartOutput(std::filesystem::path path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}
    PartOutput(PartOutput&& other) noexcept
        : path_(std::move(other.path_)),
          bytes_(other.bytes_),
          descriptor_(std::exchange(other.descriptor_, -1)),
          direct_(std::exchange(other.direct_, -1)) {}
    PartOutput& operator=(PartOutput&&) = delete;
    ~PartOutput();

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path part() const;

    // Anew, with its room reserved and its head written.
    base::Result<void> begin(std::string_view head);
    // An earlier part, if it has the length and begins with this head.
    bool reopen(std::string_view head);
    base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
    base::Result<void> sync();
    base::Result<void> give_name();
    void remove();

private:
    std::unexpected<base::Error> cannot_write(int error) const;
    base::Result<void> write_through_cache(std::uint64_t offset, std::span<const std::byte> bytes);
    std::size_t write_past_cache(std::uint64_t offset, std::span<const std::byte> bytes);
    void open_direct();
    std::filesystem::path path_;
    std::uint64_t bytes_;
    int descriptor_ = -1;
    int direct_ = -1;  // the same file past the page cache; -1 where that is not possible
};

}  // namespace hanse::forge
