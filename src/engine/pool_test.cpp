// SPDX-License-Identifier: Apache-2.0
#include "engine/pool.hpp"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "engine/fake_model.hpp"

namespace hanse::engine {
namespace {

using Loaded = base::Result<std::shared_ptr<Model>>;

struct Fixture : testing::Test {
    base::ManualClock clock;
    std::atomic<int> loads = 0;

    ModelPool::Parts parts(std::vector<std::string> names, std::uint64_t memory_max = 0) {
        std::vector<ModelSpec> specs;
        for (auto& name : names) specs.push_back({.name = name});
        return {std::move(specs), memory_max, clock, base::silent_log(), [this](const ModelSpec& spec) -> Loaded {
                    ++loads;
                    if (spec.name == "broken") return base::fail(base::ErrorKind::corrupt, "no GGUF");
                    return std::make_shared<FakeModel>(FakeModel::Script{.name = spec.name});
                }};
    }
    static Loaded get(ModelPool& pool, const std::string& name) {
        std::promise<Loaded> promise;
        pool.get(name, [&](Loaded loaded) { promise.set_value(std::move(loaded)); });
        return promise.get_future().get();
    }
};
using Pool = Fixture;

TEST_F(Pool, loads_on_demand_and_once) {
    ModelPool pool(parts({"a", "b"}));
    EXPECT_EQ(pool.if_loaded("a"), nullptr);
    auto first = get(pool, "a");
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, *get(pool, "a"));
    EXPECT_EQ(pool.if_loaded("a"), *first);
    EXPECT_EQ(loads, 1);
}

TEST_F(Pool, names_what_it_does_not_know) {
    ModelPool pool(parts({"a"}));
    EXPECT_EQ(get(pool, "z").error().kind, base::ErrorKind::not_found);
    EXPECT_FALSE(pool.knows("z"));
}

TEST_F(Pool, concurrent_gets_are_one_load) {
    std::latch asked(1);
    auto given = parts({"a"});
    given.loader = [&](const ModelSpec&) -> Loaded {
        asked.wait();
        ++loads;
        return std::make_shared<FakeModel>();
    };
    ModelPool pool(std::move(given));
    std::vector<std::promise<Loaded>> answers(8);
    for (auto& answer : answers) pool.get("a", [&](Loaded loaded) { answer.set_value(std::move(loaded)); });
    asked.count_down();
    for (auto& answer : answers) EXPECT_TRUE(answer.get_future().get());
    EXPECT_EQ(loads, 1);
}

TEST_F(Pool, remembers_a_failure_briefly) {
    ModelPool pool(parts({"broken"}));
    EXPECT_EQ(get(pool, "broken").error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(get(pool, "broken").error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(loads, 1);
    clock.advance(std::chrono::seconds(6));
    (void)get(pool, "broken");
    EXPECT_EQ(loads, 2);
}

TEST_F(Pool, evicts_the_least_recently_used) {
    ModelPool pool(parts({"a", "b", "c"}, 2048));
    (void)get(pool, "a");
    clock.advance(std::chrono::seconds(1));
    (void)get(pool, "b");
    clock.advance(std::chrono::seconds(1));
    (void)get(pool, "a");
    clock.advance(std::chrono::seconds(1));
    ASSERT_TRUE(get(pool, "c"));
    EXPECT_NE(pool.if_loaded("a"), nullptr);
    EXPECT_EQ(pool.if_loaded("b"), nullptr);
    EXPECT_NE(pool.if_loaded("c"), nullptr);
}

TEST_F(Pool, never_evicts_a_model_in_use) {
    ModelPool pool(parts({"a", "b"}, 1024));
    auto held = get(pool, "a");
    ASSERT_TRUE(held);
    auto refused = get(pool, "b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::overloaded);
    EXPECT_TRUE(refused.error().retry_after);
    held->reset();
    EXPECT_TRUE(get(pool, "b"));
    EXPECT_EQ(pool.if_loaded("a"), nullptr);
}

TEST_F(Pool, a_model_that_left_the_list_lives_while_it_is_used_and_counts) {
    ModelPool pool(parts({"a", "b"}, 1024));
    auto held = get(pool, "a");
    pool.specs({{.name = "b"}});
    EXPECT_FALSE(pool.knows("a"));
    EXPECT_EQ((*held)->facts().name, "a");
    EXPECT_EQ(get(pool, "b").error().kind, base::ErrorKind::overloaded);
    held->reset();
    EXPECT_TRUE(get(pool, "b"));
}

TEST_F(Pool, a_changed_entry_is_loaded_anew) {
    ModelPool pool(parts({"a"}));
    auto before = get(pool, "a");
    pool.specs({{.name = "a", .context = 512}});
    auto after = get(pool, "a");
    EXPECT_NE(*before, *after);
    EXPECT_EQ(loads, 2);
}

TEST_F(Pool, answers_those_who_wait_when_it_ends) {
    std::promise<Loaded> second;
    {
        std::latch loading(1);
        auto given = parts({"a", "b"});
        given.loader = [&](const ModelSpec& spec) -> Loaded {
            if (spec.name == "a") loading.count_down();
            return std::make_shared<FakeModel>();
        };
        ModelPool pool(std::move(given));
        pool.get("a", [&](Loaded) {});
        loading.wait();
        pool.get("b", [&](Loaded loaded) { second.set_value(std::move(loaded)); });
    }
    (void)second.get_future().get();  // either loaded in time or told that the node shuts down
}

}  // namespace
}  // namespace hanse::engine
