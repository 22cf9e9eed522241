// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace hanse::base {

// A file that is open for reading and writing. Nothing that was written survives a power cut before sync(); what
// was written since then may be there in part, in any order, in pieces of a sector. Not thread-safe.
//
// Errors: `overloaded` with the code "disk_full" if there is no room (a part may have been written), else
// `unavailable`. After a failed sync() nothing is known about what is on disk: the kernel may have dropped it.
class File {
public:
    virtual ~File() = default;
    // How much was read: less than asked for only at the end of the file.
    virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) = 0;
    virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
    virtual Result<std::uint64_t> size() = 0;
    virtual Result<void> truncate(std::uint64_t size) = 0;
    // Contents and size are durable when this returns; the file's name is so only after sync_folder().
    virtual Result<void> sync() = 0;
};

// The disk as a port, so that tests can lose power at any moment. Makes files of mode 0600 and folders of 0700.
// Implementations are thread-safe; each File belongs to one thread at a time.
class Disk {
public:
    enum class Open : std::uint8_t { existing, create };

    virtual ~Disk() = default;
    // `not_found` if it is not there and was not to be made.
    virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Open how) = 0;
    // A folder that is there already is fine; its parent must be there.
    virtual Result<void> make_folder(const std::filesystem::path& path) = 0;
    // Replaces what is there; atomic for those who look, durable after sync_folder().
    virtual Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    // Of a file or of an empty folder; fine if there is none.
    virtual Result<void> remove(const std::filesystem::path& path) = 0;
    // The names in it, sorted; `not_found` if there is no such folder.
    virtual Result<std::vector<std::string>> list(const std::filesystem::path& folder) = 0;
    virtual Result<void> sync_folder(const std::filesystem::path& folder) = 0;
    // Everything that was ever written to the file system of this folder: many files for the price of one.
    virtual Result<void> sync_all(const std::filesystem::path& folder) = 0;

    // The whole file; `too_large` over `most` bytes.
    Result<Bytes> read_whole(const std::filesystem::path& path, std::size_t most);
    // A new file with these bytes, or the old one's place taken over; not durable.
    Result<void> write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes);
    // The same by a file beside it, so that a power cut leaves the old one or the new; durable when it returns.
    Result<void> replace(const std::filesystem::path& path, std::span<const std::byte> bytes);
    // With all parents that are missing; their names are durable when it returns. The last one's is so too where
    // it was there already.
    Result<void> make_folders(const std::filesystem::path& path);
};

class SystemDisk final : public Disk {
public:
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Open how) override;
    Result<void> make_folder(const std::filesystem::path& path) override;
    Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    Result<void> remove(const std::filesystem::path& path) override;
    Result<std::vector<std::string>> list(const std::filesystem::path& folder) override;
    Result<void> sync_folder(const std::filesystem::path& folder) override;
    Result<void> sync_all(const std::filesystem::path& folder) override;
};

}  // namespace hanse::base
