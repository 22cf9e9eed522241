// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "node.hpp"

namespace hanse::sim {

// What a node holds while it runs, and loses when its power goes.
struct Node::Running {
    Running(federation::CharterChain chain, federation::Verify verify, const Node& node, std::uint64_t life)
        : charters(std::move(chain)),
          offers(std::move(verify)),
          shared{.member = node.name(),
                 .node = node.name() + "-1",
                 .instance = {std::byte(life)},
                 .software = "sim",
                 .charters = charters,
                 .offers = offers,
                 .logs = logs,
                 .ledger = ledger,
                 .admit = {},
                 .check_receipt = {}} {}

    std::unique_ptr<journal::Log> log;
    federation::CharterChain charters;
    federation::OfferMirror offers;
    federation::LogWatch logs;
    federation::TaskLedger ledger;
    std::uint64_t ledger_size = 0;
    federation::Ballot ballot;
    federation::SessionShared shared;
    std::map<std::uint64_t, Connection> connections;
    std::map<std::size_t, federation::PeerHealth> health;
    std::map<std::uint64_t, Question> questions;
    std::uint64_t next_question = 1;
    std::map<federation::TaskKey, Run> runs;
    std::deque<std::pair<std::function<bool()>, std::function<void()>>> jobs;
    bool disk_busy = false;
    std::map<federation::Digest, federation::CharterDocument> proposals;
    std::map<federation::TaskKey, std::uint64_t> records_of;  // index in the log, by the task that was run
    std::map<std::string, std::uint64_t> records;             // by id
};

}  // namespace hanse::sim
