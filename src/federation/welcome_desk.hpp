// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "federation/invitation.hpp"
#include "house.hpp"
#include "net/peer.hpp"

namespace hanse::federation {

// Where strangers with an invitation are received. The command `hanse federation invite` and this desk speak through
// files of the folder invitations/, so that the command needs no door of its own into the node:
//
//   NAME.wish   by the command: "address HOST:PORT", "valid SECONDS", "confirm auto" or "confirm ask"
//   NAME.code   by the desk: the code; or NAME.error: one sentence
//   NAME.asks   by the desk: the newcomer's fingerprint, name and title
//   NAME.yes / NAME.no  by the command, after a person compared
//   NAME.done   by the desk: the fingerprint of the charter with the newcomer in it
//
// Invitations do not outlive a restart. Belongs to the sessions' thread, which must end before it does.
class WelcomeDesk {
public:
    WelcomeDesk(House& house, base::Clock& clock, base::Random& random, base::Log& log, std::function<void()> grew)
        : house_(house), clock_(clock), random_(random), log_(log), grew_(std::move(grew)) {}

    // Takes over the connection until it ends; bounded in number, time and bytes.
    boost::asio::awaitable<void> receive(std::unique_ptr<net::PeerConnection> connection);
    void charter_changed();
    // What commands wrote.
    void look(std::int64_t now);

private:
    struct Guest {
        Guest(std::unique_ptr<net::PeerConnection> given, Welcoming way) : connection(std::move(given)), welcoming(std::move(way)) {}
        std::unique_ptr<net::PeerConnection> connection;
        Welcoming welcoming;
        std::string name;
        base::Bytes out;
        bool asked = false;
        bool closing = false;
        bool writing = false;
    };
    void carry(const std::shared_ptr<Guest>& guest);
    void handle(const std::shared_ptr<Guest>& guest, JoinEvent& event);
    static boost::asio::awaitable<void> write_on(std::shared_ptr<Guest> guest);
    std::int64_t seconds() const { return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count(); }
    std::filesystem::path file(const std::string& name, std::string_view kind) const { return house_.home().invitations() / (name + "." + std::string(kind)); }

    House& house_;
    base::Clock& clock_;
    base::Random& random_;
    base::Log& log_;
    std::function<void()> grew_;
    Invitations invitations_;
    std::map<std::string, bool> confirm_by_person_;  // by newcomer
    std::vector<std::shared_ptr<Guest>> guests_;
};

}  // namespace hanse::federation
