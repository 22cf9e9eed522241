// SPDX-License-Identifier: Apache-2.0
#include "energy_meter.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace hanse::node {
namespace {

namespace fs = std::filesystem;

struct Meter : testing::Test {
    fs::path folder = fs::temp_directory_path() / ("hanse_energy_" + std::to_string(base::SystemRandom().next()));
    ~Meter() override { fs::remove_all(folder); }
    void zone(const std::string& name, std::uint64_t microjoules) const {
        fs::create_directories(folder / name);
        std::ofstream(folder / name / "energy_uj") << microjoules << "\n";
        std::ofstream(folder / name / "max_energy_range_uj") << 1'000 << "\n";
    }
};

TEST_F(Meter, adds_up_packages_and_not_their_parts_and_goes_on_where_a_counter_begins_anew) {
    zone("intel-rapl:0", 900);
    zone("intel-rapl:1", 100);
    zone("intel-rapl:0:0", 500);
    const auto meter = energy_meter(8, folder);
    EXPECT_EQ(meter.how, journal::Energy::How::measured);
    const auto before = meter.microjoules();
    zone("intel-rapl:0", 50);  // 100 to the end of its range, and 50 more
    zone("intel-rapl:1", 130);
    zone("intel-rapl:0:0", 999);
    EXPECT_EQ(meter.microjoules() - before, 180U);
}

TEST_F(Meter, without_counters_says_that_it_is_a_model_and_grows_with_work) {
    const auto meter = energy_meter(8, folder);
    EXPECT_EQ(meter.how, journal::Energy::How::modelled);
    const auto before = meter.microjoules();
    volatile std::uint64_t sum = 0;
    while (meter.microjoules() < before + 8'000) sum = sum + 1;
    EXPECT_EQ(energy_meter(0, folder).microjoules(), 0U);
}

}  // namespace
}  // namespace hanse::node
