// SPDX-License-Identifier: Apache-2.0
#include "engine/pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace hanse::engine {
namespace {

using Done = std::function<void(base::Result<std::shared_ptr<Model>>)>;

// A file that failed to load is not tried again for each request that asks for it.
constexpr auto failure_remembered = std::chrono::seconds(5);

std::uint64_t memory_of(const Model& model) { return std::max(model.facts().memory, model.facts().bytes); }

// Before a model is loaded its file is the best guess of what it will hold.
std::uint64_t memory_expected(const ModelSpec& spec) {
    std::error_code ignored;
    auto size = std::filesystem::file_size(spec.path, ignored);
    return ignored ? 0 : size;
}

base::Error not_found(const std::string& name) {
    return {base::ErrorKind::not_found, "there is no model " + name + " here", "model_not_found", "model"};
}

struct Failure {
    base::Error error;
    base::Instant until;
};

struct Entry {
    ModelSpec spec;
    std::shared_ptr<Model> model = {};
    std::uint64_t memory_known = 0;  // from the last time it was loaded
    base::Instant used = {};
    bool loading = false;
    std::vector<Done> waiters = {};
    std::optional<Failure> failure = {};
};

// A model that left the pool while somebody still held it: its memory is not free yet.
struct Leaving {
    std::weak_ptr<Model> model;
    std::uint64_t memory;
};

}  // namespace

// Loading and unloading happen on thread_; everything else under mutex_. The pool's own reference is the only
// one that can multiply, and it does so under mutex_: a count of one seen there means that nobody else has it.
struct ModelPool::State {
    explicit State(Parts given) : clock(given.clock), log(given.log), memory_max(given.memory_max), loader(std::move(given.loader)) {
        for (auto& spec : given.specs) {
            auto name = spec.name;
            entries.insert_or_assign(name, Entry{std::move(spec)});
        }
    }

    base::Clock& clock;
    base::Log& log;
    std::uint64_t memory_max;
    Loader loader;

    mutable std::mutex mutex;
    std::condition_variable wake;
    std::map<std::string, Entry> entries;
    std::vector<Leaving> leaving;
    std::deque<std::string> to_load;
    std::vector<std::shared_ptr<Model>> to_unload;  // destroyed on the thread: freeing weights takes time
    bool stopping = false;
    std::thread thread;

    void run();
    void load_one(std::unique_lock<std::mutex>& lock, const std::string& name);
    base::Result<std::vector<std::shared_ptr<Model>>> make_room(const std::string& name, std::uint64_t needed);
    void let_go(Entry& entry);
};

void ModelPool::State::run() {
    std::unique_lock lock(mutex);
    while (true) {
        wake.wait(lock, [this] { return stopping || !to_load.empty() || !to_unload.empty(); });
        if (!to_unload.empty()) {
            auto gone = std::exchange(to_unload, {});
            lock.unlock();
            gone.clear();
            lock.lock();
            continue;
        }
        if (stopping) return;
        auto name = std::move(to_load.front());
        to_load.pop_front();
        load_one(lock, name);
    }
}

// Under the mutex: chooses whom to evict so that `needed` bytes fit, least recently used first.
base::Result<std::vector<std::shared_ptr<Model>>> ModelPool::State::make_room(const std::string& name, std::uint64_t needed) {
    std::vector<std::shared_ptr<Model>> evicted;
    if (memory_max == 0) return evicted;
    std::erase_if(leaving, [](const Leaving& one) { return one.model.expired(); });
    std::uint64_t used = 0;
    for (const auto& one : leaving) used += one.memory;
    std::vector<Entry*> idle;
    for (auto& [other, entry] : entries) {
        if (!entry.model) continue;
        used += memory_of(*entry.model);
        if (other != name && entry.model.use_count() == 1) idle.push_back(&entry);
    }
    std::uint64_t freeable = 0;
    for (auto* entry : idle) freeable += memory_of(*entry->model);
    if (needed > memory_max)
        return base::fail(base::ErrorKind::too_large, "model " + name + " needs more memory than this node gives to models",
                          "model_too_large", "model");
    if (used - freeable + needed > memory_max) {
        base::Error error{base::ErrorKind::overloaded, "the memory for models is held by models in use", {}, "model"};
        error.retry_after = std::chrono::seconds(2);
        return std::unexpected(std::move(error));
    }
    std::ranges::sort(idle, {}, [](const Entry* entry) { return entry->used; });
    for (auto* entry : idle) {
        if (used + needed <= memory_max) break;
        used -= memory_of(*entry->model);
        log.info("model_evicted", {{"model", std::string_view(entry->spec.name)}});
        evicted.push_back(std::exchange(entry->model, nullptr));
    }
    return evicted;
}

void ModelPool::State::load_one(std::unique_lock<std::mutex>& lock, const std::string& name) {
    auto found = entries.find(name);
    if (found == entries.end() || !found->second.loading) return;
    auto spec = found->second.spec;
    auto needed = std::max(found->second.memory_known, memory_expected(spec));
    auto room = make_room(name, needed);

    base::Result<std::shared_ptr<Model>> loaded;
    std::vector<std::shared_ptr<Model>> over_budget;
    lock.unlock();
    if (room) {
        room->clear();  // frees the evicted before the new one is read
        auto begin = clock.now();
        loaded = loader(spec);
        auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begin).count();
        if (loaded)
            log.info("model_loaded", {{"model", std::string_view(name)}, {"milliseconds", static_cast<std::int64_t>(took)},
                                      {"bytes", static_cast<std::int64_t>(memory_of(**loaded))}});
        else
            log.warning("model_failed", {{"model", std::string_view(name)}, {"reason", std::string_view(loaded.error().message)}});
    } else {
        loaded = std::unexpected(room.error());
    }
    lock.lock();

    // What the file weighs was a guess: now that the truth is known, older idle models may have to go.
    if (loaded && memory_max != 0) {
        if (auto more = make_room(name, memory_of(**loaded))) over_budget = std::move(*more);
        else loaded = std::unexpected(more.error());
    }
    std::vector<Done> waiters;
    found = entries.find(name);
    // The list may have been replaced meanwhile. Who asked before still gets what was asked for; a changed
    // entry keeps nothing of it.
    if (found != entries.end() && found->second.spec == spec) {
        auto& entry = found->second;
        entry.loading = false;
        waiters = std::exchange(entry.waiters, {});
        if (loaded) {
            entry.model = *loaded;
            entry.memory_known = memory_of(**loaded);
            entry.used = clock.now();
            entry.failure.reset();
        } else if (loaded.error().kind != base::ErrorKind::overloaded) {
            entry.failure = Failure{loaded.error(), clock.now() + failure_remembered};
        }
    } else if (found != entries.end()) {
        to_load.push_back(name);
    }
    lock.unlock();
    over_budget.clear();
    for (auto& done : waiters) done(loaded);
    waiters.clear();
    if (loaded) loaded->reset();
    lock.lock();
}

// Under the mutex.
void ModelPool::State::let_go(Entry& entry) {
    if (!entry.model) return;
    leaving.push_back({entry.model, memory_of(*entry.model)});
    to_unload.push_back(std::exchange(entry.model, nullptr));
}

ModelPool::ModelPool(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

ModelPool::~ModelPool() {
    std::vector<Done> waiters;
    {
        std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
    for (auto& [name, entry] : state_->entries)
        for (auto& done : entry.waiters) waiters.push_back(std::move(done));
    for (auto& done : waiters) done(base::fail(base::ErrorKind::unavailable, "this node is shutting down"));
}

void ModelPool::get(const std::string& name, Done done) {
    base::Result<std::shared_ptr<Model>> now;
    {
        std::lock_guard lock(state_->mutex);
        auto found = state_->entries.find(name);
        if (found == state_->entries.end()) {
            now = std::unexpected(not_found(name));
        } else if (auto& entry = found->second; entry.model) {
            entry.used = state_->clock.now();
            now = entry.model;
        } else if (entry.failure && state_->clock.now() < entry.failure->until) {
            now = std::unexpected(entry.failure->error);
        } else if (state_->stopping) {
            now = base::fail(base::ErrorKind::unavailable, "this node is shutting down");
        } else {
            entry.waiters.push_back(std::move(done));
            if (!std::exchange(entry.loading, true)) {
                state_->to_load.push_back(name);
                state_->wake.notify_all();
            }
            return;
        }
    }
    done(std::move(now));
}

std::shared_ptr<Model> ModelPool::if_loaded(const std::string& name) const {
    std::lock_guard lock(state_->mutex);
    auto found = state_->entries.find(name);
    return found == state_->entries.end() ? nullptr : found->second.model;
}

bool ModelPool::knows(const std::string& name) const {
    std::lock_guard lock(state_->mutex);
    return state_->entries.contains(name);
}

std::vector<std::string> ModelPool::names() const {
    std::lock_guard lock(state_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, entry] : state_->entries) names.push_back(name);
    return names;
}

void ModelPool::specs(std::vector<ModelSpec> specs) {
    std::vector<std::pair<std::string, Done>> orphaned;
    {
        std::lock_guard lock(state_->mutex);
        std::map<std::string, Entry> next;
        for (auto& spec : specs) {
            auto name = spec.name;
            auto found = state_->entries.find(name);
            if (found == state_->entries.end()) {
                next.insert_or_assign(name, Entry{std::move(spec)});
                continue;
            }
            auto entry = std::move(found->second);
            state_->entries.erase(found);
            if (!(entry.spec == spec)) {
                state_->let_go(entry);
                entry.spec = std::move(spec);
                entry.memory_known = 0;
                entry.failure.reset();
            }
            next.insert_or_assign(name, std::move(entry));
        }
        for (auto& [name, entry] : state_->entries) {
            state_->let_go(entry);
            for (auto& done : entry.waiters) orphaned.emplace_back(name, std::move(done));
        }
        state_->entries = std::move(next);
        state_->wake.notify_all();
    }
    for (auto& [name, done] : orphaned) done(std::unexpected(not_found(name)));
}

}  // namespace hanse::engine
