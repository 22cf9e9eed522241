// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "federation/charter.hpp"
#include "federation/home.hpp"
#include "federation/offers.hpp"
#include "federation/peer_health.hpp"
#include "federation/qkd.hpp"
#include "federation/session.hpp"
#include "label/decide.hpp"
#include "label/labelled.hpp"
#include "net/client.hpp"
#include "net/peer.hpp"
#include "net/server.hpp"

namespace hanse::federation {

struct PartnerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8421;  // 0: chosen by the system
    SessionLimits limits = {.tasks_max = 256};
    std::chrono::milliseconds dial_timeout{5'000};
    std::chrono::milliseconds retry_min{250};  // after a dial that failed; doubled each time
    std::chrono::milliseconds retry_max{15'000};
    std::chrono::milliseconds look_every{500};   // at the files that commands write
    std::vector<std::string> qkd_demanded = {};  // members with whom no connection is made without a quantum key
    std::string software = {};
};

// How it stands with one other member.
struct PartnerStatus {
    std::string member;
    std::string standing;  // "active", "suspended"
    bool connected = false;
    std::string node = {};
    std::string address = {};
    std::string group = {};  // of the key exchange
    bool quantum = false;
    bool may_ask = true;  // by its health
    std::optional<std::chrono::milliseconds> latency = {};
    std::chrono::milliseconds clock_ahead{0};
    std::uint32_t tasks = 0;   // of ours, under way there
    std::string trouble = {};  // why the last attempt failed
    bool log_forked = false;   // it has shown two logs; the proof lies in the federation's folder
};

// What this node knows of the federation at one moment; immutable. Choosing where to ask works on it alone.
struct FederationView {
    CharterDocument charter;
    Digest federation;   // of the charter's first version
    bool in_force = true;
    std::string member;  // this node's
    std::vector<SignedOffers> offers;
    std::vector<PartnerStatus> partners;
    const PartnerStatus* partner(std::string_view member) const;
};

// One question for a partner.
struct PartnerAsk {
    std::string member;
    RemoteTask task;
    label::Labelled<base::Bytes> body;
    label::Permit permit;
    label::Clearance place;                          // of the partner, as the permit has it
    std::shared_ptr<const label::Vocabulary> words;  // that the label is of
};

// A partner's answer as it comes. What its receipt proves is known once it has been read to its end, or to an error.
class PartnerStream : public net::ClientStream {
public:
    virtual std::optional<FarReceipt> receipt() const = 0;
};

// The federation's running half on this node: connections dialled and taken, kept and made again; tasks out and in;
// charter and offers in gossip. Around the cores of this room it owns what they lack: sockets, timers, files, and one
// thread, on which all of them run. So each connection has one strand, and none waits for another.
//
// Made by `node`; what it is given must outlive it. ask() and view() may be called from any thread.
class Partners {
public:
    struct Parts {
        Home home;
        PartnerOptions options = {};
        std::vector<Offer> offers = {};  // what partners may use here
        base::Clock& clock;
        base::Random& random;
        base::Log& log;
        // A partner's task as a request, as net::MemberExchange. Called on the sessions' thread, once its key is on disk.
        net::Handler serve;
        // This node's own journal; all null: none is kept. The receipt of a record; the checkpoint that was published last, as a
        // note; and that the log continues itself. They tell on any thread.
        using Given = std::function<void(base::Result<std::string>)>;
        std::function<void(std::string record_id, Given done)> receipt = {};
        std::function<std::string()> checkpoint = {};
        using Proven = std::function<void(base::Result<std::vector<Digest>>)>;
        std::function<void(std::uint64_t from, std::uint64_t to, Proven done)> consistency = {};
        std::unique_ptr<QkdSource> qkd = {};
    };
    // `not_found` if the house is in no federation, `invalid` or `unavailable` if it cannot listen.
    static base::Result<std::unique_ptr<Partners>> start(Parts parts);
    virtual ~Partners() = default;

    virtual std::uint16_t port() const = 0;
    virtual std::shared_ptr<const FederationView> view() const = 0;
    // Called on the sessions' thread whenever view() has become another one.
    virtual void on_change(std::function<void()> call) = 0;
    virtual void offers(std::vector<Offer> fresh) = 0;

    // The head of the partner's answer, and its body as it comes; on the calling coroutine's executor, which may be
    // cancelled. Before the head: `not_found` (refused, and only the partner knows why), `overloaded`, `unavailable`; then
    // another may be asked. After it, a broken stream is an error of the read.
    virtual boost::asio::awaitable<base::Result<std::unique_ptr<PartnerStream>>> ask(PartnerAsk ask) = 0;

    // Says goodbye to everyone, lets running tasks end until the limit; then cuts. Blocks.
    virtual void drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace hanse::federation
