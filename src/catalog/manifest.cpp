// SPDX-License-Identifier: Apache-2.0
#include "catalog/manifest.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>

#include "catalog/reference.hpp"

namespace hanse::catalog {

std::uint64_t Manifest::bytes() const {
    std::uint64_t sum = 0;
    for (const ManifestFile& file : files) sum += file.size;
    return sum;
}

std::string Manifest::json() const {
    std::string out;
    if (glz::write<glz::opts{.prettify = true}>(*this, out)) out.clear();  // cannot fail: plain values only
    return out + "\n";
}

base::Result<Manifest> Manifest::parse(std::string_view json) {
    const auto corrupt = [](std::string_view what) { return base::fail(base::ErrorKind::corrupt, std::format("the manifest {}", what), "manifest_corrupt"); };
    if (json.size() > 1 << 20) return corrupt("is over 1 MiB");
    Manifest manifest;
    // A newer version may have added members; they do no harm.
    if (const auto error = glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(manifest, json))
        return corrupt(std::format("is not the JSON it should be, at byte {}", error.count));
    if (!is_model_name(manifest.name)) return corrupt("has no usable name");
    if (manifest.files.empty()) return corrupt("names no file");
    for (const ManifestFile& file : manifest.files) {
        if (!is_plain_path(file.name) || file.name.contains('/')) return corrupt("names a file outside its folder");
        const bool digits = std::ranges::all_of(file.sha256, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
        if (file.sha256.size() != 64 || !digits) return corrupt("has a SHA-256 that is none");
        if (file.size > std::uint64_t{1} << 50) return corrupt("has a size that cannot be");
    }
    return manifest;
}

}  // namespace hanse::catalog
