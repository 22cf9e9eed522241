// SPDX-License-Identifier: Apache-2.0
#include "digests.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <glaze/glaze.hpp>
#include <map>
#include <optional>
#include <sys/stat.h>

#include "catalog/files.hpp"
#include "catalog/manifest.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t entries_max = 1'000;

std::int64_t nanoseconds(const timespec& time) { return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec; }

// What the manifest beside the file says, as long as the file is not younger: the manifest is written last.
std::optional<std::string> told_by_manifest(const fs::path& file, const struct stat& about) {
    const fs::path beside = file.parent_path() / "manifest.json";
    struct stat manifest_about{};
    if (::stat(beside.c_str(), &manifest_about) != 0 || nanoseconds(about.st_mtim) > nanoseconds(manifest_about.st_mtim)) return std::nullopt;
    const auto text = catalog::read_file_whole(beside, 1 << 20);
    if (!text) return std::nullopt;
    const auto manifest = catalog::Manifest::parse(*text);
    if (!manifest) return std::nullopt;
    const auto found = std::ranges::find(manifest->files, file.filename().string(), &catalog::ManifestFile::name);
    if (found == manifest->files.end() || found->size != static_cast<std::uint64_t>(about.st_size)) return std::nullopt;
    return found->sha256;
}

}  // namespace

base::Result<std::string> Digests::of(const fs::path& file) {
    struct stat about{};
    if (::stat(file.c_str(), &about) != 0)
        return base::fail(base::ErrorKind::not_found, std::format("cannot read {}: {}", file.string(), std::strerror(errno)));
    if (auto told = told_by_manifest(file, about)) return *told;
    const std::string key = std::format("{}:{}:{}:{}:{}", about.st_dev, about.st_ino, about.st_size, nanoseconds(about.st_mtim), nanoseconds(about.st_ctim));
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> known;
    // A cache that cannot be read begins anew.
    if (const auto text = catalog::read_file_whole(cache_, 1 << 20))
        if (glz::read<glz::opts{.null_terminated = false}>(known, *text)) known.clear();
    if (const auto found = known.find(key); found != known.end() && found->second.size() == 64) return found->second;
    auto digest = catalog::sha256_of_file(file);
    if (!digest) return digest;
    if (known.size() >= entries_max) known.clear();
    known[key] = *digest;
    std::string json;
    if (!glz::write_json(known, json)) (void)catalog::write_file_whole(cache_, json + "\n", 0600);
    return digest;
}

}  // namespace hanse::node
