// SPDX-License-Identifier: Apache-2.0
#include "remote_answer.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "federation/task_kinds.hpp"

namespace hanse::federation {
namespace {

TEST(AnswerHead, comes_back_as_it_was_said_with_the_fields_that_mean_something_there) {
    net::Headers headers;
    headers.add("content-type", "text/event-stream");
    headers.add("hanse-receipt", "hr_00");
    headers.add("x-request-id", "req_of_that_house");
    const std::string said = answer_head(200, headers) + "data: x\n\n";
    const auto read = read_answer_head(said);
    ASSERT_TRUE(read && *read);
    EXPECT_EQ((*read)->status, 200U);
    EXPECT_EQ((*read)->headers.get("content-type"), "text/event-stream");
    EXPECT_EQ((*read)->headers.get("hanse-receipt"), "hr_00");
    EXPECT_FALSE((*read)->headers.has("x-request-id"));
    EXPECT_EQ(said.substr((*read)->size), "data: x\n\n");
}

TEST(AnswerHead, is_waited_for_while_it_is_not_there_whole) {
    const std::string said = answer_head(404, {});
    for (std::size_t size = 0; size < said.size(); ++size) {
        const auto read = read_answer_head(said.substr(0, size));
        EXPECT_TRUE(read && !*read) << size;
    }
    EXPECT_TRUE(read_answer_head(said).value());
}

// The end of an answer, with what its receipt is worth.
std::string end_of(unsigned status, std::string must_prove, std::optional<FarReceipt> receipt) {
    boost::asio::io_context context;
    auto answer = std::make_shared<RemoteAnswer>();
    if (receipt) answer->proven(std::move(*receipt));
    answer->end();
    const auto stream = remote_stream(answer, {.status = status}, "data", [](std::size_t) {}, [](bool) {}, std::move(must_prove));
    std::string ended;
    boost::asio::co_spawn(
        context,
        [&]() -> boost::asio::awaitable<void> {
            const auto whole = co_await stream->read_all(100);
            ended = whole ? *whole : whole.error().code;
        },
        [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    context.run();
    return ended;
}

TEST(RemoteStream, ends_well_only_with_the_proof_that_the_charter_demands) {
    EXPECT_EQ(end_of(200, "bolt", FarReceipt{.id = "hr_1"}), "data");
    EXPECT_EQ(end_of(200, "bolt", FarReceipt{.unverified = "bolt gave no receipt"}), "partner_unproven");
    EXPECT_EQ(end_of(200, "bolt", std::nullopt), "partner_unproven");
    EXPECT_EQ(end_of(200, "", FarReceipt{.unverified = "bolt gave no receipt"}), "data") << "not demanded";
    EXPECT_EQ(end_of(400, "bolt", FarReceipt{.unverified = "bolt gave no receipt"}), "data") << "refused, so no record";
}

TEST(AnswerHead, that_is_none_or_never_ends_is_refused) {
    for (const std::string& bad : {std::string("\n\n"), std::string("200 OK\n\n"), std::string("99\n\n"), std::string("1000\n\n"),
                                   std::string("200\nno colon\n\n"), std::string(answer_head_max + 1, '2')})
        EXPECT_FALSE(read_answer_head(bad)) << bad.substr(0, 20);
}

TEST(TaskKinds, are_the_requests_that_they_stand_for) {
    EXPECT_EQ(path_of_kind("chat"), "/v1/chat/completions");
    EXPECT_EQ(kind_of_path("/chat/completions"), "chat");
    EXPECT_EQ(path_of_kind("../metrics"), "");
    EXPECT_EQ(kind_of_path("/models"), "");
}

class RemoteAnswerTest : public ::testing::Test {
protected:
    std::optional<base::Result<std::string>> next(RemoteAnswer& answer) {
        std::optional<base::Result<std::string>> got;
        boost::asio::co_spawn(context, answer.next(), [&](std::exception_ptr thrown, base::Result<std::string> result) {
            ASSERT_FALSE(thrown);
            got = std::move(result);
        });
        context.restart();
        context.poll();
        return got;
    }
    static base::Bytes bytes(std::string_view text) {
        const auto view = base::bytes_of(text);
        return {view.begin(), view.end()};
    }
    boost::asio::io_context context{1};
    std::shared_ptr<RemoteAnswer> answer = std::make_shared<RemoteAnswer>();
};

TEST_F(RemoteAnswerTest, gives_all_that_has_come_and_then_the_end) {
    answer->push(bytes("one "));
    answer->push(bytes("two"));
    answer->end();
    EXPECT_EQ(next(*answer)->value(), "one two");
    EXPECT_TRUE(answer->ended_well());
    EXPECT_EQ(next(*answer)->value(), "");
}

TEST_F(RemoteAnswerTest, tells_an_error_only_after_what_came_before_it) {
    answer->push(bytes("half"));
    answer->end({base::ErrorKind::unavailable, "broke", "partner_broken", {}, {}});
    answer->end();  // the first word counts
    EXPECT_EQ(next(*answer)->value(), "half");
    EXPECT_EQ(next(*answer)->error().code, "partner_broken");
    EXPECT_FALSE(answer->ended_well());
}

TEST_F(RemoteAnswerTest, wakes_the_reader_who_waits) {
    std::optional<base::Result<std::string>> got;
    boost::asio::co_spawn(context, answer->next(), [&](std::exception_ptr, base::Result<std::string> result) { got = std::move(result); });
    context.poll();
    EXPECT_FALSE(got);
    answer->push(bytes("now"));
    context.restart();
    context.poll();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->value(), "now");
}

}  // namespace
}  // namespace hanse::federation
