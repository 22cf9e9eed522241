// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/disk.hpp"
#include "journal/note.hpp"
#include "journal/witness_policy.hpp"

namespace hanse::journal {

// What a check of a whole log found wrong, each with its place.
struct Problem {
    std::string place;     // file below the log's folder, and where in it
    std::string sentence;  // English; what it is and what it should be
};

struct CheckReport {
    std::optional<Checkpoint> checkpoint;
    std::vector<std::string> signed_by;  // key name and algorithm
    std::uint64_t records = 0;           // sound ones
    std::uint64_t erased = 0;
    std::uint64_t pruned = 0;       // entries that are gone on purpose
    std::uint64_t witnessed = 0;    // how much of it the policy calls witnessed
    std::uint64_t tiles = 0;        // files compared
    std::vector<Problem> problems;  // at most a hundred
    bool sound() const { return problems.empty(); }
};

// Reads everything of a log and compares everything with everything: the checkpoint with its signatures and with the
// root of the entries; each tile, of every level, whole or in part, with the hashes below it; each record with its
// entry and its salt. Changes nothing, so it may run beside a node that writes. Each byte that counts is looked at, so
// any changed one is found. Memory does not grow with the log. `verifiers` are all keys of the log; `progress` is
// called with the number of entries done now and then. With a policy each cosignature is checked as well, and one by a key that
// neither the log nor the policy knows is a problem. `former` are keys of the log that were replaced: what witnesses signed before
// may still be by them. Of pruned entries only the tiles above them can be checked.
CheckReport check_log(base::Disk& disk, const std::filesystem::path& folder, std::span<const NoteVerifier> verifiers,
                      const std::function<void(std::uint64_t done, std::uint64_t all)>& progress = {},
                      const WitnessPolicy* policy = nullptr, std::span<const NoteVerifier> former = {});

}  // namespace hanse::journal
