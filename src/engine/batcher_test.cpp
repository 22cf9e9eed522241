// SPDX-License-Identifier: Apache-2.0
#include "batcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "batcher_simulation.hpp"

namespace hanse::engine {
namespace {

using namespace std::chrono_literals;

std::vector<TokenId> tokens(std::size_t count, TokenId first = 1) {
    std::vector<TokenId> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(first + static_cast<TokenId>(i));
    return all;
}

struct Fixture : testing::Test {
    base::Instant now = base::Instant{} + 1h;
    Batcher::Limits limits{.slots = 4, .slot_tokens = 512, .batch_tokens = 128, .queue_max = 8, .host_bytes = 1 << 20, .token_bytes = 16};

    static Batcher::Ask ask(std::vector<TokenId> prompt) { return {std::move(prompt), {}, {}, {}, Priority::normal, {}, {}}; }
    // Plans, computes and draws the token 7 for each output. Returns the plan.
    StepPlan step(Batcher& batcher) {
        auto plan = batcher.plan(now);
        auto took = batcher.costs().predicted(plan.work);
        now += std::chrono::duration_cast<base::Instant::duration>(took);
        batcher.stepped(now, took);
        std::vector<TokenId> next{7};
        for (const auto& piece : plan.pieces)
            if (piece.output) batcher.append(piece.sequence, 0, next);
        batcher.check();
        return plan;
    }
};
using BatcherTest = Fixture;

TEST_F(BatcherTest, reads_a_prompt_then_answers_token_by_token) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(10)), now));
    auto first = step(batcher);
    ASSERT_EQ(first.pieces.size(), 1U);
    EXPECT_EQ(first.pieces[0].count, 10U);
    EXPECT_TRUE(first.pieces[0].output);
    auto second = step(batcher);
    ASSERT_EQ(second.pieces.size(), 1U);
    EXPECT_EQ(second.pieces[0].position, 10U);
    EXPECT_EQ(second.pieces[0].count, 1U);
}

TEST_F(BatcherTest, a_long_prompt_never_stalls_an_answer) {
    limits.gap_unseen = 0ms;
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(10)), now));
    step(batcher);
    ASSERT_TRUE(batcher.add(2, ask(tokens(500, 1000)), now));
    bool read = false;
    for (int i = 0; i < 2000 && !read; ++i) {
        auto plan = step(batcher);
        ASSERT_EQ(plan.pieces.front().sequence, 1U);
        auto undisturbed = batcher.costs().predicted({1, 0});
        ASSERT_LE(batcher.costs().predicted(plan.work) / undisturbed, 2.0);
        read = batcher.view(2).computed >= 500;
        if (batcher.room(1) == 0) break;
    }
    EXPECT_TRUE(read);
}

TEST_F(BatcherTest, beside_few_answers_a_prompt_gets_what_nobody_sees) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(10)), now));
    step(batcher);
    ASSERT_TRUE(batcher.add(2, ask(tokens(500, 1000)), now));
    auto undisturbed = batcher.costs().predicted({1, 0});
    ASSERT_LT(undisturbed * 5, limits.gap_unseen);
    auto took = batcher.costs().predicted(step(batcher).work);
    EXPECT_LE(took, limits.gap_unseen * 1.02);
    EXPECT_GT(took, limits.gap_unseen * 0.9);
}

TEST_F(BatcherTest, while_as_many_wait_as_answer_steps_are_longer) {
    limits.batch_tokens = 512;
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(10)), now));
    step(batcher);
    ASSERT_TRUE(batcher.add(2, ask(tokens(400, 1000)), now));
    ASSERT_TRUE(batcher.add(3, ask(tokens(400, 3000)), now));
    auto took = batcher.costs().predicted(step(batcher).work);
    EXPECT_LE(took, limits.idle_step * 1.02);
    EXPECT_GT(took, limits.idle_step * 0.9);
}

TEST_F(BatcherTest, full_batches_when_nobody_answers) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(300)), now));
    EXPECT_EQ(step(batcher).pieces[0].count, 128U);
}

TEST_F(BatcherTest, siblings_wait_for_the_beginning_they_share) {
    Batcher batcher(limits);
    auto one = tokens(200), two = tokens(200);
    one.push_back(9001);
    two.push_back(9002);
    ASSERT_TRUE(batcher.add(1, ask(one), now));
    ASSERT_TRUE(batcher.add(2, ask(two), now));
    std::uint32_t computed = 0;
    for (int i = 0; i < 10; ++i)
        for (const auto& piece : step(batcher).pieces) computed += piece.count;
    EXPECT_EQ(batcher.view(2).cached, 200U);
    EXPECT_LT(computed, 230U);
}

TEST_F(BatcherTest, copies_from_a_sequence_that_is_running) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(100)), now));
    step(batcher);
    ASSERT_TRUE(batcher.add(2, ask(tokens(100)), now));
    auto plan = step(batcher);
    ASSERT_FALSE(plan.operations.empty());
    EXPECT_EQ(plan.operations[0].kind, StepPlan::Operation::Kind::copy);
    EXPECT_EQ(batcher.view(2).cached, 99U);
}

TEST_F(BatcherTest, partitions_and_adapters_share_nothing) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(100)), now));
    step(batcher);
    auto other = ask(tokens(100));
    other.partition = "b";
    ASSERT_TRUE(batcher.add(2, other, now));
    auto adapted = ask(tokens(100));
    adapted.adapters = {{"legal", 1.0F}};
    ASSERT_TRUE(batcher.add(3, adapted, now));
    step(batcher);
    step(batcher);
    EXPECT_EQ(batcher.view(2).cached, 0U);
    EXPECT_EQ(batcher.view(3).cached, 0U);
}

TEST_F(BatcherTest, one_step_computes_one_set_of_adapters_and_both_get_on) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(20)), now));
    auto adapted = ask(tokens(20));
    adapted.adapters = {{"legal", 1.0F}};
    ASSERT_TRUE(batcher.add(2, adapted, now));
    std::map<SequenceId, int> steps;
    for (int i = 0; i < 20; ++i) {
        auto plan = step(batcher);
        std::set<SequenceId> in_batch;
        for (const auto& piece : plan.pieces) in_batch.insert(piece.sequence), ++steps[piece.sequence];
        ASSERT_EQ(in_batch.size(), 1U);
    }
    EXPECT_EQ(steps[1], 10);
    EXPECT_EQ(steps[2], 10);
}

TEST_F(BatcherTest, a_conversation_goes_on_where_it_ended) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(50)), now));
    step(batcher);
    step(batcher);
    auto said = batcher.view(1).tokens;
    batcher.finish(1, now);
    said.push_back(77);
    ASSERT_TRUE(batcher.add(2, ask(said), now));
    auto plan = step(batcher);
    EXPECT_EQ(batcher.view(2).cached, 51U);  // the last token drawn was never computed
    EXPECT_EQ(plan.pieces[0].count, 2U);
}

TEST_F(BatcherTest, the_urgent_takes_the_youngest_slot_of_the_lowest_and_that_one_goes_on) {
    Batcher batcher(limits);
    for (SequenceId id = 1; id <= 4; ++id) {
        auto one = ask(tokens(40, static_cast<TokenId>(id * 1000)));
        one.priority = id < 3 ? Priority::normal : Priority::background;
        ASSERT_TRUE(batcher.add(id, one, now));
        step(batcher);
    }
    while (batcher.view(4).computed < 42) step(batcher);
    auto urgent = ask(tokens(40, 9000));
    urgent.priority = Priority::urgent;
    ASSERT_TRUE(batcher.add(5, urgent, now));
    auto before = batcher.view(4).tokens;
    step(batcher);
    EXPECT_FALSE(batcher.view(4).running);
    EXPECT_TRUE(batcher.view(3).running);
    EXPECT_TRUE(batcher.view(5).running);
    EXPECT_EQ(batcher.preempted(), 1U);
    batcher.finish(5, now);
    auto plan = step(batcher);
    EXPECT_TRUE(batcher.view(4).running);
    // It comes back from host memory rather than being computed anew.
    EXPECT_TRUE(std::ranges::any_of(plan.operations, [](const auto& one) { return one.kind == StepPlan::Operation::Kind::restore; }));
    EXPECT_GE(batcher.view(4).tokens.size(), before.size());
}

TEST_F(BatcherTest, equals_are_not_preempted) {
    Batcher batcher(limits);
    for (SequenceId id = 1; id <= 5; ++id) ASSERT_TRUE(batcher.add(id, ask(tokens(20, static_cast<TokenId>(id * 100))), now));
    for (int i = 0; i < 10; ++i) step(batcher);
    EXPECT_EQ(batcher.running(), 4U);
    EXPECT_EQ(batcher.preempted(), 0U);
}

TEST_F(BatcherTest, who_waits_long_comes_before_higher_priorities) {
    limits.slots = 1;
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(20)), now));
    step(batcher);
    auto background = ask(tokens(20, 100));
    background.priority = Priority::background;
    ASSERT_TRUE(batcher.add(2, background, now));
    now += 61s;
    ASSERT_TRUE(batcher.add(3, ask(tokens(20, 200)), now));
    batcher.finish(1, now);
    step(batcher);
    EXPECT_TRUE(batcher.view(2).running);
    EXPECT_FALSE(batcher.view(3).running);
}

TEST_F(BatcherTest, the_partition_served_least_is_next) {
    limits.slots = 1;
    Batcher batcher(limits);
    for (SequenceId id = 1; id <= 4; ++id) {
        auto one = ask(tokens(20, static_cast<TokenId>(id * 100)));
        one.partition = "many";
        ASSERT_TRUE(batcher.add(id, one, now));
    }
    step(batcher);
    auto other = ask(tokens(20, 900));
    other.partition = "few";
    ASSERT_TRUE(batcher.add(9, other, now));
    for (int i = 0; i < 5; ++i) step(batcher);
    batcher.finish(1, now);
    step(batcher);
    // "few" came level with "many", so the older goes first; then it is the other's turn.
    batcher.finish(2, now);
    step(batcher);
    EXPECT_TRUE(batcher.view(9).running);
}

TEST_F(BatcherTest, a_full_queue_says_when_to_come_back) {
    Batcher batcher(limits);
    base::Result<void> added;
    for (SequenceId id = 1; id <= 20 && added; ++id) added = batcher.add(id, ask(tokens(20)), now);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, base::ErrorKind::overloaded);
    EXPECT_TRUE(added.error().retry_after);
}

TEST_F(BatcherTest, refuses_at_once_what_cannot_be_in_time) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(500)), now));
    auto hurried = ask(tokens(400, 5000));
    hurried.first_token_deadline = base::Deadline::after(now, 50ms);
    auto added = batcher.add(2, hurried, now);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, base::ErrorKind::deadline);
    hurried.first_token_deadline = base::Deadline::after(now, 60s);
    EXPECT_TRUE(batcher.add(2, hurried, now));
}

TEST_F(BatcherTest, gives_up_what_is_late) {
    Batcher batcher(limits);
    auto one = ask(tokens(20));
    one.deadline = base::Deadline::after(now, 5s);
    ASSERT_TRUE(batcher.add(1, one, now));
    step(batcher);
    now += 6s;
    auto plan = step(batcher);
    ASSERT_EQ(plan.ended.size(), 1U);
    EXPECT_EQ(plan.ended[0].error.kind, base::ErrorKind::deadline);
    EXPECT_FALSE(batcher.knows(1));
}

TEST_F(BatcherTest, drafts_that_were_right_count_and_wrong_ones_leave_nothing) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(20)), now));
    step(batcher);
    std::vector<TokenId> drafts{11, 12, 13};
    batcher.draft(1, drafts);
    auto plan = batcher.plan(now);
    ASSERT_EQ(plan.pieces[0].drafts, 3U);
    batcher.stepped(now, 10ms);
    std::vector<TokenId> next{99};
    batcher.append(1, 2, next);
    batcher.check();
    auto view = batcher.view(1);
    EXPECT_EQ(view.tokens.size(), 24U);
    EXPECT_EQ(view.tokens[22], 12);
    EXPECT_EQ(view.tokens[23], 99);
    plan = batcher.plan(now);
    ASSERT_EQ(plan.operations.size(), 1U);
    EXPECT_EQ(plan.operations[0].kind, StepPlan::Operation::Kind::trim);
    EXPECT_EQ(plan.operations[0].length, 23U);
    EXPECT_EQ(plan.pieces[0].position, 23U);
}

TEST_F(BatcherTest, drafts_only_where_they_pay) {
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(20)), now));
    step(batcher);
    // A step whose cost is nearly all base: drafts are free.
    for (int i = 0; i < 400; ++i) {
        batcher.learn({1, 0}, 10ms);
        batcher.learn({8, 0}, 10500us);
    }
    EXPECT_GT(batcher.draft_tokens(0.9, 8), 4U);
    EXPECT_EQ(batcher.draft_tokens(0.01, 8), 0U);
    // Each token costs the same: nothing to be gained.
    for (int i = 0; i < 2000; ++i) {
        batcher.learn({1, 0}, 5ms);
        batcher.learn({8, 0}, 40ms);
    }
    EXPECT_EQ(batcher.draft_tokens(0.7, 8), 0U);
}

TEST_F(BatcherTest, a_hole_is_filled_from_above) {
    Batcher batcher(limits);
    for (SequenceId id = 1; id <= 3; ++id) ASSERT_TRUE(batcher.add(id, ask(tokens(20, static_cast<TokenId>(id * 100))), now));
    for (int i = 0; i < 5; ++i) step(batcher);
    batcher.finish(1, now);
    StepPlan plan;
    for (int i = 0; i < 10; ++i) plan = step(batcher);
    ASSERT_EQ(plan.pieces.size(), 2U);
    EXPECT_EQ(plan.pieces[0].slot, 0U);
    EXPECT_EQ(plan.pieces[1].slot, 1U);
}

TEST_F(BatcherTest, a_batch_is_one_run_of_slots_while_prompts_wait_between) {
    limits.step_budget = 150ms;
    Batcher batcher(limits);
    ASSERT_TRUE(batcher.add(1, ask(tokens(10)), now));
    step(batcher);
    ASSERT_TRUE(batcher.add(2, ask(tokens(400, 1000)), now));
    ASSERT_TRUE(batcher.add(3, ask(tokens(90, 3000)), now));
    auto plan = step(batcher);
    ASSERT_EQ(plan.pieces.size(), 3U);
    EXPECT_EQ(plan.pieces[1].sequence, 2U);
    EXPECT_EQ(plan.pieces[1].count, 1U);
    EXPECT_GT(plan.pieces[2].count, 10U);
}

TEST(BatcherSimulation, nothing_is_lost_whatever_happens) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        base::SeededRandom random(seed);
        BatcherSimulation simulation([&] { return static_cast<std::uint32_t>(random.next() >> 33); });
        for (int i = 0; i < 400; ++i) ASSERT_NO_THROW(simulation.event());
        ASSERT_NO_THROW(simulation.drain());
    }
}

}  // namespace
}  // namespace hanse::engine
