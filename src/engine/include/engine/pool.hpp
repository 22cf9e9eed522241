// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/model.hpp"

namespace hanse::engine {

// The models of this node within a memory budget: loaded on demand on a thread of its own, evicted least
// recently used, never while somebody holds them. Thread-safe.
class ModelPool {
public:
    using Loader = std::function<base::Result<std::shared_ptr<Model>>(const ModelSpec&)>;
    struct Parts {
        std::vector<ModelSpec> specs;
        std::uint64_t memory_max = 0;  // bytes, 0: no limit
        base::Clock& clock;
        base::Log& log;
        Loader loader;
    };
    explicit ModelPool(Parts parts);
    ~ModelPool();

    // Calls `done` once: at once on the caller's thread if the model is loaded, else later on the pool's.
    // not_found: no such model; overloaded: the budget is held by models in use.
    void get(const std::string& name, std::function<void(base::Result<std::shared_ptr<Model>>)> done);
    std::shared_ptr<Model> if_loaded(const std::string& name) const;
    bool knows(const std::string& name) const;
    std::vector<std::string> names() const;
    // Replaces the list (configuration reload). Models that left it are unloaded once nobody uses them.
    void specs(std::vector<ModelSpec> specs);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace hanse::engine
