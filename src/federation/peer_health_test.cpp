// SPDX-License-Identifier: Apache-2.0
#include "federation/peer_health.hpp"

#include <gtest/gtest.h>

namespace hanse::federation {
namespace {

using namespace std::chrono_literals;
using State = PeerHealth::State;

struct PeerHealthTest : testing::Test {
    PeerHealth health{{.failures_to_open = 3, .open_for = 5s, .open_max = 60s}};
    base::Instant now = base::Instant{} + 1h;
    void fail(int times) {
        for (int i = 0; i < times; ++i) {
            EXPECT_TRUE(health.ask(now));
            health.failed(now);
        }
    }
};

TEST_F(PeerHealthTest, opens_after_failures_in_a_row_only) {
    fail(2);
    EXPECT_TRUE(health.ask(now));
    health.succeeded(now, 10ms);
    fail(2);
    EXPECT_EQ(health.state(now), State::well);
    fail(1);
    EXPECT_EQ(health.state(now), State::open);
    EXPECT_FALSE(health.ask(now));
}

TEST_F(PeerHealthTest, lets_one_trial_through_and_waits_longer_each_time) {
    fail(3);
    now += 5s;
    EXPECT_TRUE(health.ask(now));
    EXPECT_FALSE(health.ask(now)) << "one";
    health.failed(now);
    now += 9s;
    EXPECT_FALSE(health.may_ask(now));
    now += 1s;
    EXPECT_TRUE(health.ask(now));
    health.succeeded(now, 10ms);
    EXPECT_EQ(health.state(now), State::well);
    fail(3);
    now += 5s;
    EXPECT_TRUE(health.may_ask(now)) << "a success begins anew";
}

TEST_F(PeerHealthTest, is_not_put_off_by_what_fails_late) {
    health.ask(now);
    fail(3);
    now += 4s;
    health.failed(now);
    now += 1s;
    EXPECT_TRUE(health.may_ask(now));
}

TEST_F(PeerHealthTest, tries_again_as_soon_as_the_peer_is_back) {
    fail(3);
    health.connected(now);
    EXPECT_TRUE(health.ask(now));
}

TEST_F(PeerHealthTest, leaves_a_liar_alone_whatever_it_shows) {
    health.misbehaved(now);
    health.connected(now);
    health.probed(now, 1ms);
    now += 59min;
    EXPECT_FALSE(health.may_ask(now));
    EXPECT_EQ(health.state(now), State::distrusted);
    now += 1min;
    EXPECT_TRUE(health.may_ask(now));
}

TEST_F(PeerHealthTest, takes_busy_for_well) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(health.ask(now));
        health.busy(now, 2s);
        EXPECT_FALSE(health.may_ask(now + 1s));
        now += 2s;
    }
    EXPECT_EQ(health.state(now), State::well);
}

TEST_F(PeerHealthTest, smooths_its_latency) {
    EXPECT_FALSE(health.latency());
    health.succeeded(now, 80ms);
    health.succeeded(now, 160ms);
    EXPECT_EQ(health.latency(), 90ms);
}

TEST_F(PeerHealthTest, is_probed_where_there_is_no_use) {
    health.connected(now);
    EXPECT_EQ(health.probe_at(), now + 30s);
    health.succeeded(now + 10s, 1ms);
    EXPECT_EQ(health.probe_at(), now + 40s);
}

}  // namespace
}  // namespace hanse::federation
