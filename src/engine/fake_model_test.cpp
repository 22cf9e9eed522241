// SPDX-License-Identifier: Apache-2.0
#include "engine/fake_model.hpp"

#include <gtest/gtest.h>

namespace hanse::engine {
namespace {

struct Answer {
    std::string text;
    std::optional<FinishEvent> finish;
    std::optional<base::Error> error;
};

Answer read(EventStream& stream) {
    Answer answer;
    for (auto& event : stream.take()) {
        if (auto* text = std::get_if<TextEvent>(&event)) answer.text += text->text;
        if (auto* finish = std::get_if<FinishEvent>(&event)) answer.finish = *finish;
        if (auto* error = std::get_if<ErrorEvent>(&event)) answer.error = error->error;
    }
    return answer;
}

TEST(FakeModel, answers_its_script) {
    FakeModel model({.answer = {"Moin", ", ", "moin"}});
    auto stream = std::make_shared<EventStream>();
    ASSERT_TRUE(model.submit({.prompt = model.tokenize("Hallo", true, false)}, stream));
    auto answer = read(*stream);
    EXPECT_EQ(answer.text, "Moin, moin");
    ASSERT_TRUE(answer.finish);
    EXPECT_EQ(answer.finish->usage.prompt_tokens, 5U);
    EXPECT_EQ(answer.finish->usage.completion_tokens, 3U);
}

TEST(FakeModel, ends_before_a_stop_string_that_spans_pieces) {
    FakeModel model({.answer = {"one t", "wo th", "ree"}});
    auto stream = std::make_shared<EventStream>();
    ASSERT_TRUE(model.submit({.prompt = {1}, .stop = {"two"}}, stream));
    auto answer = read(*stream);
    EXPECT_EQ(answer.text, "one ");
    EXPECT_EQ(answer.finish->stop_sequence, "two");
}

TEST(FakeModel, cuts_at_the_token_limit) {
    FakeModel model({.answer = {"a", "b", "c"}});
    auto stream = std::make_shared<EventStream>();
    ASSERT_TRUE(model.submit({.prompt = {1}, .max_tokens = 2}, stream));
    auto answer = read(*stream);
    EXPECT_EQ(answer.text, "ab");
    EXPECT_EQ(answer.finish->reason, FinishReason::length);
}

TEST(FakeModel, goes_by_hand_and_stops_when_cancelled) {
    FakeModel model({.answer = {"a", "b", "c"}, .pace = FakeModel::Pace::by_hand});
    auto stream = std::make_shared<EventStream>();
    ASSERT_TRUE(model.submit({.prompt = {1}}, stream));
    EXPECT_EQ(model.step(), 1U);
    EXPECT_EQ(read(*stream).text, "a");
    stream->cancel();
    EXPECT_EQ(model.step(), 0U);
    EXPECT_EQ(read(*stream).error->kind, base::ErrorKind::cancelled);
}

TEST(FakeModel, fails_where_its_script_says) {
    FakeModel model({.answer = {"a", "b", "c"}, .fail_after = 2});
    auto stream = std::make_shared<EventStream>();
    ASSERT_TRUE(model.submit({.prompt = {1}}, stream));
    auto answer = read(*stream);
    EXPECT_EQ(answer.text, "ab");
    EXPECT_EQ(answer.error->kind, base::ErrorKind::unavailable);
}

TEST(FakeModel, refuses_where_its_script_says) {
    FakeModel model({.refusal = base::Error{base::ErrorKind::overloaded, "full"}});
    auto submitted = model.submit({.prompt = {1}}, std::make_shared<EventStream>());
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().kind, base::ErrorKind::overloaded);
}

TEST(FakeModel, embeds_to_length_one) {
    FakeModel model;
    model.embed({{1, 2, 3}}, [](base::Result<EmbeddingResult> result) {
        ASSERT_TRUE(result);
        float sum = 0;
        for (auto value : result->vectors[0]) sum += value * value;
        EXPECT_NEAR(sum, 1.0F, 1e-5F);
    });
}

}  // namespace
}  // namespace hanse::engine
