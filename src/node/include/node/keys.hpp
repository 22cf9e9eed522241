// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// API keys of a data directory, for the commands. A running node sees a change within a second. Blocks on the
// disk; errors are those of the key file (corrupt, not_found, unavailable).

struct KeyWish {
    std::string name;
    std::vector<std::string> models = {};
    std::optional<std::uint64_t> requests_per_minute = {};
    std::optional<std::uint64_t> tokens_per_minute = {};
    std::optional<std::uint64_t> tokens_per_day = {};
    std::optional<std::uint64_t> tokens_per_month = {};
    std::string partition = {};
    std::string label = {};    // see task::KeyFacts
    std::string ceiling = {};
    std::string place = {};
};

struct KeyEntry {
    std::string id;
    KeyWish wish;
    std::int64_t created = 0;  // Unix seconds
    std::optional<std::int64_t> revoked = {};
    std::uint64_t tokens_total = 0;
    std::uint64_t requests_total = 0;
};

struct NewKey {
    std::string secret;  // shown once
    KeyEntry entry;
};

base::Result<NewKey> create_key(const DataDirectory& data, KeyWish wish);
base::Result<std::vector<KeyEntry>> list_keys(const DataDirectory& data);
base::Result<void> revoke_key(const DataDirectory& data, const std::string& id);

}  // namespace hanse::node
