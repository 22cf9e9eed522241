// SPDX-License-Identifier: Apache-2.0
#include "task/keys.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "keys_file.hpp"

namespace hanse::task {
namespace {

using namespace std::chrono_literals;

class Keys : public testing::Test {
protected:
    Keys() : folder_(std::filesystem::temp_directory_path() / ("hanse_keys_" + std::to_string(base::SystemRandom().next()))) { std::filesystem::create_directories(folder_); }
    ~Keys() override { std::filesystem::remove_all(folder_); }
    std::unique_ptr<KeyRing> open() { return std::move(*KeyRing::open({path(), usage_path(), clock_, random_, base::silent_log()})); }
    std::string path() const { return (folder_ / "keys.json").string(); }
    std::string usage_path() const { return (folder_ / "usage.json").string(); }
    std::string text() const {
        std::ifstream in(path());
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    }

    std::filesystem::path folder_;
    base::ManualClock clock_;
    base::SeededRandom random_{1};
};

TEST_F(Keys, a_made_key_is_known_also_after_a_restart) {
    auto ring = open();
    const auto created = ring->create({.name = "ward 3"});
    ASSERT_TRUE(created);
    EXPECT_TRUE(created->secret.starts_with("hanse_"));
    EXPECT_TRUE(ring->verify(created->secret));
    ring = open();
    const auto key = ring->verify(created->secret);
    ASSERT_TRUE(key);
    EXPECT_EQ((*key)->facts().name, "ward 3");
}

TEST_F(Keys, the_secret_is_not_in_the_file_and_the_file_is_the_owners) {
    auto ring = open();
    const auto created = ring->create({.name = "a"});
    EXPECT_EQ(text().find(created->secret.substr(6)), std::string::npos);
    EXPECT_EQ(std::filesystem::status(path()).permissions() & std::filesystem::perms::all, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Keys, unknown_short_long_and_altered_keys_are_refused_alike) {
    auto ring = open();
    const auto created = ring->create({.name = "a"});
    auto altered = created->secret;
    altered.back() = altered.back() == 'A' ? 'B' : 'A';
    for (const auto& secret : {std::string(), std::string("hanse_"), std::string("sk-123"), altered, created->secret + "x", created->secret.substr(1)}) {
        const auto key = ring->verify(secret);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().kind, base::ErrorKind::unauthenticated);
        EXPECT_EQ(key.error().message, "this API key is not known here");
    }
}

TEST_F(Keys, a_revoked_key_is_unknown_at_once_but_stays_in_the_list) {
    auto ring = open();
    const auto created = ring->create({.name = "a"});
    ASSERT_TRUE(ring->revoke(created->facts.id));
    EXPECT_FALSE(ring->verify(created->secret));
    ASSERT_EQ(ring->list().size(), 1U);
    EXPECT_TRUE(ring->list()[0].revoked.has_value());
    EXPECT_FALSE(ring->revoke("key_none"));
}

TEST_F(Keys, requests_a_minute_flow_back) {
    auto ring = open();
    const auto created = ring->create({.name = "a", .requests_per_minute = 60});
    const auto key = *ring->verify(created->secret);
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(key->take(clock_.now(), clock_.wall()));
    const auto refused = key->take(clock_.now(), clock_.wall());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::overloaded);
    EXPECT_EQ(refused.error().code, "rate_limit_exceeded");
    EXPECT_LE(*refused.error().retry_after, 1001ms);
    clock_.advance(1001ms);
    EXPECT_TRUE(key->take(clock_.now(), clock_.wall()));
    EXPECT_FALSE(key->take(clock_.now(), clock_.wall()));
}

TEST_F(Keys, an_overdrawn_token_limit_is_paid_back_first) {
    auto ring = open();
    const auto created = ring->create({.name = "a", .tokens_per_minute = 100});
    const auto key = *ring->verify(created->secret);
    ASSERT_TRUE(key->take(clock_.now(), clock_.wall()));
    key->charge(200, clock_.now(), clock_.wall());
    const auto refused = key->take(clock_.now(), clock_.wall());
    ASSERT_FALSE(refused);
    EXPECT_GT(*refused.error().retry_after, 60s);
    clock_.advance(61s);
    EXPECT_TRUE(key->take(clock_.now(), clock_.wall()));
}

TEST_F(Keys, budgets_end_with_their_day_and_month) {
    auto ring = open();
    const auto created = ring->create({.name = "a", .tokens_per_day = 100, .tokens_per_month = 150});
    const auto key = *ring->verify(created->secret);
    key->charge(100, clock_.now(), clock_.wall());
    auto refused = key->take(clock_.now(), clock_.wall());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "insufficient_quota");
    EXPECT_EQ(*refused.error().retry_after, 23h);  // the clock starts at one o'clock
    clock_.advance(23h);
    EXPECT_TRUE(key->take(clock_.now(), clock_.wall()));
    key->charge(60, clock_.now(), clock_.wall());
    refused = key->take(clock_.now(), clock_.wall());
    ASSERT_FALSE(refused);
    EXPECT_EQ(*refused.error().retry_after, 24h * 30);
    clock_.advance(24h * 30);
    EXPECT_TRUE(key->take(clock_.now(), clock_.wall()));
}

TEST_F(Keys, usage_survives_a_restart) {
    auto ring = open();
    const auto created = ring->create({.name = "a", .tokens_per_month = 100});
    (*ring->verify(created->secret))->charge(100, clock_.now(), clock_.wall());
    ASSERT_TRUE(ring->save_usage());
    ring = open();
    EXPECT_FALSE((*ring->verify(created->secret))->take(clock_.now(), clock_.wall()));
}

TEST_F(Keys, a_key_made_by_another_process_is_seen_and_limits_go_on) {
    auto serving = open();
    const auto mine = serving->create({.name = "a", .requests_per_minute = 1});
    ASSERT_TRUE((*serving->verify(mine->secret))->take(clock_.now(), clock_.wall()));
    const auto other = open()->create({.name = "b"});
    ASSERT_TRUE(other);
    EXPECT_EQ(serving->reload_if_changed().value_or(false), true);
    EXPECT_TRUE(serving->verify(other->secret));
    EXPECT_FALSE((*serving->verify(mine->secret))->take(clock_.now(), clock_.wall()));
    EXPECT_EQ(serving->reload_if_changed().value_or(true), false);
}

TEST_F(Keys, a_broken_file_leaves_the_ring_as_it_is) {
    auto ring = open();
    const auto created = ring->create({.name = "a"});
    std::ofstream(path()) << "{\"version\":1,\"keys\":[{";
    EXPECT_FALSE(ring->reload_if_changed());
    EXPECT_TRUE(ring->verify(created->secret));
    EXPECT_EQ(KeyRing::open({path(), "", clock_, random_, base::silent_log()}).error().kind, base::ErrorKind::corrupt);
}

TEST(KeysFile, a_misspelt_limit_is_an_error_and_not_no_limit) {
    EXPECT_TRUE(parse_keys(R"({"version":1,"keys":[{"id":"a","name":"n","sha256":"","requests_per_minute":5}]})", "f"));
    EXPECT_FALSE(parse_keys(R"({"version":1,"keys":[{"id":"a","name":"n","sha256":"","request_per_minute":5}]})", "f"));
    EXPECT_FALSE(parse_keys(R"({"version":2,"keys":[]})", "f"));
    EXPECT_FALSE(parse_keys(R"({"version":1,"keys":[{"id":"a","priority_max":"top"}]})", "f"));
}

TEST(KeyModels, none_named_means_all) {
    EXPECT_TRUE(Key({.id = "a"}, {}).may_use("x"));
    EXPECT_FALSE(Key({.id = "a", .models = {"y"}}, {}).may_use("x"));
}

}  // namespace
}  // namespace hanse::task
