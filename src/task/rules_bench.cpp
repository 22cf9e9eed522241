// SPDX-License-Identifier: Apache-2.0
// What the stop `label` costs a request: like those before it, with a header, and decided for the first time. Each is timed
// by itself, since the slowest hundredth is what counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <format>
#include <vector>

#include "task/rules.hpp"

namespace hanse::task {
namespace {

constexpr std::int64_t noon = 1'780'315'200;

std::shared_ptr<const label::Policy> mittelstand() { return label::Policy::read(label::profile_text(label::Profile::mittelstand, "acme", "DE"), "policy.toml").value(); }

// Tells the mean, and the 99th percentile of single calls.
template <typename Work>
void measure(benchmark::State& state, Work work) {
    std::vector<std::int64_t> spans;
    for (auto _ : state) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        spans.push_back((std::chrono::steady_clock::now() - begin).count());
    }
    const auto rank = spans.begin() + static_cast<std::ptrdiff_t>(spans.size() * 99 / 100);
    std::ranges::nth_element(spans, rank);
    state.counters["p99_ns"] = static_cast<double>(*rank);
}

void decided_before(benchmark::State& state) {
    Rules rules(mittelstand());
    measure(state, [&] {
        const auto label = rules.enter(nullptr, "");
        benchmark::DoNotOptimize(rules.pass(*label, {.model = "m", .upstream = "eu-cloud"}, noon)->permitted());
    });
}
void decided_before_with_key_and_header(benchmark::State& state) {
    Rules rules(mittelstand());
    const KeyFacts key{.id = "key_1", .label = "internal", .ceiling = "internal+personnel+customers"};
    measure(state, [&] {
        const auto label = rules.enter(&key, "customers");
        benchmark::DoNotOptimize(rules.pass(*label, {.model = "m"}, noon)->permitted());
    });
}
void decided_anew(benchmark::State& state) {
    Rules rules(mittelstand(), std::make_shared<DecisionRecord>());
    std::int64_t now = noon;
    const auto label = rules.enter(nullptr, "customers").value();
    // Time that goes back is a question not asked before.
    measure(state, [&] { benchmark::DoNotOptimize(rules.pass(label, {.model = "m", .upstream = "eu-cloud"}, --now)->permitted()); });
}
BENCHMARK(decided_before);
BENCHMARK(decided_before_with_key_and_header);
BENCHMARK(decided_anew);

}  // namespace
}  // namespace hanse::task
