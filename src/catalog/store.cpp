// SPDX-License-Identifier: Apache-2.0
#include "catalog/store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <format>
#include <sys/file.h>
#include <unistd.h>

#include "catalog/files.hpp"
#include "catalog/gguf.hpp"
#include "catalog/hub_listing.hpp"
#include "catalog/reference.hpp"

namespace hanse::catalog {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t manifest_max = 1 << 20;

std::string rfc3339(base::WallTime time) { return std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(time)); }

base::Result<void> link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::remove(to, error);
    fs::create_hard_link(from, to, error);
    if (!error) return {};
    error.clear();
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (!error) return {};
    const std::string reason = error.message();
    fs::remove(to, error);
    return base::fail(base::ErrorKind::unavailable, std::format("cannot copy {} to {}: {}", from.string(), to.string(), reason));
}

}  // namespace

base::Result<void> Store::sound_gguf(const fs::path& file) {
    const auto facts = check_gguf(file);
    if (!facts) return std::unexpected(facts.error());
    return {};
}

Store::Hold::~Hold() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<Manifest> Store::list(std::vector<std::string>* damaged) const {
    std::vector<Manifest> manifests;
    std::error_code error;
    for (fs::directory_iterator each(directory_, error), end; !error && each != end; each.increment(error)) {
        const std::string name = each->path().filename().string();
        if (!is_model_name(name)) continue;
        auto manifest = find(name);
        if (manifest) manifests.push_back(std::move(*manifest));
        else if (damaged != nullptr && manifest.error().kind != base::ErrorKind::not_found) damaged->push_back(name);
    }
    std::ranges::sort(manifests, {}, &Manifest::name);
    return manifests;
}

base::Result<Manifest> Store::find(std::string_view name) const {
    const auto missing = [&] { return base::fail(base::ErrorKind::not_found, std::format("there is no model \"{}\" here", name.substr(0, 96)), "model_not_found"); };
    if (!is_model_name(name)) return missing();
    const auto json = read_file_whole(folder(name) / "manifest.json", manifest_max);
    if (!json && json.error().kind == base::ErrorKind::not_found) return missing();
    if (!json) return std::unexpected(json.error());
    auto manifest = Manifest::parse(*json);
    if (!manifest) return base::fail(manifest.error().kind, std::format("model {}: {}", name, manifest.error().message), manifest.error().code);
    if (manifest->name != name) return base::fail(base::ErrorKind::corrupt, std::format("model {}: the manifest is that of {}", name, manifest->name), "manifest_corrupt");
    return manifest;
}

base::Result<fs::path> Store::path(std::string_view name) const {
    const auto manifest = find(name);
    if (!manifest) return std::unexpected(manifest.error());
    return folder(name) / manifest->files.front().name;
}

base::Result<Store::Hold> Store::hold(std::string_view name) {
    if (!is_model_name(name)) return base::fail(base::ErrorKind::invalid, std::format("\"{}\" is no name for a model: letters, digits, \".\", \"_\" and \"-\", at most 96", name.substr(0, 96)));
    std::error_code error;
    fs::create_directories(folder(name), error);
    if (error) return base::fail(base::ErrorKind::unavailable, std::format("cannot make {}: {}", folder(name).string(), error.message()));
    const fs::path path = folder(name) / "lock";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return base::fail(base::ErrorKind::denied, std::format("cannot write to {}: {}", folder(name).string(), std::strerror(errno)));
    Hold hold(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return base::fail(base::ErrorKind::overloaded, std::format("another process is changing model {} at this moment", name), "model_busy");
    return hold;
}

base::Result<void> Store::write(const Manifest& manifest) { return write_file_whole(folder(manifest.name) / "manifest.json", manifest.json()); }

base::Result<Manifest> Store::add(const fs::path& file, std::string name, std::string licence, base::WallTime now,
                                  const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    if (name.empty()) name = model_name_from(file.filename().string());
    if (find(name)) return base::fail(base::ErrorKind::invalid, std::format("model {} is here already; remove it first, or give another name", name), "model_exists");
    Manifest manifest{.name = name, .source = "file:" + file.filename().string(), .revision = {}, .licence = std::move(licence), .added_at = rfc3339(now), .description = {}, .files = {}};
    std::vector<fs::path> sources;
    std::uint64_t bytes = 0;
    for (const std::string& part : parts_of(file.filename().string())) {
        sources.push_back(file.parent_path() / part);
        std::error_code error;
        bytes += fs::file_size(sources.back(), error);
        if (error) return base::fail(base::ErrorKind::not_found, std::format("cannot read {}: {}", sources.back().string(), error.message()));
    }
    for (const fs::path& source : sources)
        if (auto sound = check(source); !sound) return std::unexpected(sound.error());
    auto held = hold(name);
    if (!held) return std::unexpected(held.error());
    std::uint64_t before = 0;
    for (const fs::path& source : sources) {
        const fs::path target = folder(name) / source.filename();
        if (auto copied = link_or_copy(source, target); !copied) return std::unexpected(copied.error());
        auto hash = sha256_of_file(target, [&](std::uint64_t done) { if (progress) progress(before + done, bytes); });
        if (!hash) return std::unexpected(hash.error());
        std::error_code error;
        const std::uint64_t size = fs::file_size(target, error);
        before += size;
        manifest.files.push_back({target.filename().string(), size, std::move(*hash)});
    }
    if (auto written = write(manifest); !written) return std::unexpected(written.error());
    return manifest;
}

base::Result<void> Store::remove(std::string_view name) {
    if (!is_model_name(name) || !fs::exists(folder(name)))
        return base::fail(base::ErrorKind::not_found, std::format("there is no model \"{}\" here", name.substr(0, 96)), "model_not_found");
    auto held = hold(name);
    if (!held) return std::unexpected(held.error());
    std::error_code error;
    // The manifest first: what is left of a removal that was cut off must not look like a model.
    fs::remove(folder(name) / "manifest.json", error);
    fs::remove_all(folder(name), error);
    if (error) return base::fail(base::ErrorKind::unavailable, std::format("cannot remove {}: {}", folder(name).string(), error.message()));
    return {};
}

base::Result<void> Store::verify(std::string_view name, const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
    const auto manifest = find(name);
    if (!manifest) return std::unexpected(manifest.error());
    std::uint64_t before = 0;
    for (const ManifestFile& file : manifest->files) {
        const auto hash = sha256_of_file(folder(name) / file.name, [&](std::uint64_t done) { if (progress) progress(before + done, manifest->bytes()); });
        if (!hash) return std::unexpected(hash.error());
        if (*hash != file.sha256) return base::fail(base::ErrorKind::corrupt, std::format("{} of model {} is not what its manifest says", file.name, name), "model_corrupt");
        before += file.size;
    }
    return {};
}

}  // namespace hanse::catalog
