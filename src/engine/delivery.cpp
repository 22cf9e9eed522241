// SPDX-License-Identifier: Apache-2.0
#include "delivery.hpp"

#include <iterator>

namespace hanse::engine {

DeliveryThread::DeliveryThread(const TokenTexts& texts) : texts_(texts), thread_([this] { run(); }) {}

DeliveryThread::~DeliveryThread() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void DeliveryThread::give(std::vector<Delivery>& deliveries) {
    if (deliveries.empty()) return;
    {
        std::lock_guard lock(mutex_);
        if (waiting_.empty()) waiting_.swap(deliveries);
        else std::move(deliveries.begin(), deliveries.end(), std::back_inserter(waiting_));
    }
    deliveries.clear();
    wake_.notify_one();
}

void DeliveryThread::run() {
    std::vector<Delivery> now;
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        now.swap(waiting_);
        lock.unlock();
        for (auto& one : now) deliver(one);
        now.clear();
        lock.lock();
    }
}

void DeliveryThread::deliver(Delivery& delivery) {
    auto& outlet = *delivery.outlet;
    if (outlet.ended) return;
    std::string text;
    for (std::size_t i = 0; i < delivery.tokens.size() && !outlet.assembly.stopped(); ++i) {
        auto token = static_cast<std::size_t>(delivery.tokens[i]);
        bool end = texts_.ends[token];
        const auto& piece = outlet.keep_special && !end ? texts_.special_pieces[token] : texts_.pieces[token];
        outlet.assembly.feed(piece, text);
        ++outlet.tokens;
        ++outlet.unsent;
        if (i < delivery.logprobs.size()) {
            auto& logprobs = delivery.logprobs[i];
            logprobs.chosen.bytes = texts_.special_pieces[static_cast<std::size_t>(logprobs.chosen.token)];
            for (auto& other : logprobs.top) other.bytes = texts_.special_pieces[static_cast<std::size_t>(other.token)];
            outlet.unsent_logprobs.push_back(std::move(logprobs));
        }
    }
    bool stopped = outlet.assembly.stopped().has_value();
    bool last = stopped || delivery.finish || delivery.error;
    if (last && !stopped && !delivery.error) outlet.assembly.finish(text);
    if (!text.empty() || (last && !outlet.unsent_logprobs.empty())) {
        outlet.out->push(TextEvent{std::move(text), outlet.unsent, std::move(outlet.unsent_logprobs)});
        outlet.unsent = 0;
        outlet.unsent_logprobs.clear();
    }
    if (!last) return;
    outlet.ended = true;
    outlet.stopped.store(true, std::memory_order_relaxed);
    if (delivery.error && !stopped) {
        outlet.out->push(ErrorEvent{std::move(*delivery.error)});
        return;
    }
    delivery.usage.completion_tokens = outlet.tokens;
    outlet.out->push(FinishEvent{stopped ? FinishReason::stop : *delivery.finish, outlet.assembly.stopped().value_or(""),
                                 delivery.usage, delivery.timings});
}

}  // namespace hanse::engine
