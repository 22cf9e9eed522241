// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "base/result.hpp"

namespace hanse::node {

// SHA-256 of model files, computed once: for a model of the store it stands in its manifest, for others in a file of the node,
// by device, inode, size and time of change. Thread-safe; blocks on the disk, for a model's loading, not for a request.
class Digests {
public:
    explicit Digests(std::filesystem::path cache) : cache_(std::move(cache)) {}
    // 64 hexadecimal digits.
    base::Result<std::string> of(const std::filesystem::path& file);

private:
    const std::filesystem::path cache_;
    std::mutex mutex_;
};

}  // namespace hanse::node
