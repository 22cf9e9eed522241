// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sim_disk.hpp"
#include "cast.hpp"
#include "federation/peer_health.hpp"
#include "federation/session.hpp"
#include "journal/log.hpp"
#include "journal/record.hpp"
#include "route/attempts.hpp"
#include "world.hpp"

namespace hanse::sim {

// A node as the shell of the product would run it: the cores of federation, route and journal, with the disk, the
// network and the time of the world. What a crash takes is in Running; what stays is on the disk.
class Node {
public:
    Node(World& world, std::size_t index, bool liar);
    ~Node();

    void start();
    void crash();
    // The power goes at some moment of the disk's work that is to come.
    void lose_power_soon(std::uint64_t operations);
    bool up() const { return running_ != nullptr; }
    bool liar() const { return liar_; }
    std::size_t index() const { return index_; }
    const std::string& name() const { return cast()[index_].name; }
    void neighbours(std::vector<std::size_t> all) { neighbours_ = std::move(all); }
    const std::vector<std::size_t>& neighbours() const { return neighbours_; }
    void skew(Span by) { skew_ = by; }

    void connected(const std::shared_ptr<Link>& link, federation::Session::Role role);
    void received(std::uint64_t link, const base::Bytes& bytes);
    void disconnected(std::uint64_t link);
    void tick();

    void ask();
    void offer();
    void propose();
    void lie();

    const federation::CharterChain* charters() const;
    const federation::OfferMirror* offers() const;
    // Whether its log has this record now.
    bool has_record(const std::string& id) const;
    bool has_record_of(const federation::TaskKey& key) const;
    // What a power cut now would leave of its records: their ids, and the keys of the tasks that they are of. It runs no more.
    std::set<std::string> records_on_disk();
    bool speaks_with(std::size_t peer) const;
    std::string unfinished() const;  // what still runs or waits; empty if nothing does

private:
    struct Connection {
        std::shared_ptr<Link> link;
        std::size_t peer;
        federation::Session session;
        base::Instant opened;
    };
    // A question of somebody in this house.
    struct Question {
        label::Label label;
        route::Question asked;
        std::vector<route::Candidate> candidates;
        std::vector<label::Clearance> places;
        route::Plan plan;
        route::Attempts attempts{0};
        federation::TaskKey key{};
        federation::WallMs made = 0;
        base::Deadline deadline;
        bool retried = false;
        bool waiting = true;  // for the end of the current try
    };
    // A task of somebody else, here.
    struct Run {
        std::uint64_t link;
        std::string member;
        std::size_t pieces;
        bool stopped = false;
        bool writing = false;
    };
    struct Running;

    federation::Moment moment() const;
    void in(Span delay, std::function<void()> what);  // unless it crashes before
    void disk_job(std::function<bool()> work, std::function<void()> then);
    void next_job();
    void effects(std::uint64_t link);
    void broken();  // a disk that failed: as a crash

    void on(const federation::SessionEvent& event, Connection& connection, std::uint64_t link);
    void run(const federation::Run& run, std::uint64_t link);
    void begin(const federation::TaskKey& key, bool endless);
    void piece(const federation::TaskKey& key, bool endless);
    void finish(const federation::TaskKey& key, std::string_view outcome);
    void ended(const federation::Ended& ended, Connection& connection);
    void try_next(std::uint64_t question);
    void try_at(std::uint64_t question, bool again);
    void acknowledge(std::uint64_t question, const federation::Ended& ended, std::uint64_t link, std::size_t peer);
    void tried(std::uint64_t question, route::TryEnd how, bool after_first_token);
    std::vector<route::Candidate> snapshot(const label::Label& label, std::vector<label::Clearance>& places) const;
    federation::Admission admit(const federation::PeerName& from, const federation::wire::Task& task) const;
    void write_record(std::string_view kind, const federation::TaskKey& key, std::string_view from, std::vector<std::string> parents,
                      std::function<void(const std::string& id, const std::string& record)> then);
    void show_log();
    std::string receipt(const std::string& id, const std::string& record);

    void charter_changed(std::uint64_t but);
    void proposed(federation::CharterDocument document);
    void offer_charter();
    Connection* connection_to(std::size_t peer);
    bool open_log();

    World& world_;
    std::size_t index_;
    bool liar_;
    std::vector<std::size_t> neighbours_;
    Span skew_{0};
    Chance chance_;
    base::SimDisk disk_;
    std::uint64_t life_ = 0;
    bool starting_ = false;
    std::uint64_t offer_sequence_ = 0;  // by the wall clock in the product; never goes back here either
    std::map<std::string, std::size_t> ledger_written_;
    std::unique_ptr<Running> running_;
};

// What others are cleared for, in truth: what the owner of a label may rely on.
label::Clearance true_clearance(std::size_t index, const label::Vocabulary& words);

}  // namespace hanse::sim
