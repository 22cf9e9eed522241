// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/manifest.hpp"

using namespace hanse::catalog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto manifest = Manifest::parse(std::string_view(reinterpret_cast<const char*>(data), size))) {
        for (const ManifestFile& file : manifest->files)
            if (file.name.find('/') != std::string::npos) std::abort();
        (void)manifest->json();
    }
    return 0;
}
