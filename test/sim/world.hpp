// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "federation/session.hpp"
#include "options.hpp"

namespace hanse::sim {

class Node;

// What a run came to. `violation` is empty if every invariant held at every step.
struct Outcome {
    std::string violation;
    std::uint64_t events = 0;
    std::size_t asked = 0;
    std::size_t answered = 0;
    std::size_t runs = 0;
    std::size_t crashes = 0;
    std::size_t charter_versions = 0;
    std::uint64_t transcript = 0;  // the same for the same seed
};

// A connection: two directions of bytes, each in order. What TCP and TLS promise is kept (what was lost, doubled or
// moved is noticed, and ends the connection); nothing more is.
struct Link {
    std::uint64_t id = 0;
    std::size_t ends[2] = {};
    bool open = true;
    bool broken = false;        // nothing arrives any more; both ends find out, each in its time
    Span last_arrival[2] = {};  // of the direction to ends[i]
    Span clogged_until{0};
};

// One federation with its network, clocks and chance, and those who watch it. Single-threaded; the same options give
// the same run to the byte.
class World {
public:
    explicit World(const Options& options);
    ~World();
    Outcome run();

    const Options& options() const { return options_; }
    const Faults& faults() const { return faults_; }
    Chance& chance() { return chance_; }
    Span now() const { return now_; }
    bool quiet() const { return quiet_; }  // faults have stopped
    void after(Span delay, std::function<void()> what);
    void note(std::size_t node, std::string_view what);
    std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }

    // So many of those who may amend the charter, that two quorums share an honest one.
    std::uint32_t quorum() const;
    const federation::CharterDocument& founding() const;

    bool reaches(std::size_t a, std::size_t b) const;
    std::shared_ptr<Link> connect(std::size_t from, std::size_t to);
    void send(const std::shared_ptr<Link>& link, std::size_t from, base::Bytes bytes);
    // One end closes; the other learns of it if it can.
    void hang_up(const std::shared_ptr<Link>& link, std::size_t from);

    // The power of one end is gone.
    void cut(const std::shared_ptr<Link>& link) { break_link(link, Span(0), Span(3'000)); }

    // --- What is checked, and what is known that no node knows.
    void violate(std::string what);
    // The label that the data of a task really has, and who owns it.
    struct Truth {
        std::size_t owner = 0;
        label::Label label;
    };
    void truth(const federation::TaskKey& key, Truth truth) { truths_.insert_or_assign(key, std::move(truth)); }
    void check_flow(const federation::TaskKey& key, std::size_t to);
    void check_run(std::size_t node, const federation::TaskKey& key);
    void check_charter(std::size_t node);
    void acknowledged(std::size_t near, const std::string& near_record, std::size_t far, const federation::TaskKey& key);
    // After a restart: everything that somebody relies on is still there.
    void check_records(std::size_t node);
    void accused(std::size_t by, std::size_t whom, const std::string& code, const std::string& sentence);
    Outcome& outcome() { return outcome_; }

private:
    struct Event {
        Span at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Event& other) const { return std::pair(other.at, other.order) < std::pair(at, order); }
    };
    void arrange_faults();
    void every(Span mean, const std::function<void()>& what);
    void break_link(const std::shared_ptr<Link>& link, Span least, Span most);
    void settle_down();
    void check_drained();

    Options options_;
    Chance chance_;
    Faults faults_;
    Span now_{0};
    bool quiet_ = false;
    std::uint64_t order_ = 0;
    std::uint64_t next_link_ = 1;
    std::priority_queue<Event> events_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::weak_ptr<Link>> links_;
    std::vector<bool> side_;  // of a partition; empty: none
    Outcome outcome_;
    std::map<federation::TaskKey, Truth> truths_;
    std::set<std::pair<std::size_t, federation::TaskKey>> runs_;
    std::map<std::uint32_t, federation::Digest> charters_;
    std::vector<std::set<std::string>> relied_on_;  // record ids, by node
};

}  // namespace hanse::sim
