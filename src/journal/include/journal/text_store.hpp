// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "journal/record.hpp"

namespace hanse::journal {

// The texts of a task: what came in, and what went out by choice.
struct KeptTexts {
    std::string input;
    std::vector<std::string> outputs;
};

// Texts of tasks, beside the log and never in it, kept only where the configuration says so and the label allows it. Each is
// sealed under a key of its own (crypto/sealing.hpp), bound to its record's id:
//
//   texts/<day of expiry>/<id>       the sealed texts
//   keys/<day of expiry>/<id>        the key, 32 bytes; overwritten, synced and removed to erase the text, also where a backup
//                                    has a copy of the sealed one: back up texts/ and not keys/
//
// Not durable by itself: after a power cut the youngest may be missing, and their records say only that they were kept.
// Thread-safe as far as the disk is; different ids do not touch one another.
class TextStore {
public:
    // `most`: nothing is kept longer, whatever a label allows.
    TextStore(base::Disk& disk, base::Random& random, std::filesystem::path folder, std::chrono::days most);

    // When texts of a label go that allows `days`; nothing for zero, which is: not to be kept.
    std::optional<base::WallTime> keeps_until(std::uint32_t days, base::WallTime now) const;
    base::Result<void> keep(const RecordId& id, base::WallTime until, const KeptTexts& texts);
    // `not_found` if none is kept, `corrupt` if its key does not open it.
    base::Result<KeptTexts> read(const RecordId& id);
    // Whether there was one. The key first: from then on nothing opens what is left.
    base::Result<bool> erase(const RecordId& id);
    // Erases all whose day has passed, and tells their ids.
    base::Result<std::vector<RecordId>> erase_expired(base::WallTime now);

private:
    base::Result<std::optional<std::string>> day_of(const RecordId& id);
    base::Result<void> erase_in(const std::string& day, const std::string& name);

    base::Disk& disk_;
    base::Random& random_;
    std::filesystem::path folder_;
    std::chrono::days most_;
};

}  // namespace hanse::journal
