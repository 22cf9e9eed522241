// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/service.hpp"
#include "base/config.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "digests.hpp"
#include "engine/pool.hpp"
#include "journal/journal.hpp"
#include "journal/text_store.hpp"
#include "node/config.hpp"
#include "node/identity.hpp"
#include "order_file.hpp"
#include "node/paths.hpp"
#include "task/energy.hpp"
#include "task/keys.hpp"
#include "task/scribe.hpp"

namespace hanse::node {

struct Told;

// The journal of a node with all that belongs to it: keys, the log, kept texts, the scribe; and what the node itself puts on
// record: start and stop, what changed in configuration, policy and keys, models loaded and unloaded, erasures. The kinds
// and their fields are in docs/journal.md.
//
// Made by Node before what it records, and outlives it. say() waits for the disk, so it is for the threads that start, reload, load models
// and do chores, never for a listener's.
class Records {
public:
    struct Parts {
        DataDirectory data;
        IdentityConfig identity;
        JournalConfig journal;
        const base::Environment& environment;
        base::Clock& clock;
        base::Random& random;
        base::Log& log;
    };
    // Makes the keys where there are none. `corrupt` if the log was damaged: the node must not start then.
    static base::Result<std::unique_ptr<Records>> open(Parts parts);
    ~Records();
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    task::Recorder& recorder() { return *scribe_; }
    task::EnergyLedger& energy() { return energy_; }
    api::Service::Parts::JournalFolder folder() { return {.disk = &disk_, .folder = parts_.data.journal(), .log = journal_.get()}; }
    journal::Journal& journal() { return *journal_; }
    const crypto::Identity& identity() const { return identity_.identity(); }

    // One record, some time; for those who must not wait.
    void note(std::string_view kind, journal::CanonicalObject fields);
    // One record, durable when this returns.
    base::Result<void> say(std::string_view kind, journal::CanonicalObject fields);
    // What comes into force, as digests of files, and the API keys there are; puts on record what is new since this was last
    // called, be it by an earlier run.
    base::Result<void> compare_files(const std::string& config_digest, const std::string& policy_digest);
    base::Result<void> compare_keys(const std::vector<task::KeyFacts>& keys);
    // A loader whose models are on record before they answer, with their digests, and again when they go.
    engine::ModelPool::Loader recording(engine::ModelPool::Loader loader);
    // Once a second: what commands ask for, and texts whose time has come.
    void chores();
    // The last record of a run.
    void stop(bool drained);

    // Destroys what a record says, and its texts. The index of the erasure's own record.
    base::Result<std::uint64_t> erase(std::string_view record, std::string_view reason);
    // Removes what is older than so many days. The first record that is still there.
    base::Result<std::uint64_t> prune(std::uint64_t days);
    // What a command asks for.
    base::Result<std::uint64_t> carry_out(const Order& order);

private:
    Records(Parts parts, crypto::IdentityKey identity);
    std::shared_ptr<engine::Model> watched(std::shared_ptr<engine::Model> model, const std::string& name);
    base::Result<void> compare_own_keys();
    void answer_order(const std::filesystem::path& file);
    void erase_expired();
    void prune_old();
    base::Result<void> remember(Told told);

    const Parts parts_;
    const crypto::IdentityKey identity_;
    base::SystemDisk disk_;
    Digests digests_;
    journal::TextStore texts_;
    task::EnergyLedger energy_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<task::Scribe> scribe_;
    std::mutex told_mutex_;
    std::unique_ptr<Told> told_;  // as it lies on disk; null: nothing was ever told
    base::Instant swept_{};
    base::Instant pruned_{};
    std::atomic<bool> stopped_ = false;
};

// How long records are kept at least, if a command says so many days: `invalid` under six months, `denied` for less than the
// configuration promises.
base::Result<journal::Retention> retention_for(const JournalConfig& config, std::uint64_t days);

// "sha256:…" of a file as it lies there; empty if there is none.
std::string file_digest(const std::filesystem::path& file);

}  // namespace hanse::node
