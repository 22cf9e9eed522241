// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "federation/charter.hpp"

namespace hanse::federation {

// Two versions that both follow the same one, each with signatures enough: members signed twice. Whoever holds this
// can show it to anybody.
struct CharterFork {
    CharterDocument kept;
    CharterDocument other;
    std::vector<std::string> signed_both;
};

// The versions of a charter, from the one that was agreed to by fingerprint to the one in force. Each is signed by
// enough of the members of the one before it, as a TUF client walks root versions (TUF specification 1.0.33, 5.3): so a
// member that slept through ten changes follows them one by one, and trusts nobody for it.
//
// Belongs to one thread. Whatever is offered, the chain stays what it was or grows; it never goes back and never
// changes a version it has.
class CharterChain {
public:
    // `denied` if the first version is not signed by all its members; the later ones as take() has it. The caller has
    // compared the digest of the last one with the fingerprint that people agreed on.
    static base::Result<CharterChain> open(std::vector<CharterDocument> versions, Verify verify);

    enum class News : std::uint8_t {
        accepted,  // the chain has grown
        known,     // nothing new
        gap,       // versions between are missing: ask for them from current().version + 1
        refused,   // not signed as it must be, not sound, or from too far in the future
        fork,      // contradicts a version that is here; forks() has grown
    };
    struct Taken {
        News news;
        std::string why = {};  // for refused: one sentence
    };
    Taken take(const CharterDocument& document, std::int64_t now);

    const CharterDocument& current() const { return versions_.back(); }
    const Charter& charter() const { return current().charter(); }
    // The digest of the first version, which names the federation for good.
    const Digest& federation() const { return versions_.front().digest(); }
    const std::vector<CharterDocument>& versions() const { return versions_; }
    const std::vector<CharterFork>& forks() const { return forks_; }
    // A successor that lacks signatures, with those alone that are good by the keys of this version or of its own: what
    // is gathered must not be crowded out by what anybody wrote under a name.
    CharterDocument checked(CharterDocument proposal) const;
    // False after the expiry: then nothing goes to anybody until a new version is there.
    bool in_force(std::int64_t now) const { return now < charter().expires + clock_leeway; }
    // Whether `after` has the signatures that following `before` takes; says what is missing.
    static base::Result<void> follows(const CharterDocument& before, const CharterDocument& after, const Verify& verify);

private:
    explicit CharterChain(Verify verify) : verify_(std::move(verify)) {}
    std::vector<CharterDocument> versions_;
    std::vector<CharterFork> forks_;
    Verify verify_;
};

// What this member has signed: one successor for each version, ever. An entry must be durable before the signature
// leaves the house, so the shell writes text() down first and reads it at the start. With it two quorums, which are
// more than half each, cannot sign different successors unless a member signs twice.
class Ballot {
public:
    // True if it may sign (again): nothing else was signed for that version.
    bool sign(std::uint32_t version, const Digest& digest);
    std::optional<Digest> signed_for(std::uint32_t version) const;
    std::string text() const;  // lines "VERSION HEX"
    static base::Result<Ballot> parse(std::string_view text);

private:
    std::map<std::uint32_t, Digest> signed_;
};

}  // namespace hanse::federation
