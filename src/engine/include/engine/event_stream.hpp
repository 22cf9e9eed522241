// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/generate.hpp"

namespace hanse::engine {

// The way from the engine's threads to one reader. The engine pushes and never waits: text that the reader
// has not fetched yet is joined into one event, and past `bytes_max` of it the stream counts as abandoned,
// which the engine sees as cancelled(). The reader takes all there is with take(), and is told by `on_ready`
// (called on an engine thread, at most once until the next take(); it must only post elsewhere). A wake-up set
// while events wait is called at once.
//
// Owned by shared_ptr from both sides; whoever goes away first harms nobody. The reader's destructor or
// cancel() stops the generation within one step of the model.
class EventStream {
public:
    explicit EventStream(std::function<void()> on_ready = {}, std::size_t bytes_max = 1 << 20)
        : on_ready_(std::move(on_ready)), bytes_max_(bytes_max) {}

    // Engine side. After a FinishEvent or ErrorEvent nothing more is accepted.
    void push(Event event);
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

    // Reader side.
    std::vector<Event> take();
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    // The reader may set or clear its wake-up after construction; clearing waits for a call under way.
    void on_ready(std::function<void()> call);

private:
    std::mutex mutex_;  // events_, bytes_, ended_, told_
    std::vector<Event> events_;
    std::size_t bytes_ = 0;
    bool ended_ = false;
    bool told_ = false;
    std::mutex call_mutex_;  // on_ready_, held during the call; never taken while mutex_ is held
    std::function<void()> on_ready_;
    std::size_t bytes_max_;
    std::atomic<bool> cancelled_{false};
};

}  // namespace hanse::engine
