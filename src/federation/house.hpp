// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/node_certificate.hpp"
#include "federation/charter_chain.hpp"
#include "federation/home.hpp"
#include "federation/offers.hpp"
#include "net/peer.hpp"

namespace hanse::federation {

struct FederationView;

// This node's own side of the federation while it runs: its keys and certificate, the charter that it holds, what it
// signs, and the files that keep all that. Belongs to the sessions' thread.
class House {
public:
    // `not_found` in no federation; `unavailable` with the code "certificate_awaited" while the root, which is elsewhere,
    // has not certified this node.
    static base::Result<House> open(Home home, const base::Clock& clock);

    const Home& home() const { return state_->home; }
    const std::string& member() const { return state_->member; }
    const std::string& node() const { return state_->node; }
    CharterChain& chain() { return state_->chain; }
    const Charter& charter() const { return state_->chain.charter(); }
    const crypto::IdentityKey& node_key() const { return state_->node_key; }

    std::shared_ptr<const net::PeerContext> context() const { return state_->context; }
    // A peer's certificate, by the roots of the active members.
    base::Result<crypto::NodeCertificate> check(std::span<const std::byte> der) const;
    // While an invitation is open, a stranger's handshake ends well; what it may then say is for WelcomeDesk.
    void take_strangers(bool take) { state_->strangers = take; }
    base::Result<void> renew(base::WallTime now);

    // Versions that the chain has and the disk has not.
    base::Result<void> save_new_versions();
    // Versions that a command wrote; true if the chain has grown.
    base::Result<bool> look_for_versions(std::int64_t now);

    // A next version on its way to its signatures.
    struct Taken {
        bool grew = false;                         // it had all it needs
        std::optional<CharterDocument> news = {};  // it has more than before: for the others
    };
    base::Result<Taken> take_proposal(const CharterDocument& document, std::int64_t now);
    // One that a command wrote or signed since the last look.
    std::optional<CharterDocument> look_for_proposal();
    // Adds this member's signature, after its ballot; `denied` where the root key is not at hand and open.
    base::Result<void> sign(CharterDocument& document);

    // The list of offers, signed: the same as before while it says the same and is not old. Empty without a root key.
    base::Result<std::string> sign_offers(const std::vector<Offer>& offers, std::int64_t now);

    // For `hanse federation status`; written only if it changed.
    void write_status(const FederationView& view);

private:
    struct State {
        const base::Clock& clock;
        Home home;
        std::string member, node;
        crypto::IdentityKey node_key;
        CharterChain chain;
        std::map<std::string, crypto::Identity, std::less<>> roots;  // of the active members
        std::shared_ptr<const net::PeerContext> context = {};
        bool strangers = false;
        std::uint32_t saved = 0;  // versions on disk
        std::optional<CharterDocument> proposal = {};
        std::filesystem::file_time_type proposal_seen = {};
        std::string status = {};
    };
    explicit House(std::unique_ptr<State> state) : state_(std::move(state)) {}
    void roots_anew();
    base::Result<void> read_certificate();
    std::unique_ptr<State> state_;
};

}  // namespace hanse::federation
