// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "router.hpp"
#include "task/desk.hpp"

namespace hanse::api {

struct JournalFigures;

// A latency histogram with fixed bounds; one relaxed addition per observation.
class Histogram {
public:
    static constexpr std::array<double, 18> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2,
                                                   0.35,   0.5,   1,      2,     5,    10,    30,   60,  300};
    void observe(std::chrono::nanoseconds span);
    // `labels` as in `model="a"`, may be empty.
    void write(std::string& out, std::string_view name, std::string_view labels) const;
    std::uint64_t count() const;

private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> buckets_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

// Per model. The label is bounded: only models that the desk knows get one.
struct ModelMetrics {
    Histogram first_token;
    Histogram gap;
    std::atomic<std::uint64_t> prompt_tokens{0};
    std::atomic<std::uint64_t> cached_tokens{0};
    std::atomic<std::uint64_t> completion_tokens{0};
    std::atomic<std::uint64_t> cancelled{0};
};

// What /metrics tells, in Prometheus' text format 0.0.4. Counting is a few relaxed additions and never
// allocates, apart from the first request to a model.
class Metrics {
public:
    explicit Metrics(base::WallTime started);
    void request(Route route, unsigned status, std::chrono::nanoseconds took);
    // The reference stays valid as long as the Metrics live. Only for names that desk.find() knows.
    ModelMetrics& model(std::string_view name);
    // For whom: the house's own people see all; others only what does not depend on what anybody asked, since counts of
    // tokens, statuses and times would tell.
    enum class For : std::uint8_t { house, everyone };
    void write(std::string& out, const task::Desk& desk, std::string_view version, For whom) const;

    std::atomic<std::uint64_t> access_lines_dropped{0};
    std::atomic<std::uint64_t> streams_open{0};

private:
    static constexpr std::array<unsigned, 16> statuses{200, 204, 400, 401, 403, 404, 405, 413, 415, 429, 499, 500, 502, 503, 504, 0};
    std::array<std::array<std::atomic<std::uint64_t>, statuses.size()>, route_count> requests_{};
    std::array<Histogram, route_count> took_{};
    mutable std::shared_mutex mutex_;
    std::map<std::string, std::unique_ptr<ModelMetrics>, std::less<>> models_;
    std::int64_t started_ = 0;
};

// The journal's part of /metrics, for the house.
void write_figures(std::string& out, const JournalFigures& figures);

}  // namespace hanse::api
