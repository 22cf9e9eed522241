// SPDX-License-Identifier: Apache-2.0
#include "catalog/hub.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include "catalog/files.hpp"
#include "fake_hub.hpp"

namespace hanse::catalog {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* file_name = "model-Q4_K_M.gguf";

struct Hubs : testing::Test {
    FakeHub fake;
    fs::path folder = fs::temp_directory_path() / ("hanse-hub-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
    base::SystemClock clock;
    std::string content = "GGUF" + std::string(100'000, 'x');
    HubOptions options{.endpoint = fake.endpoint(), .attempts = 3, .pause = std::chrono::milliseconds{0}};
    Store store{folder, [](const fs::path& path) -> base::Result<void> {
                    const auto bytes = read_file_whole(path, 1 << 20);
                    if (!bytes || !bytes->starts_with("GGUF")) return base::fail(base::ErrorKind::corrupt, "no GGUF");
                    return {};
                }};
    std::vector<std::uint64_t> progress;

    Hubs() { fake.put(file_name, content); }
    ~Hubs() override { fs::remove_all(folder); }

    base::Result<Manifest> pull(std::string_view text = "hf:org/repo", std::string name = "m") {
        boost::asio::io_context io(1);
        std::optional<base::Result<Manifest>> outcome;
        Hub hub(store, options, clock);
        boost::asio::co_spawn(io, hub.pull(*Reference::parse(text), std::move(name), [&](const PullProgress& now) { progress.push_back(now.done); }),
                              [&](std::exception_ptr thrown, base::Result<Manifest> result) {
                                  if (thrown) std::rethrow_exception(thrown);
                                  outcome = std::move(result);
                              });
        // Kept-open connections are work to the context, so it is not run to its end.
        while (!outcome) io.run_one();
        return *outcome;
    }
    std::string stored() { return read_file_whole(folder / "m" / file_name, 1 << 20).value_or("(nothing)"); }
    std::vector<std::string> ranges() {
        std::vector<std::string> out;
        for (const auto& seen : fake.seen())
            if (seen.cdn) out.push_back(seen.range);
        return out;
    }
};

TEST_F(Hubs, a_model_is_fetched_whole_through_the_redirect) {
    const auto manifest = pull();
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(stored(), content);
    EXPECT_EQ(manifest->licence, "apache-2.0");
    EXPECT_EQ(manifest->source, "hf:org/repo:model-Q4_K_M.gguf");
    EXPECT_EQ(manifest->revision.size(), 40U);
    EXPECT_EQ(store.find("m"), *manifest);
    EXPECT_TRUE(store.verify("m"));
    EXPECT_EQ(progress.back(), content.size());
    EXPECT_FALSE(fs::exists(folder / "m" / (std::string(file_name) + ".part")));
}

TEST_F(Hubs, the_same_model_is_not_fetched_twice) {
    ASSERT_TRUE(pull());
    const auto before = ranges().size();
    EXPECT_TRUE(pull());
    EXPECT_EQ(ranges().size(), before);
    fake.put(file_name, content + "y");
    const auto other = pull();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, "model_exists");
}

TEST_F(Hubs, a_broken_connection_is_continued_where_it_broke) {
    fake.break_after = 2;
    const auto manifest = pull();
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(stored(), content);
    ASSERT_EQ(ranges().size(), 3U);
    EXPECT_EQ(ranges()[0], "");
    EXPECT_THAT(ranges()[1], HasSubstr("bytes="));
    EXPECT_NE(ranges()[1], ranges()[2]);
}

TEST_F(Hubs, a_pull_that_gave_up_is_continued_by_the_next) {
    options.attempts = 1;
    fake.break_after = 1;
    ASSERT_FALSE(pull());
    EXPECT_FALSE(store.find("m"));
    const auto manifest = pull();
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(stored(), content);
    EXPECT_THAT(ranges().back(), HasSubstr("bytes="));
}

TEST_F(Hubs, a_part_of_other_content_is_not_continued) {
    options.attempts = 1;
    fake.break_after = 1;
    ASSERT_FALSE(pull());
    content = "GGUF" + std::string(90'000, 'z');
    fake.put(file_name, content);
    ASSERT_TRUE(pull());
    EXPECT_EQ(stored(), content);
    EXPECT_EQ(ranges().back(), "");
}

TEST_F(Hubs, a_part_that_was_tampered_with_ends_in_a_wrong_hash_and_is_thrown_away) {
    options.attempts = 1;
    fake.break_after = 1;
    ASSERT_FALSE(pull());
    std::fstream(folder / "m" / (std::string(file_name) + ".part"), std::ios::in | std::ios::out | std::ios::binary).seekp(10).put('!');
    const auto refused = pull();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "hash_mismatch");
    ASSERT_TRUE(pull());
    EXPECT_EQ(stored(), content);
}

TEST_F(Hubs, a_server_without_ranges_begins_anew) {
    options.attempts = 2;
    fake.break_after = 1;
    fake.ignore_ranges = true;
    const auto manifest = pull();
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(stored(), content);
}

TEST_F(Hubs, a_wrong_hash_is_corrupt_and_leaves_nothing) {
    fake.stated_hash = std::string(64, '0');
    const auto refused = pull();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(stored(), "(nothing)");
    EXPECT_TRUE(store.list().empty());
}

TEST_F(Hubs, what_is_no_gguf_is_refused) {
    fake.put(file_name, "<html>not a model</html>");
    const auto refused = pull();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(stored(), "(nothing)");
}

TEST_F(Hubs, a_gate_is_denied_and_tells_what_to_do) {
    fake.token = "secret";
    const auto refused = pull();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::denied);
    EXPECT_THAT(refused.error().message, HasSubstr("HF_TOKEN"));
}

TEST_F(Hubs, the_token_opens_the_gate_and_never_reaches_the_other_server) {
    fake.token = "secret";
    options.token = "secret";
    ASSERT_TRUE(pull());
    for (const auto& seen : fake.seen()) EXPECT_EQ(seen.authorization, seen.cdn ? "" : "Bearer secret");
}

TEST_F(Hubs, a_busy_hub_is_asked_again) {
    fake.busy = 1;
    fake.failing = 1;
    EXPECT_TRUE(pull());
    fake.busy = 100;
    const auto refused = pull("hf:org/repo", "n");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::overloaded);
}

TEST_F(Hubs, what_is_not_there_is_not_found) {
    EXPECT_EQ(pull("hf:org/other").error().kind, base::ErrorKind::not_found);
    EXPECT_EQ(pull("hf:org/repo:none.gguf").error().kind, base::ErrorKind::not_found);
}

TEST_F(Hubs, all_parts_of_a_split_model_are_fetched) {
    fake.put("big-00001-of-00002.gguf", "GGUF-one");
    fake.put("big-00002-of-00002.gguf", "GGUF-two");
    const auto manifest = pull("hf:org/repo:big-00001-of-00002.gguf", "");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->name, "big");
    ASSERT_EQ(manifest->files.size(), 2U);
    EXPECT_EQ(store.path("big")->filename(), "big-00001-of-00002.gguf");
    EXPECT_TRUE(store.verify("big"));
}

TEST_F(Hubs, a_full_disk_is_told_before_the_first_byte) {
    options.disk_reserve = 1ULL << 60;
    const auto refused = pull();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "disk_full");
    EXPECT_TRUE(ranges().empty());
}

TEST_F(Hubs, two_pulls_of_one_model_do_not_meet) {
    const auto held = store.hold("m");
    ASSERT_TRUE(held);
    EXPECT_EQ(pull().error().code, "model_busy");
}

TEST_F(Hubs, a_hub_that_is_away_is_unavailable) {
    options.endpoint = "http://127.0.0.1:1";
    EXPECT_EQ(pull().error().kind, base::ErrorKind::unavailable);
}

}  // namespace
}  // namespace hanse::catalog
