// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "engine/upstream.hpp"
#include "task/desk.hpp"

namespace hanse::task {

// The requests under way for one model. Counts survive a reload, since tickets point here.
struct Ticket::Line {
    std::string name;
    std::shared_ptr<engine::Upstream> upstream = {};
    std::string name_there = {};
    std::uint32_t in_flight_max = 0;
    std::atomic<std::uint32_t> in_flight{0};
    // How long a request takes, smoothed; says when a place will be free.
    std::atomic<std::int64_t> took_ms{1000};

    static base::Result<Ticket> admit(const std::shared_ptr<Line>& line) {
        if (line->in_flight.fetch_add(1, std::memory_order_relaxed) < line->in_flight_max) return Ticket(line);
        line->in_flight.fetch_sub(1, std::memory_order_relaxed);
        base::Error error{base::ErrorKind::overloaded, "the queue of model " + line->name + " is full", "queue_full", "model"};
        error.retry_after = line->wait();
        return std::unexpected(std::move(error));
    }

    // By Little's law a place becomes free each took/in_flight; a client cannot use less than a second.
    std::chrono::milliseconds wait() const {
        const auto places = std::max<std::int64_t>(1, in_flight.load(std::memory_order_relaxed));
        const auto each = took_ms.load(std::memory_order_relaxed) / places;
        return std::chrono::milliseconds{std::clamp<std::int64_t>(each, 1'000, 60'000)};
    }

    void learn(std::chrono::milliseconds took) {
        const auto before = took_ms.load(std::memory_order_relaxed);
        took_ms.store(before + (took.count() - before) / 8, std::memory_order_relaxed);
    }
};

}  // namespace hanse::task
