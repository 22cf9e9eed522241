// SPDX-License-Identifier: Apache-2.0
#include "node/keys.hpp"

#include <filesystem>
#include <format>

#include "base/random.hpp"
#include "base/time.hpp"
#include "task/keys.hpp"

namespace hanse::node {
namespace {

struct Ring {
    base::SystemClock clock = {};
    base::SystemRandom random = {};
    std::unique_ptr<task::KeyRing> ring = {};

    base::Result<void> open(const DataDirectory& data) {
        std::error_code error;
        if (!std::filesystem::exists(data.root, error)) {
            std::filesystem::create_directories(data.root, error);
            if (!error) std::filesystem::permissions(data.root, std::filesystem::perms::owner_all, error);
            if (error) return base::fail(base::ErrorKind::denied, std::format("cannot make {}: {}", data.root.string(), error.message()));
        }
        auto opened = task::KeyRing::open({.path = data.keys().string(), .usage_path = data.usage().string(), .clock = clock, .random = random, .log = base::silent_log()});
        if (!opened) return std::unexpected(opened.error());
        ring = std::move(*opened);
        return {};
    }
};

KeyEntry entry_of(const task::KeyFacts& facts) {
    return {.id = facts.id,
            .wish = {.name = facts.name,
                     .models = facts.models,
                     .requests_per_minute = facts.requests_per_minute,
                     .tokens_per_minute = facts.tokens_per_minute,
                     .tokens_per_day = facts.tokens_per_day,
                     .tokens_per_month = facts.tokens_per_month,
                     .partition = facts.partition,
                     .label = facts.label,
                     .ceiling = facts.ceiling,
                     .place = facts.place},
            .created = facts.created,
            .revoked = facts.revoked};
}

}  // namespace

base::Result<NewKey> create_key(const DataDirectory& data, KeyWish wish) {
    Ring ring;
    if (auto opened = ring.open(data); !opened) return std::unexpected(opened.error());
    task::KeyFacts facts{.id = {}, .name = std::move(wish.name)};
    facts.models = std::move(wish.models);
    facts.requests_per_minute = wish.requests_per_minute;
    facts.tokens_per_minute = wish.tokens_per_minute;
    facts.tokens_per_day = wish.tokens_per_day;
    facts.tokens_per_month = wish.tokens_per_month;
    facts.partition = std::move(wish.partition);
    facts.label = std::move(wish.label);
    facts.ceiling = std::move(wish.ceiling);
    facts.place = std::move(wish.place);
    auto created = ring.ring->create(std::move(facts));
    if (!created) return std::unexpected(created.error());
    return NewKey{.secret = std::move(created->secret), .entry = entry_of(created->facts)};
}

base::Result<std::vector<KeyEntry>> list_keys(const DataDirectory& data) {
    Ring ring;
    if (auto opened = ring.open(data); !opened) return std::unexpected(opened.error());
    std::vector<KeyEntry> entries;
    for (const task::KeyFacts& facts : ring.ring->list()) {
        KeyEntry& entry = entries.emplace_back(entry_of(facts));
        if (const auto usage = ring.ring->usage(facts.id)) {
            entry.tokens_total = usage->tokens_total;
            entry.requests_total = usage->requests_total;
        }
    }
    return entries;
}

base::Result<void> revoke_key(const DataDirectory& data, const std::string& id) {
    Ring ring;
    if (auto opened = ring.open(data); !opened) return std::unexpected(opened.error());
    return ring.ring->revoke(id);
}

}  // namespace hanse::node
