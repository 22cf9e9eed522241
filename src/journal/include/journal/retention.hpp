// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/disk.hpp"
#include "base/result.hpp"

namespace hanse::journal {

// How long the records of a log are kept at least, as is published beside it. The AI Act asks for six months of the
// event log (Regulation (EU) 2024/1689, articles 19 and 26), so nothing shorter can be said.
class Retention {
public:
    static constexpr std::chrono::days least{184};
    // `invalid` below six months or above a hundred years.
    static base::Result<Retention> create(std::chrono::days days);
    std::chrono::days days() const { return days_; }
    bool operator==(const Retention&) const = default;

private:
    explicit Retention(std::chrono::days days) : days_(days) {}
    std::chrono::days days_;
};

// What of a log is gone on purpose, and under which promise: the file `pruned` of a log's folder, public.
//
//   hanse-pruned v1
//   minimum 8192           the first entry that is still there (C2SP tlog-tiles: minimum index); a multiple of 4,096
//   days 400               records were kept at least so long
//   check <hex>            SHA-256 of the lines before
struct Pruned {
    std::uint64_t minimum = 0;
    Retention retention;
    std::string text() const;
    static base::Result<Pruned> parse(std::string_view text);
};

// The file of a log's folder; nothing if nothing was pruned. `corrupt` if it is damaged.
base::Result<std::optional<Pruned>> read_pruned(base::Disk& disk, const std::filesystem::path& folder);

}  // namespace hanse::journal
