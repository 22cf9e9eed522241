// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>

#include "commands.hpp"
#include "node/paths.hpp"
#include "node_client.hpp"

namespace hanse::cli {

struct FoundNode {
    NodeClient client;
    std::string url;
    std::optional<node::RunningNode> local = {};  // if it is the one of the data directory
};

// The node that the options, the variables or the data directory name; or the exit code, after it was said
// what to do.
std::expected<FoundNode, Exit> find_node(const Context& context, const NodeOptions& options);
// Says what went wrong with a request to it.
Exit fail_at_node(const Context& context, const FoundNode& node, const base::Error& error);
// The model asked for, or the node's first.
std::expected<std::string, Exit> choose_model(const Context& context, FoundNode& node, const std::string& wanted);
// Resident bytes of the node: as it tells, else as the kernel tells for a node on this machine.
std::optional<double> memory_of(FoundNode& node);

// Ctrl-C sets the flag while this lives, instead of ending the program.
class InterruptFlag {
public:
    InterruptFlag();
    ~InterruptFlag();
    InterruptFlag(const InterruptFlag&) = delete;
    InterruptFlag& operator=(const InterruptFlag&) = delete;
    const std::atomic<bool>& flag() const;
    void clear();
};

}  // namespace hanse::cli
