// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/config.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/pool.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// A node: everything built, wired and listening. start() returns once requests are answered; models load when
// they are first asked for, or in the background if their entry says preload.
//
//   auto node = Node::start({.data = data, .config_file = file, …});
//   return (*node)->run();   // until SIGTERM or SIGINT
//
// reload() and run() belong to one thread, the one that calls run(). Errors of start() are `invalid` (the
// configuration; one sentence a line), `overloaded` (a node runs there already), `unavailable` (cannot listen).
class Node {
public:
    struct Parts {
        DataDirectory data;
        std::filesystem::path config_file;
        FileMust config_must = FileMust::may_miss;
        base::Environment environment = {};
        std::function<void(Config&)> adjust = {};  // what the command line says, applied after each reading
        base::Clock& clock;
        base::Random& random;
        engine::ModelPool::Loader loader = {};     // empty: engine::load_model
        int log_descriptor = 2;
    };
    static base::Result<std::unique_ptr<Node>> start(Parts parts);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    std::uint16_t port() const;
    const std::string& url() const;
    const Config& config() const;
    // Names of all models, those of upstreams included.
    std::vector<std::string> models() const;

    // Reads configuration and policy again. Policy, models, upstreams, keys, log level and access log follow at once; what
    // needs a restart is logged by name. An error leaves everything as it was.
    base::Result<void> reload();
    enum class Ended { drained, cut };
    // Serves until SIGTERM or SIGINT, reloads on SIGHUP. Then lets running answers end within limits.drain; a
    // second signal ends the process at once.
    Ended run();
    // The same ending without signals.
    Ended stop();

private:
    struct State;
    explicit Node(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::node
