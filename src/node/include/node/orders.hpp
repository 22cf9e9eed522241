// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/config.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// What the commands ask of a node that must be done by whoever holds the journal: the running node, through files in the data
// directory that only its owner can write, or the command itself where no node runs.

struct EraseOrder {
    std::string record;  // "hr_…"
    std::string reason;
};
// Records older than so many days go; their number is published with what was pruned.
struct PruneOrder {
    std::uint64_t days = 0;
};
// `wait` is called between looks at whether the node has answered, and says whether
// to look again.
struct OrderParts {
    DataDirectory data;
    const Config& config;
    const base::Environment& environment;
    base::Clock& clock;
    base::Random& random;
    std::function<bool()> wait;
};
// The index of the erasure's own record.
base::Result<std::uint64_t> erase(const OrderParts& parts, const EraseOrder& order);
// The first record that is still there.
base::Result<std::uint64_t> prune(const OrderParts& parts, const PruneOrder& order);

}  // namespace hanse::node
