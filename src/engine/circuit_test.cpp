// SPDX-License-Identifier: Apache-2.0
#include "circuit.hpp"

#include <gtest/gtest.h>

namespace hanse::engine {
namespace {

using std::chrono::milliseconds;
const base::Instant start = base::Instant{} + std::chrono::hours(1);

TEST(Circuit, opens_after_failures_in_a_row_and_not_before) {
    Circuit circuit(3, milliseconds(1000));
    for (int round = 0; round < 2; ++round) {
        circuit.failed(start);
        circuit.failed(start);
        EXPECT_TRUE(circuit.may_try(start));
        circuit.succeeded();
    }
    for (int i = 0; i < 3; ++i) circuit.failed(start);
    EXPECT_FALSE(circuit.may_try(start));
    EXPECT_EQ(circuit.wait_left(start), milliseconds(1000));
}

TEST(Circuit, lets_one_trial_through_when_it_has_rested) {
    Circuit circuit(1, milliseconds(1000));
    circuit.failed(start);
    const auto later = start + milliseconds(1000);
    EXPECT_TRUE(circuit.may_try(later));
    EXPECT_FALSE(circuit.may_try(later)) << "a second one beside the trial";
    circuit.failed(later);
    EXPECT_FALSE(circuit.may_try(later + milliseconds(999)));
    EXPECT_TRUE(circuit.may_try(later + milliseconds(1000)));
    circuit.succeeded();
    EXPECT_TRUE(circuit.closed());
}

TEST(Circuit, a_trial_that_was_abandoned_does_not_block_the_next) {
    Circuit circuit(1, milliseconds(10));
    circuit.failed(start);
    EXPECT_TRUE(circuit.may_try(start + milliseconds(10)));
    circuit.abandoned();
    EXPECT_TRUE(circuit.may_try(start + milliseconds(10)));
}

TEST(Attempts, repeat_only_what_another_attempt_may_mend) {
    for (const unsigned status : {0U, 429U, 500U, 502U, 503U, 504U}) EXPECT_EQ(outcome_of(status), AttemptOutcome::try_again) << status;
    for (const unsigned status : {200U, 400U, 401U, 404U, 413U, 501U}) EXPECT_EQ(outcome_of(status), AttemptOutcome::answer) << status;
}

TEST(Attempts, wait_longer_each_time_within_a_bound) {
    for (unsigned attempt = 0; attempt < 40; ++attempt)
        for (const std::uint64_t random : {0ULL, 77ULL, ~0ULL}) EXPECT_LE(pause_before(attempt, random), milliseconds(2000));
    EXPECT_LE(pause_before(0, 99), milliseconds(100));
}

TEST(Circuit, late_failures_of_one_outage_do_not_put_the_trial_off) {
    Circuit circuit(1, std::chrono::seconds(10));
    const base::Instant start = base::Instant{} + std::chrono::hours(1);
    EXPECT_TRUE(circuit.may_try(start));
    circuit.failed(start);
    circuit.failed(start + std::chrono::seconds(9));
    EXPECT_TRUE(circuit.would_try(start + std::chrono::seconds(10)));
}

TEST(Circuit, a_good_probe_brings_the_trial_forward) {
    Circuit circuit(1, std::chrono::seconds(10));
    const base::Instant start = base::Instant{} + std::chrono::hours(1);
    circuit.failed(start);
    circuit.seen_well();
    EXPECT_TRUE(circuit.may_try(start));
    EXPECT_FALSE(circuit.may_try(start));
}

}  // namespace
}  // namespace hanse::engine
