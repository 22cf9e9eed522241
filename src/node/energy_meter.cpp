// SPDX-License-Identifier: Apache-2.0
#include "energy_meter.hpp"

#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

std::optional<std::uint64_t> number_in(const fs::path& file) {
    std::ifstream in(file);
    std::uint64_t value = 0;
    if (in >> value) return value;
    return std::nullopt;
}

// One package; its counter begins anew at a limit that it tells.
struct Zone {
    fs::path counter;
    std::uint64_t range = 0;
    std::uint64_t last = 0;
    std::uint64_t total = 0;

    std::uint64_t read() {
        if (const auto now = number_in(counter)) {
            total += *now >= last ? *now - last : *now + range - last;
            last = *now;
        }
        return total;
    }
};

}  // namespace

task::EnergyLedger::Meter energy_meter(std::uint32_t watts_per_core, const fs::path& powercap) {
    auto zones = std::make_shared<std::vector<Zone>>();
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(powercap, error)) {
        // "intel-rapl:0" is a package (AMD's too); "intel-rapl:0:1" is a part of it, counted there already.
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("intel-rapl:") || name.find(':') != name.rfind(':')) continue;
        const auto now = number_in(entry.path() / "energy_uj");
        const auto range = number_in(entry.path() / "max_energy_range_uj");
        if (now && range) zones->push_back({entry.path() / "energy_uj", *range, *now, 0});
    }
    if (!zones->empty())
        return {[zones] {
                    std::uint64_t sum = 0;
                    for (Zone& zone : *zones) sum += zone.read();
                    return sum;
                },
                journal::Energy::How::measured};
    return {[watts_per_core] {
                timespec used{};
                ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
                return (static_cast<std::uint64_t>(used.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(used.tv_nsec) / 1'000) * watts_per_core;
            },
            journal::Energy::How::modelled};
}

}  // namespace hanse::node
