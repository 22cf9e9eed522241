// SPDX-License-Identifier: Apache-2.0
#include "forge/crew.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <format>
#include <mutex>
#include <thread>
#include <vector>

namespace hanse::forge {

struct Crew::State {
    using Work = std::function<base::Result<void>(std::size_t, unsigned)>;

    std::mutex mutex;
    std::condition_variable_any begins, ends;
    std::uint64_t job = 0;  // guarded by mutex, as all of the following up to next
    unsigned busy = 0;
    const Work* work = nullptr;
    std::size_t count = 0;
    base::Result<void> outcome;
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;  // last: joined before the rest goes

    void fail(base::Error error) {
        const std::scoped_lock lock(mutex);
        if (outcome) outcome = std::unexpected(std::move(error));
        next = count;
    }

    void run(unsigned worker) {
        for (std::size_t piece = next++; piece < count; piece = next++) {
            try {
                if (auto done = (*work)(piece, worker); !done) fail(std::move(done.error()));
            } catch (const std::exception& thrown) {
                fail({base::ErrorKind::unavailable, std::format("work on weights broke off: {}", thrown.what()), {}, {}, {}});
            }
        }
    }

    void serve(const std::stop_token& stop, unsigned worker) {
        for (std::uint64_t seen = 0;;) {
            {
                std::unique_lock lock(mutex);
                if (!begins.wait(lock, stop, [&] { return job != seen; })) return;
                seen = job;
            }
            run(worker);
            const std::scoped_lock lock(mutex);
            if (--busy == 0) ends.notify_one();
        }
    }
};

Crew::Crew(unsigned threads) : state_(std::make_unique<State>()) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned wanted = threads == 0 ? cores : std::min(threads, cores);
    for (unsigned worker = 1; worker < wanted; ++worker)
        state_->threads.emplace_back([state = state_.get(), worker](const std::stop_token& stop) { state->serve(stop, worker); });
}

Crew::~Crew() = default;

unsigned Crew::size() const { return static_cast<unsigned>(state_->threads.size()) + 1; }

base::Result<void> Crew::for_each(std::size_t count, const State::Work& work) {
    {
        const std::scoped_lock lock(state_->mutex);
        state_->work = &work;
        state_->count = count;
        state_->outcome = {};
        state_->next = 0;
        state_->busy = count > 1 ? static_cast<unsigned>(state_->threads.size()) : 0;
        if (state_->busy > 0) ++state_->job;
    }
    if (count > 1) state_->begins.notify_all();
    state_->run(0);
    std::unique_lock lock(state_->mutex);
    state_->ends.wait(lock, [&] { return state_->busy == 0; });
    return std::move(state_->outcome);
}

}  // namespace hanse::forge
