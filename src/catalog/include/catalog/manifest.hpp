// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::catalog {

struct ManifestFile {
    std::string name;  // beside the manifest, no folder
    std::uint64_t size = 0;
    std::string sha256;  // 64 hexadecimal digits
    bool operator==(const ManifestFile&) const = default;
};

// What is known about a stored model: where it came from, under which licence, and what its bytes must hash
// to. Lies as manifest.json beside the model's files and is written last, so that a folder without one is an
// interrupted fetch, not a model. The first file is the one to load.
struct Manifest {
    std::string name;
    std::string source;    // "hf:owner/repository:file" or "file:NAME"
    std::string revision;  // the commit that was fetched; empty for imported files
    std::string licence;   // as the source states it, for instance "apache-2.0"; empty: unknown
    std::string added_at;  // RFC 3339, UTC
    std::string description;
    std::vector<ManifestFile> files;

    std::uint64_t bytes() const;
    std::string json() const;
    // `corrupt` if it is not a manifest, or names a file outside its folder.
    static base::Result<Manifest> parse(std::string_view json);
    bool operator==(const Manifest&) const = default;
};

}  // namespace hanse::catalog
