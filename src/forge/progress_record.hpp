// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// Which tensors of an unfinished output are whole, one number a line, after a head that says of what recipe and of which boot: what
// was written before a power cut may not be on the disk, whatever this file says. Each line is one write(2), so add() is safe
// from any thread and a line is there whole or not at all.
class ProgressRecord {
public:
    // Empty if there is none that fits.
    static std::vector<std::size_t> read(const std::filesystem::path& path, std::string_view recipe);
    static base::Result<ProgressRecord> begin(const std::filesystem::path& path, std::string_view recipe,
                                              const std::vector<std::size_t>& before);

    base::Result<void> add(std::size_t tensor);
    void remove();

    ProgressRecord(ProgressRecord&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    ProgressRecord& operator=(ProgressRecord&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~ProgressRecord();

private:
    ProgressRecord(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    std::filesystem::path path_;
    int descriptor_;
};

}  // namespace hanse::forge
