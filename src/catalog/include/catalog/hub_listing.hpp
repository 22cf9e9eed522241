// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::catalog {

struct HubFile {
    std::string path;
    std::uint64_t size = 0;
    std::string sha256 = {};  // empty if the hub does not state it (small files)
    bool operator==(const HubFile&) const = default;
};

// What a hub says about a repository at one commit. Pure values; nothing of it is believed before it was
// checked: paths are plain, hashes are hashes, sizes are possible.
struct HubListing {
    std::string commit;
    std::string licence = {};
    bool gated = false;
    std::vector<HubFile> files;  // .gguf only

    // Reads the answer of GET /api/models/OWNER/REPOSITORY/revision/REVISION?blobs=true. `corrupt` if it is none.
    static base::Result<HubListing> parse(std::string_view json);
};

// The files to fetch: `wanted` and the other parts it is split into; or, if nothing is named, the one in
// Q4_K_M, or the only one. Else `invalid`, with the choices in the message.
base::Result<std::vector<HubFile>> choose_files(const HubListing& listing, std::string_view wanted);

// For "x-00002-of-00003.gguf" all three names, else the name itself. At most 999 parts.
std::vector<std::string> parts_of(std::string_view file);

}  // namespace hanse::catalog
