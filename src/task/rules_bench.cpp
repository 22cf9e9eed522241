// SPDX-License-Identifier: Apache-2.0
// What the stop `label` costs a request: like those before it, with a header, decided for the first time, and with rules on
// content, where 2 KiB of the texts of test/privacy/corpus (or HANSE_CORPUS) are looked through for everything there is. Each is
// timed by itself, since the slowest hundredth is what counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "task/rules.hpp"

namespace hanse::task {
namespace {

constexpr std::int64_t noon = 1'780'315'200;

std::shared_ptr<const label::Policy> mittelstand() {
    return label::Policy::read(label::profile_text(label::Profile::mittelstand, "acme", "DE"), "policy.toml").value();
}

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
std::string file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void decided_by_content_of_2_kib(benchmark::State& state) {
    const char* given = std::getenv("HANSE_CORPUS");
    const std::filesystem::path corpus = given != nullptr ? given : "test/privacy/corpus";
    std::string text;
    for (const char* name : {"letters.txt", "personnel.txt", "tickets.txt", "heldout.txt", "harmless.txt"}) text += file(corpus / name);
    if (text.size() < 100'000) return state.SkipWithError("the corpus is not there");
    const std::string rules_on_content =
        "[[content]]\nname = \"people\"\nkind = \"customers\"\nfinds = [\"person\", \"name\", \"email\", \"phone\", \"address\", "
        "\"birth-date\", \"iban\", \"tax-id\"]\n"
        "[[content]]\nname = \"keys\"\nkind = \"trade-secret\"\nfinds = [\"credential\", \"secret-url\"]\n";
    const auto policy =
        label::Policy::read(label::profile_text(label::Profile::mittelstand, "acme", "DE") + rules_on_content, "policy.toml").value();
    auto directory = privacy::Directory::read(file(corpus / "directory.toml"), "directory.toml").value();
    Rules rules(policy, std::make_shared<DecisionRecord>(), privacy::Recogniser::create({.directory = std::move(directory)}).value());
    std::size_t at = 0;
    std::vector<privacy::Kind> kinds;
    measure(state, [&] {
        at = (at + 1'999) % (text.size() - 2'048);
        kinds.clear();
        const auto entered = rules.enter(nullptr, "");
        const auto findings = (*rules.recogniser())->scan(std::string_view(text).substr(at, 2'048)).value();
        for (const privacy::Finding& finding : findings)
            if (!std::ranges::contains(kinds, finding.kind)) kinds.push_back(finding.kind);
        const auto label = rules.tightened(nullptr, *entered, kinds);
        benchmark::DoNotOptimize(rules.pass(*label, {.model = "m", .upstream = "eu-cloud"}, noon)->permitted());
    });
}
BENCHMARK(decided_by_content_of_2_kib);
BENCHMARK(decided_before);
BENCHMARK(decided_before_with_key_and_header);
BENCHMARK(decided_anew);

}  // namespace
}  // namespace hanse::task
