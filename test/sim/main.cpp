// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "world.hpp"

// simulate [--seed N] [--seeds COUNT --from N] [--plant NAME] [--verbose]
namespace {

using namespace hanse::sim;

constexpr const char* usage =
    "simulate [--seed N | --seeds COUNT [--from N]] [--plant NAME] [--verbose]\n"
    "\n"
    "Runs simulated federations; the same seed gives the same run. Ends with 1 at the first that breaks an invariant,\n"
    "and says how to have it again. With --plant a wrong decision is built in, and the run ends with 0 when it is caught.\n";

bool number(std::string_view text, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

void print(std::uint64_t seed, const Outcome& outcome) {
    std::printf("seed %llu: %llu events, %zu asked, %zu answered, %zu runs, %zu crashes, charter version %zu, transcript %016llx\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(outcome.events), outcome.asked, outcome.answered,
                outcome.runs, outcome.crashes, outcome.charter_versions, static_cast<unsigned long long>(outcome.transcript));
}

}  // namespace

int main(int count, char** values) {
    std::uint64_t from = 1, seeds = 1;
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = values[i];
        const auto next = [&] { return i + 1 < count ? std::string_view(values[++i]) : std::string_view(); };
        bool good = true;
        if (word == "--seed" || word == "--from") good = number(next(), from);
        else if (word == "--seeds") good = number(next(), seeds);
        else if (word == "--verbose") options.verbose = true;
        else if (word == "--plant") {
            const auto found = std::ranges::find(plant_names, next());
            good = found != plant_names.end();
            if (good) options.plant = static_cast<Plant>(found - plant_names.begin());
        } else if (word == "--help" || word == "-h") return std::fputs(usage, stdout), 0;
        else good = false;
        if (!good) return std::fprintf(stderr, "%s", usage), 2;
    }
    Outcome sum;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
        options.seed = seed;
        World world(options);
        const Outcome outcome = world.run();
        if (seeds == 1) print(seed, outcome);
        if (!outcome.violation.empty()) {
            std::printf("seed %llu: %s\nto have it again: script/simulate --seed %llu --verbose%s%s   (commit %s)\n",
                        static_cast<unsigned long long>(seed), outcome.violation.c_str(), static_cast<unsigned long long>(seed),
                        options.plant == Plant::none ? "" : " --plant ",
                        options.plant == Plant::none ? "" : plant_names[static_cast<std::size_t>(options.plant)].data(), HANSE_COMMIT);
            return options.plant == Plant::none ? 1 : 0;
        }
        sum.events += outcome.events;
        sum.asked += outcome.asked;
        sum.answered += outcome.answered;
        sum.runs += outcome.runs;
        sum.crashes += outcome.crashes;
        sum.charter_versions += outcome.charter_versions - 1;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (seeds > 1)
        std::printf(
            "%llu federations from seed %llu in %.1f s: %llu events, %zu questions, %zu answered, %zu remote runs, %zu crashes, %zu "
            "charters changed; every invariant held\n",
            static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(from), seconds,
            static_cast<unsigned long long>(sum.events), sum.asked, sum.answered, sum.runs, sum.crashes, sum.charter_versions);
    if (options.plant != Plant::none)
        return std::printf("%s was not caught\n", plant_names[static_cast<std::size_t>(options.plant)].data()), 1;
    return 0;
}
