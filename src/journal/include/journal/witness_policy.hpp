// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "journal/note.hpp"

namespace hanse::journal {

// Whom to believe about a log (C2SP tlog-policy): the keys of logs, the keys of witnesses, and how many of these
// must have co-signed a checkpoint before it counts.
//
//   log <vkey> [<url>]
//   witness <name> <vkey> [<url>]           the url is where add-checkpoint is asked
//   group <name> all|any|<k> <name>…        names of witnesses and groups above it, each in one group at most
//   quorum <name>|none                      exactly once
//
// Words are parted by spaces and tabs; empty lines and those that begin with # do not count. At most 256 KiB and
// 256 of each kind. A value; safe on any thread.
class WitnessPolicy {
public:
    struct KnownLog {
        NoteVerifier verifier;
        std::string url;
    };
    struct KnownWitness {
        std::string name;  // in this file only
        NoteVerifier verifier;
        std::string url;
    };

    // `invalid` with the number of the line.
    static base::Result<WitnessPolicy> parse(std::string_view text);

    const std::vector<KnownLog>& logs() const { return logs_; }
    const std::vector<KnownWitness>& witnesses() const { return witnesses_; }
    // All keys, those of logs first.
    std::vector<NoteVerifier> verifiers() const;
    // Whether any witness is asked for at all.
    bool wants_witnesses() const { return quorum_.has_value(); }

    // What a signed checkpoint is worth under this policy. `log_keys` are believed as logs beside those of the file.
    // `corrupt` if it is no checkpoint, `denied` if a known key's signature is wrong.
    struct Verdict {
        bool log = false;                   // a known key of the log of this name signed it
        bool quorum = false;                // enough witnesses co-signed it
        std::vector<std::string> cosigned;  // names of the file
        std::vector<std::string> missing;   // names that did not; whether they matter, the quorum says
        bool met() const { return log && quorum; }
        bool operator==(const Verdict&) const = default;
    };
    base::Result<Verdict> judge(const Note& note, std::span<const NoteVerifier> log_keys = {}) const;

private:
    struct Member {  // a witness, or a group of earlier members
        std::string name;
        std::optional<std::size_t> witness;
        std::size_t threshold = 0;
        std::vector<std::size_t> members;
        bool taken = false;  // is in a group already
    };
    class Reader;
    std::vector<KnownLog> logs_;
    std::vector<KnownWitness> witnesses_;
    std::vector<Member> members_;
    std::optional<std::size_t> quorum_;  // none: no witness is needed
};

}  // namespace hanse::journal
