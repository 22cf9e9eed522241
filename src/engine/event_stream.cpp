// SPDX-License-Identifier: Apache-2.0
#include "engine/event_stream.hpp"

#include <iterator>
#include <utility>

namespace hanse::engine {

void EventStream::push(Event event) {
    bool tell = false;
    {
        std::lock_guard lock(mutex_);
        if (ended_) return;
        if (auto* text = std::get_if<TextEvent>(&event)) {
            if (cancelled()) return;
            bytes_ += text->text.size() + text->logprobs.size() * sizeof(TokenLogprobs);
            if (bytes_ > bytes_max_) {
                // Nobody has read a buffer's worth of text: the reader counts as gone. What waits is of no
                // use without its end, and the engine sees cancelled() at its next step.
                cancel();
                events_.clear();
                bytes_ = 0;
                return;
            }
            auto* last = events_.empty() ? nullptr : std::get_if<TextEvent>(&events_.back());
            if (last != nullptr) {
                last->text += text->text;
                last->tokens += text->tokens;
                std::move(text->logprobs.begin(), text->logprobs.end(), std::back_inserter(last->logprobs));
            } else {
                events_.push_back(std::move(event));
            }
        } else {
            ended_ = true;
            events_.push_back(std::move(event));
        }
        tell = !std::exchange(told_, true);
    }
    if (!tell) return;
    std::lock_guard lock(call_mutex_);
    if (on_ready_) on_ready_();
}

std::vector<Event> EventStream::take() {
    std::lock_guard lock(mutex_);
    told_ = false;
    bytes_ = 0;
    return std::exchange(events_, {});
}

void EventStream::on_ready(std::function<void()> call) {
    std::lock_guard call_lock(call_mutex_);
    on_ready_ = std::move(call);
    if (!on_ready_) return;
    // What came while nobody could be told must not wait for the next event.
    bool waiting = false;
    {
        std::lock_guard lock(mutex_);
        waiting = !events_.empty();
    }
    if (waiting) on_ready_();
}

}  // namespace hanse::engine
