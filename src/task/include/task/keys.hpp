// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/generate.hpp"
#include "task/bucket.hpp"

namespace hanse::task {

// What is written down about an API key. The key itself is not: only its SHA-256, since 256 random bits
// need no slow hash.
struct KeyFacts {
    std::string id;                                 // "key_…", public
    std::string name;                               // for people
    std::vector<std::string> models = {};           // empty: all
    std::optional<std::uint64_t> requests_per_minute = {};
    std::optional<std::uint64_t> tokens_per_minute = {};
    std::optional<std::uint64_t> tokens_per_day = {};    // UTC days
    std::optional<std::uint64_t> tokens_per_month = {};  // UTC months
    engine::Priority priority_max = engine::Priority::normal;
    std::string partition = {};                     // keys with the same one share cached prefixes; empty: the id
    std::string label = {};                         // what comes in with it, in the words of the policy; empty: the policy's standard
    std::string ceiling = {};                       // and how far a caller may tighten that; empty: without limit
    std::string place = {};                         // of the policy, where its answers go; empty: "answer"
    std::int64_t created = 0;                       // Unix seconds
    std::optional<std::int64_t> revoked = {};
};

struct KeyUsage {
    std::int64_t day = 0;      // days since 1970, UTC
    std::int64_t month = 0;    // months since year 0, UTC
    std::uint64_t tokens_day = 0;
    std::uint64_t tokens_month = 0;
    std::uint64_t tokens_total = 0;
    std::uint64_t requests_total = 0;
};

// A key in use: its facts and how much of its limits is left. Outlives a reload of the ring, which hands
// the usage on to the new facts. Thread-safe.
class Key {
public:
    Key(KeyFacts facts, KeyUsage usage);
    const KeyFacts& facts() const { return facts_; }
    const std::string& partition() const { return facts_.partition.empty() ? facts_.id : facts_.partition; }
    bool may_use(std::string_view model) const;

    // One more request: `overloaded` with retry_after over a rate limit or a budget.
    base::Result<void> take(base::Instant now, base::WallTime wall);
    // What a request cost, known when it has ended. A limit may so be overdrawn by the requests under way;
    // the debt is paid before the next one is let in.
    void charge(std::uint64_t tokens, base::Instant now, base::WallTime wall);
    KeyUsage usage() const;

private:
    void roll(base::WallTime wall);

    const KeyFacts facts_;
    mutable std::mutex mutex_;
    Bucket requests_;
    Bucket tokens_;
    KeyUsage usage_;
};

// All API keys of this node, from one JSON file (`keys.json`); counters that must survive a restart live in
// a second one beside it (`usage.json`), so that the first changes only when a person changes it. Files are
// replaced as a whole (write beside, fsync, rename): a power cut leaves the old or the new one.
//
// verify() is the hot path: one SHA-256 and one look-up, no allocation. Thread-safe.
class KeyRing {
public:
    struct Parts {
        std::string path;        // keys.json; may not exist yet
        std::string usage_path;  // empty: usage is not kept
        base::Clock& clock;
        base::Random& random;
        base::Log& log;
    };
    // `corrupt` with the reason if a file is there but is not what it should be.
    static base::Result<std::unique_ptr<KeyRing>> open(Parts parts);
    ~KeyRing();
    KeyRing(const KeyRing&) = delete;
    KeyRing& operator=(const KeyRing&) = delete;

    // `unauthenticated` for a key that is unknown or revoked; the two are not told apart.
    base::Result<std::shared_ptr<Key>> verify(std::string_view secret) const;

    struct Created {
        std::string secret;  // "hanse_…", shown once and never stored
        KeyFacts facts;
    };
    // Fills in id, created; `facts.name` must not be empty.
    base::Result<Created> create(KeyFacts facts);
    base::Result<void> revoke(std::string_view id);
    std::vector<KeyFacts> list() const;
    std::optional<KeyUsage> usage(std::string_view id) const;
    std::size_t size() const;

    // Reads the file again if it changed; a broken file leaves the ring as it is and comes back as an error.
    base::Result<bool> reload_if_changed();
    // Writes the counters if they changed. For a background thread and for shutdown; never the hot path.
    base::Result<void> save_usage();

private:
    struct State;
    explicit KeyRing(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
