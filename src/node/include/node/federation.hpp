// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// The federation of a data directory, for the commands. They write files; a running node sees them within a second.
// Blocks on the disk, and join() on the network.

// What a member says of itself when it founds or joins.
struct MemberWish {
    std::string name = {};       // a word of labels
    std::string title = {};
    std::string country = {};    // "DE"
    std::string control = {};    // empty: the country
    std::string house_in = {};   // empty: the country
    std::vector<std::string> addresses = {};  // "host:port", where partners connect
    std::vector<std::string> log_keys = {};   // of the journal, as C2SP vkeys
    std::string node = "n1";
    std::string profile = "default";  // of its keys
};

struct MemberEntry {
    std::string name, title, country, control, standing, fingerprint;
    std::vector<std::string> addresses;
    bool amends = false;
    bool self = false;
};
struct CharterSheet {
    std::string federation;
    std::uint32_t version = 0;
    std::string fingerprint;
    std::int64_t expires = 0;  // Unix seconds
    std::uint32_t quorum = 0;
    std::vector<MemberEntry> members;
};
// A change of the charter: in force, or waiting for others' signatures.
struct CharterChange {
    CharterSheet charter;
    bool in_force = false;
    std::string waits_for = {};  // one sentence
};

struct FederationParts {
    const DataDirectory& data;
    base::Clock& clock;
    base::Random& random;
};

struct CharterTerms {
    std::chrono::days valid{365};
    bool receipts_demanded = false;  // an answer whose receipt does not prove itself is not taken
};
// Makes the member's keys and the first version of the charter. `invalid` if the house is in a federation already.
base::Result<CharterSheet> create_federation(const FederationParts& parts, const std::string& federation, const MemberWish& self, const CharterTerms& terms);

struct InviteWish {
    std::string newcomer;
    std::string address;  // where the newcomer reaches this node; empty: the member's first in the charter
    std::chrono::seconds valid{3'600};
    bool confirm = true;  // a person compares the newcomer's fingerprint before it is taken in
};
struct InviteSteps {
    std::function<void(const std::string& code, const std::string& charter)> show;
    // The newcomer has come; whether its fingerprint is the right one.
    std::function<bool(const std::string& fingerprint)> confirm;
    std::function<bool()> wait;  // a moment; false: give up
};
// Needs the running node, which receives the newcomer. With `confirm` it returns when the newcomer is a member, else once
// the code was shown. `unavailable` if no node answers.
base::Result<CharterSheet> invite(const FederationParts& parts, const InviteWish& wish, const InviteSteps& steps);

// What one agrees to, and then is in. `agree` sees the charter and this member's own fingerprint.
base::Result<CharterSheet> join(const FederationParts& parts, const std::string& code, MemberWish self,
                                const std::function<bool(const CharterSheet& terms, const std::string& own_fingerprint)>& agree);
// The name that the code invites.
base::Result<std::string> invited_name(const std::string& code);

base::Result<CharterSheet> federation_sheet(const FederationParts& parts);
// JSON as the running node wrote it last; `not_found` if none runs.
base::Result<std::string> federation_status(const FederationParts& parts);
struct PartnerState {
    std::string member, standing, node, address, group, trouble;
    bool connected = false;
    bool quantum = false;
};
base::Result<std::vector<PartnerState>> read_federation_status(const std::string& json);
// The keys of this node's journal, for its charter entry; `not_found` where they were not made yet.
base::Result<std::vector<std::string>> log_keys(const DataDirectory& data);

enum class MemberStep : std::uint8_t { suspend, restore, revoke, leave };
base::Result<CharterChange> change_member(const FederationParts& parts, MemberStep step, const std::string& member);
// What this house's own entry shall say from now on: where it is reached (empty: as before), and the keys of this node's log.
struct MemberUpdate {
    std::vector<std::string> addresses = {};
    std::vector<std::string> log_keys = {};
};
base::Result<CharterChange> update_member(const FederationParts& parts, const MemberUpdate& update);
// The version that waits for signatures, and signing it.
base::Result<std::optional<CharterChange>> proposed(const FederationParts& parts);
base::Result<CharterChange> approve(const FederationParts& parts);

// Certifies the request of one of this member's nodes; the certificate as PEM.
base::Result<std::string> certify(const FederationParts& parts, const std::string& request_text);
base::Result<void> take_node_certificate(const FederationParts& parts, const std::string& pem);

}  // namespace hanse::node
