// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "federation/charter.hpp"
#include "journal/note.hpp"

namespace hanse::federation {

// What this node has seen of the others' journals: for each member the largest checkpoint that is known to continue the
// ones before. Whoever shows two logs to two members is found out when these meet: two checkpoints of one size with
// different roots are proof for anybody, and one that cannot be shown to continue another stays unproven and is told.
// Of a member with several logs the first in the charter is followed. Memory: two checkpoints a member.
class LogWatch {
public:
    enum class News : std::uint8_t {
        known,
        newer,    // signed, and larger: question() says what its owner must prove
        proven,   // is now the largest
        forked,   // evidence() has both
        refused,  // not signed by all log keys that the charter has for the member
    };
    News take(std::string_view member, std::string_view note, const Charter& charter);

    struct Question {
        std::uint64_t from;
        std::uint64_t to;
    };
    std::optional<Question> question(std::string_view member) const;
    // The owner's answer to question(); a proof that does not hold is a fork that the owner alone can have made.
    News answer(std::string_view member, std::uint64_t from, std::uint64_t to, std::span<const journal::Hash> proof);

    // What was evidence before a restart is still.
    void recall_evidence(std::string_view member, std::pair<std::string, std::string> notes);

    // The note of the largest one, to be handed on.
    const std::string* latest(std::string_view member) const;
    // Two notes that cannot both be of one log.
    const std::pair<std::string, std::string>* evidence(std::string_view member) const;
    std::vector<std::string> members() const;

private:
    struct Seen {
        journal::Checkpoint checkpoint;
        std::string note;
    };
    struct Watched {
        std::optional<Seen> largest;
        std::optional<Seen> pending;
        std::optional<std::pair<std::string, std::string>> evidence;
    };
    std::map<std::string, Watched, std::less<>> watched_;
};

}  // namespace hanse::federation
