// SPDX-License-Identifier: Apache-2.0
#include "federation/wire/frame.hpp"

#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace hanse::federation::wire {
namespace {

base::Bytes filled(std::size_t size, unsigned from) {
    base::Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(from + i);
    return bytes;
}
template <std::size_t N>
std::array<std::byte, N> block(unsigned from) {
    std::array<std::byte, N> bytes{};
    std::ranges::copy(filled(N, from), bytes.begin());
    return bytes;
}

// One of each, with every field set; the messages of version 1 as their samples have them.
std::vector<Message> one_of_each() {
    return {
        Hello{1, 1, block<32>(1), "acme", "acme-1", block<16>(9), 3, block<32>(2), 1'795'521'600'123, 64, 4'194'304, "hanse 0.1"},
        Ping{7},
        Pong{7, 1'795'521'600'123},
        Problem{"flood", "too much"},
        Goodbye{"shutdown"},
        CharterAsk{2},
        CharterGive{"hanse-charter v1\n"},
        CharterProposal{"hanse-charter v1\n"},
        OfferSummary{{{"acme", 3}, {"bolt", 300}}},
        OfferAsk{{"acme", "bolt"}},
        OfferGive{"hanse-offers v1\n"},
        CheckpointGive{"acme", "acme.example/log\n1\n"},
        ConsistencyAsk{3, 400},
        ConsistencyGive{3, 400, {block<32>(3), block<32>(4)}},
        Task{block<16>(1),
             "chat",
             "law",
             "public; integrity=own",
             "answer",
             1,
             filled(20, 0),
             1'795'521'600'123,
             30'000,
             5'000,
             512,
             262'144,
             3,
             "00-trace-01",
             {"hr_1", "hr_2"}},
        Tokens{4, filled(9, 65), 2},
        Done{5, "finished", "public; integrity=member", "receipt", 10, 20, 5, "law-7b"},
        Refused{Refusal::overloaded, 1'500},
        Cancel{"caller"},
        Credit{131'072},
        Settled{block<16>(1), "hr_3"},
        JoinAsk{block<16>(5), block<32>(6), "member clinic", block<32>(7)},
        JoinTerms{"hanse-charter v1\n", block<32>(8), {"one"}},
        JoinConsent{"ed25519:AA== ml-dsa-65:AA=="},
        JoinDone{{"one", "two"}},
    };
}

base::Result<std::optional<Message>> read(std::span<const std::byte> bytes) {
    FrameReader reader;
    reader.add(bytes);
    const auto frame = reader.next();
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) return base::fail(base::ErrorKind::invalid, "not whole");
    return decode(**frame);
}
base::Bytes written(const Message& message, Stream stream = 0) {
    base::Bytes bytes;
    encode(message, stream, bytes);
    return bytes;
}
// A frame with this payload.
base::Bytes frame_of(std::uint8_t type, std::initializer_list<unsigned> payload) {
    base::Bytes bytes(header_size);
    bytes[3] = static_cast<std::byte>(payload.size());
    bytes[4] = static_cast<std::byte>(type);
    for (const unsigned each : payload) bytes.push_back(static_cast<std::byte>(each));
    return bytes;
}

TEST(Frame, reads_every_message_as_it_was_written) {
    for (const auto& message : one_of_each()) {
        const auto again = read(written(message, 9));
        ASSERT_TRUE(again && *again) << name(message) << (again ? "" : again.error().message);
        EXPECT_TRUE(**again == message) << name(message);
    }
}

// Samples are written once and stay: what a node of that version says is understood by every later build. With
// HANSE_WRITE_SAMPLES a new version's are made.
TEST(Frame, reads_the_samples_of_every_version) {
    const std::filesystem::path folder = "test/federation/samples/v1";
    std::size_t read_samples = 0;
    for (const auto& message : one_of_each()) {
        const auto path = folder / (std::string(name(message)) + ".bin");
        if (std::getenv("HANSE_WRITE_SAMPLES") && !std::filesystem::exists(path)) {
            const auto bytes = written(message, 9);
            std::ofstream(path, std::ios::binary)
                .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        }
        std::ifstream file(path, std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        ASSERT_FALSE(text.empty()) << path;
        const auto again = read(base::bytes_of(text));
        ASSERT_TRUE(again && *again) << path;
        EXPECT_TRUE(**again == message) << path;
        ++read_samples;
    }
    EXPECT_EQ(read_samples, std::variant_size_v<Message>);
}

TEST(Frame, comes_in_pieces_of_any_size) {
    base::Bytes all;
    for (const auto& message : one_of_each()) encode(message, 3, all);
    for (const std::size_t piece : {1uz, 7uz, 100uz}) {
        FrameReader reader;
        std::size_t count = 0;
        for (std::size_t begin = 0; begin < all.size(); begin += piece) {
            reader.add(std::span(all).subspan(begin, std::min(piece, all.size() - begin)));
            while (true) {
                const auto frame = reader.next();
                ASSERT_TRUE(frame);
                if (!*frame) break;
                EXPECT_TRUE(decode(**frame).value().has_value());
                ++count;
            }
        }
        EXPECT_EQ(count, std::variant_size_v<Message>);
    }
}

TEST(Frame, passes_over_an_optional_field_of_a_later_version) {
    const auto ping = read(frame_of(2, {2, 1, 5, 40, 2, 1, 1}));
    ASSERT_TRUE(ping && *ping);
    EXPECT_EQ(std::get<Ping>(**ping).nonce, 5u);
}

TEST(Frame, refuses_a_mandatory_field_that_it_does_not_know) {
    const auto ping = read(frame_of(2, {2, 1, 5, 41, 1, 1}));
    ASSERT_FALSE(ping);
    EXPECT_EQ(ping.error().code, "unknown_field");
}

TEST(Frame, passes_over_a_message_that_may_be_and_refuses_another) {
    const auto skipped = read(frame_of(200, {1, 2, 3}));
    ASSERT_TRUE(skipped);
    EXPECT_FALSE(*skipped);
    EXPECT_EQ(read(frame_of(99, {})).error().code, "unknown_message");
}

TEST(Frame, has_one_form_only) {
    EXPECT_FALSE(read(frame_of(2, {2, 1, 5, 2, 1, 6}))) << "a field twice";
    EXPECT_FALSE(read(frame_of(3, {4, 1, 5, 2, 1, 6}))) << "out of order";
    EXPECT_FALSE(read(frame_of(2, {2, 2, 0x85, 0}))) << "a number that is not in its shortest form";
    EXPECT_FALSE(read(frame_of(2, {2, 2, 5, 5}))) << "something after a number";
    EXPECT_FALSE(read(frame_of(2, {2, 9, 5}))) << "longer than there is";
    EXPECT_FALSE(read(frame_of(2, {0, 1, 5}))) << "there is no field 0";
    EXPECT_FALSE(read(frame_of(4, {2, 1, 0xff}))) << "not UTF-8";
    EXPECT_FALSE(read(frame_of(19, {3, 1, 9}))) << "no such refusal";
}

TEST(Frame, refuses_what_is_too_large_before_it_has_come) {
    base::Bytes head(header_size);
    head[0] = std::byte{1};  // 16 MiB
    head[4] = std::byte{16};
    FrameReader reader;
    reader.add(head);
    const auto frame = reader.next();
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind, base::ErrorKind::too_large);
    EXPECT_FALSE(reader.next()) << "and stays broken";
}

TEST(Frame, lets_a_task_be_as_large_as_the_limit_says) {
    Task task{.body = base::Bytes(1'000)};
    const auto bytes = written(task);
    FrameReader reader({.ask_bytes_max = 999});
    reader.add(bytes);
    const auto frame = reader.next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_FALSE(decode(**frame, {.ask_bytes_max = 999}));
    EXPECT_TRUE(decode(**frame, {.ask_bytes_max = 1'000}));
}

}  // namespace
}  // namespace hanse::federation::wire
