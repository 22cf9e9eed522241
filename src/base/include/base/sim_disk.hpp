// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/disk.hpp"
#include "base/random.hpp"

namespace hanse::base {

// A disk in memory that behaves as badly as a real one may: at a power cut each write that was not synced is
// there, or not, or there in some of its sectors; each file made, renamed or removed in a folder that was not
// synced has happened, or not. All by a seed, so that a failure can be had again. Thread-safe.
class SimDisk final : public Disk {
public:
    SimDisk();
    ~SimDisk() override;

    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Open how) override;
    Result<void> make_folder(const std::filesystem::path& path) override;
    Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    Result<void> remove(const std::filesystem::path& path) override;
    Result<std::vector<std::string>> list(const std::filesystem::path& folder) override;
    Result<void> sync_folder(const std::filesystem::path& folder) override;
    Result<void> sync_all(const std::filesystem::path& folder) override;

    // Calls that change something, since the beginning.
    std::uint64_t operations() const;
    // The power goes when that many more of them have begun; the last one, if it is a write, may be torn. From
    // then on every call fails.
    void cut_power_after(std::uint64_t operations);
    bool has_power() const;
    // What is left after the cut; open files are gone.
    void restart(Random& random);

    // No more bytes than this in all files together.
    void limit(std::uint64_t bytes);
    // The next sync of a file fails, and its unsynced writes are gone, as kernels do it.
    void fail_next_sync();
    // One bit of a file turned over, behind everybody's back.
    void flip(const std::filesystem::path& path, std::uint64_t offset, unsigned bit);
    // All files, for those who look at or tamper with everything.
    std::vector<std::filesystem::path> files() const;

private:
    struct State;
    friend class SimFile;
    std::shared_ptr<State> state_;
};

}  // namespace hanse::base
