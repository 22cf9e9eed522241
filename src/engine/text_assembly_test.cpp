// SPDX-License-Identifier: Apache-2.0
#include "text_assembly.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/encoding.hpp"

namespace hanse::engine {
namespace {

struct Result {
    std::string text;
    std::optional<std::string> stopped;
};

Result assemble(const std::vector<std::string>& pieces, std::vector<std::string> stop = {}) {
    TextAssembly assembly(std::move(stop));
    Result result;
    for (const auto& piece : pieces) {
        std::string out;
        assembly.feed(piece, out);
        EXPECT_TRUE(base::is_valid_utf8(out));
        result.text += out;
    }
    if (!assembly.stopped()) assembly.finish(result.text);
    result.stopped = assembly.stopped();
    return result;
}

TEST(TextAssembly, waits_for_whole_characters) {
    TextAssembly assembly({});
    std::string out;
    assembly.feed("L\xc3", out);
    EXPECT_EQ(out, "L");
    assembly.feed("\xbc" "beck", out);
    EXPECT_EQ(out, "Lübeck");
}

TEST(TextAssembly, a_character_that_never_came_whole_is_replaced) {
    EXPECT_EQ(assemble({"a\xe4\xbd"}).text, "a\xef\xbf\xbd");
    EXPECT_EQ(assemble({"a\xff" "b"}).text, "a\xef\xbf\xbd" "b");
}

TEST(TextAssembly, stops_before_a_stop_string_over_pieces) {
    auto result = assemble({"one ", "st", "o", "p two"}, {"stop"});
    EXPECT_EQ(result.text, "one ");
    EXPECT_EQ(result.stopped, "stop");
}

TEST(TextAssembly, hands_on_what_only_looked_like_a_stop_string) {
    auto result = assemble({"sto", "ry st", "or", "m"}, {"stop", "storms"});
    EXPECT_EQ(result.text, "story storm");
    EXPECT_FALSE(result.stopped);
}

TEST(TextAssembly, the_first_of_several_stop_strings_counts) {
    EXPECT_EQ(assemble({"a b c"}, {"c", "b"}).stopped, "b");
    EXPECT_EQ(assemble({"a b c"}, {"", "zz"}).text, "a b c");
}

TEST(TextAssembly, pieces_make_no_difference) {
    std::mt19937 random(9);
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (auto i = random() % 30; i > 0; --i) text += random() % 4 ? std::string(1, "ab\n"[random() % 3]) : std::string("ü");
        std::vector<std::string> stop{"aba", "b\nb", "üa"};
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size();) {
            auto length = 1 + random() % 4;
            pieces.push_back(text.substr(at, length));
            at += length;
        }
        auto whole = assemble({text}, stop);
        auto parts = assemble(pieces, stop);
        ASSERT_EQ(whole.text.size(), std::min({text.find("aba"), text.find("b\nb"), text.find("üa"), text.size()}));
        // Which of two overlapping stop strings is seen first may depend on the pieces; nothing of either leaks.
        ASSERT_TRUE(whole.text == parts.text || (whole.stopped && parts.stopped && parts.text.starts_with(whole.text))) << text;
    }
}

}  // namespace
}  // namespace hanse::engine
