// SPDX-License-Identifier: Apache-2.0
#include "federation/task_ledger.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hanse::federation {
namespace {

std::string line_of(std::byte first, WallMs made) {
    TaskKey key{};
    key.front() = first;
    return TaskLedger::begun_line("bolt", key, made);
}

TEST(TaskLedgerText, passes_over_what_a_power_cut_left_of_its_last_lines) {
    const std::string whole = line_of(std::byte{1}, 1'000'000) + line_of(std::byte{2}, 1'000'001);
    const std::string last = line_of(std::byte{3}, 1'000'002);
    for (std::size_t lost = 0; lost < last.size(); ++lost) {
        std::string holed = last, cut = last;
        holed.replace(0, lost, lost, '\0');  // the first sector never came, the second did
        cut.resize(lost);
        const auto read = TaskLedger::parse(whole + holed, 1'000'003);
        ASSERT_TRUE(read) << lost << ": " << read.error().message;
        EXPECT_EQ(read->size(), lost == 0 ? 3U : 2U) << lost;
        EXPECT_EQ(TaskLedger::parse(whole + cut, 1'000'003).value().size(), 2U) << lost;
    }
}

TEST(TaskLedgerText, does_not_pass_over_a_line_that_somebody_changed) {
    std::string whole = line_of(std::byte{1}, 1'000'000) + line_of(std::byte{2}, 1'000'001);
    whole[0] = 'x';
    EXPECT_EQ(TaskLedger::parse(whole, 1'000'003).error().kind, base::ErrorKind::corrupt);
}

}  // namespace
}  // namespace hanse::federation
