// SPDX-License-Identifier: Apache-2.0
#include "engine/event_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace hanse::engine {
namespace {

TextEvent text(std::string value) { return TextEvent{std::move(value), 1, {}}; }

TEST(EventStream, joins_text_that_was_not_fetched) {
    EventStream stream;
    stream.push(text("Moin"));
    stream.push(text(" moin"));
    auto events = stream.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<TextEvent>(events[0]).text, "Moin moin");
    EXPECT_EQ(std::get<TextEvent>(events[0]).tokens, 2U);
    EXPECT_TRUE(stream.take().empty());
}

TEST(EventStream, wakes_the_reader_once_until_it_takes) {
    int calls = 0;
    EventStream stream([&] { ++calls; });
    stream.push(text("a"));
    stream.push(text("b"));
    EXPECT_EQ(calls, 1);
    stream.take();
    stream.push(text("c"));
    EXPECT_EQ(calls, 2);
}

TEST(EventStream, accepts_nothing_after_the_end) {
    EventStream stream;
    stream.push(FinishEvent{});
    stream.push(text("late"));
    stream.push(ErrorEvent{});
    auto events = stream.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<FinishEvent>(events[0]));
}

TEST(EventStream, counts_as_abandoned_past_its_bound_and_still_takes_the_end) {
    EventStream stream({}, 8);
    stream.push(text("12345"));
    EXPECT_FALSE(stream.cancelled());
    stream.push(text("6789"));
    EXPECT_TRUE(stream.cancelled());
    stream.push(ErrorEvent{base::Error{base::ErrorKind::cancelled, "the reader went away"}});
    auto events = stream.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<ErrorEvent>(events[0]).error.kind, base::ErrorKind::cancelled);
}

TEST(EventStream, reading_makes_room_again) {
    EventStream stream({}, 8);
    for (int round = 0; round < 10; ++round) {
        stream.push(text("1234567"));
        EXPECT_EQ(stream.take().size(), 1U);
    }
    EXPECT_FALSE(stream.cancelled());
}

TEST(EventStream, a_wake_up_set_late_hears_of_what_waits) {
    EventStream stream;
    stream.push(text("a"));
    int calls = 0;
    stream.on_ready([&] { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST(EventStream, loses_nothing_between_two_threads) {
    EventStream stream;
    constexpr int count = 20'000;
    std::thread writer([&] {
        for (int i = 0; i < count; ++i) stream.push(text("x"));
        stream.push(FinishEvent{});
    });
    std::size_t read = 0;
    for (bool ended = false; !ended;) {
        for (auto& event : stream.take()) {
            if (auto* piece = std::get_if<TextEvent>(&event)) read += piece->text.size();
            else ended = true;
        }
    }
    writer.join();
    EXPECT_EQ(read, static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace hanse::engine
