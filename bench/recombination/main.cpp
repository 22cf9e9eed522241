// SPDX-License-Identifier: Apache-2.0
// script/experiment recombine: see there for what it does and docs/forge-recombination.md for what came out.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <print>

#include "experiment.hpp"

int main(int count, char** arguments) {
    namespace rc = hanse::recombination;
    bool small = false;
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(arguments[i], "--small") == 0) {
            small = true;
        } else {
            std::println(stderr, "recombination [--small]");
            return 2;
        }
    }
    const auto plan = small ? rc::small_plan() : rc::full_plan();
    std::vector<rc::Domain> domains;
    if (small) {
        domains = rc::made_domains(100'000, 20'000);
    } else {
        auto packaged = rc::packaged_domains(1'500'000, 150'000);
        if (!packaged) {
            std::println(stderr, "{}", packaged.error().message);
            return 1;
        }
        domains = std::move(*packaged);
    }
    const auto begin = std::chrono::steady_clock::now();
    auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
    std::vector<rc::Outcome> outcomes;
    std::vector<std::string> failed;
    for (const auto seed : plan.seeds) {
        outcomes.push_back(
            rc::run(plan, domains, seed, [&](const std::string& line) { std::println(stderr, "{:6.1f} s  {}", seconds(), line); }));
        for (auto& one : rc::failures(outcomes.back(), 0.10)) failed.push_back(std::move(one));
    }
    std::println("Loss on bytes 33 to 64 of windows of 64, nats a byte; means of {} seeds, {:.0f} s.\n", plan.seeds.size(), seconds());
    std::println("{}", rc::table(domains, outcomes));
    for (const auto& one : outcomes)
        std::println(
            "seed {}: the table finds the owner of {:.1f} % of the requests; after {} left, its domain is at {:.3f} of the public model's "
            "loss",
            one.seed, 100 * one.owners_found, domains[1].name, one.left_ratio);
    for (const auto& outcome : outcomes)
        for (const auto& [owner, before, after] : outcome.extractions)
            std::println("seed {}: of {}'s training text {:.2f} bytes come out verbatim behind 32 given ones, {:.2f} after it left", outcome.seed, owner, before, after);
    for (const auto& one : failed) std::println("FAILED {}", one);
    return failed.empty() ? 0 : 1;
}
