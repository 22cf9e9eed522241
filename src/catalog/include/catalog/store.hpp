// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/manifest.hpp"

namespace hanse::catalog {

// The models of this node on disk: DATA/models/NAME/ with manifest.json and the model's files. A folder
// counts as a model once its manifest is there; that file is written last, to another name, synced and
// renamed, so that a power cut leaves either a whole model or leftovers that the next fetch continues.
//
// Several processes may read at a time; two that change the same model at once are kept apart by a lock file
// in its folder (held()). Functions block on the disk; not for a thread that serves.
class Store {
public:
    // What a file must be before it becomes a model.
    using FileCheck = std::function<base::Result<void>(const std::filesystem::path&)>;
    explicit Store(std::filesystem::path directory, FileCheck check = sound_gguf) : directory_(std::move(directory)), check_(std::move(check)) {}
    static base::Result<void> sound_gguf(const std::filesystem::path& file);
    base::Result<void> check(const std::filesystem::path& file) const { return check_(file); }

    const std::filesystem::path& directory() const { return directory_; }
    // Sorted by name. A damaged manifest is left out and named in `damaged` if that is given.
    std::vector<Manifest> list(std::vector<std::string>* damaged = nullptr) const;
    base::Result<Manifest> find(std::string_view name) const;
    // The file to load.
    base::Result<std::filesystem::path> path(std::string_view name) const;
    std::filesystem::path folder(std::string_view name) const { return directory_ / name; }

    // Makes a model of a file that is here already: linked if possible, copied otherwise, checked and hashed.
    // `progress` is told bytes done and bytes in all.
    base::Result<Manifest> add(const std::filesystem::path& file, std::string name, std::string licence, base::WallTime now,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});
    base::Result<void> write(const Manifest& manifest);
    base::Result<void> remove(std::string_view name);
    // Hashes the files again and compares. `corrupt` names the first that differs.
    base::Result<void> verify(std::string_view name, const std::function<void(std::uint64_t, std::uint64_t)>& progress = {}) const;

    // Keeps other processes from changing the same model while it lives.
    class Hold {
    public:
        explicit Hold(int descriptor) : descriptor_(descriptor) {}
        Hold(Hold&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
        Hold& operator=(Hold&&) = delete;
        ~Hold();

    private:
        int descriptor_;
    };
    // Makes the folder. `overloaded` if another process holds it.
    base::Result<Hold> hold(std::string_view name);

private:
    std::filesystem::path directory_;
    FileCheck check_;
};

}  // namespace hanse::catalog
