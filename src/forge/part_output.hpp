// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace hanse::forge {

// A file of known length under the name PATH.part, written in any order, that gets its real name when it is whole. Errors:
// `overloaded` with "disk_full", else `unavailable`. write() is safe from any thread.
class PartOutput {
public:
    PartOutput(std::filesystem::path path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}
    PartOutput(PartOutput&& other) noexcept
        : path_(std::move(other.path_)),
          bytes_(other.bytes_),
          descriptor_(std::exchange(other.descriptor_, -1)) {}
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
    std::filesystem::path path_;
    std::uint64_t bytes_;
    int descriptor_ = -1;
};

}  // namespace hanse::forge
