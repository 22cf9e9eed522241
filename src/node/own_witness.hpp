// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "api/witness_endpoint.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "crypto/secret.hpp"
#include "journal/record.hpp"
#include "journal/witness.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// This node as a witness of other nodes' logs: the keys, what was co-signed, the address /witness/. Only the logs whose keys
// stand in the file that the configuration names; without one nothing of this is there.
//
// Made by Node before its server, and outlives it.
class OwnWitness {
public:
    struct Parts {
        DataDirectory data;
        WitnessConfig config;
        const crypto::Secret& passphrase;
        base::Clock& clock;
        base::Log& log;
    };
    // `corrupt` if what was signed last cannot be read: then the node must not start as a witness.
    static base::Result<std::unique_ptr<OwnWitness>> open(const Parts& parts);

    // Takes what is for the witness, and leaves the rest.
    net::Handler before(net::Handler rest);
    journal::Witness::Figures figures() const { return witness_->figures(); }
    // Once a second: puts on record (split_view_seen) each log that was newly seen to show two trees of one size.
    void look(const std::function<void(std::string_view kind, journal::CanonicalObject fields)>& record);

private:
    OwnWitness() = default;
    base::SystemDisk disk_;
    std::unique_ptr<journal::Witness> witness_;
    std::unique_ptr<api::WitnessEndpoint> endpoint_;
    std::uint64_t splits_told_ = 0;
    std::set<std::string> told_;  // evidence, by its digest
};

}  // namespace hanse::node
