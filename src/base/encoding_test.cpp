// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace hanse::base {
namespace {

// RFC 4648, section 10.
TEST(Base64, encodes_the_examples_of_the_standard) {
    EXPECT_EQ(base64(bytes_of("")), "");
    EXPECT_EQ(base64(bytes_of("f")), "Zg==");
    EXPECT_EQ(base64(bytes_of("fo")), "Zm8=");
    EXPECT_EQ(base64(bytes_of("foo")), "Zm9v");
    EXPECT_EQ(base64(bytes_of("foob")), "Zm9vYg==");
    EXPECT_EQ(base64(bytes_of("fooba")), "Zm9vYmE=");
    EXPECT_EQ(base64(bytes_of("foobar")), "Zm9vYmFy");
    EXPECT_EQ(base64url(bytes_of("\xff\xfe")), "__4");
}

TEST(Hex, comes_back_as_it_went) {
    SeededRandom random(7);
    for (std::size_t size = 0; size < 64; ++size) {
        Bytes bytes(size);
        random.fill(bytes);
        EXPECT_EQ(from_hex(hex(bytes)), bytes);
    }
    EXPECT_FALSE(from_hex("abc"));
    EXPECT_FALSE(from_hex("zz"));
}

TEST(Utf8, accepts_what_is_well_formed) {
    EXPECT_TRUE(is_valid_utf8("Grüße, 世界 🌍"));
    EXPECT_TRUE(is_valid_utf8(""));
    EXPECT_TRUE(is_valid_utf8("\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, rejects_overlong_forms_surrogates_and_what_lies_beyond) {
    for (const char* text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\x80", "\xc3", "\xe2\x82"})
        EXPECT_FALSE(is_valid_utf8(text)) << hex(bytes_of(text));
}

TEST(Utf8, holds_back_an_unfinished_character_only) {
    EXPECT_EQ(whole_utf8_prefix("abc"), 3u);
    EXPECT_EQ(whole_utf8_prefix("ab\xe2\x82"), 2u);
    EXPECT_EQ(whole_utf8_prefix("ab\xf0\x9f\x8c"), 2u);
    EXPECT_EQ(whole_utf8_prefix("ab\xf0\x9f\x8c\x8d"), 6u);
    EXPECT_EQ(whole_utf8_prefix("ab\xff"), 3u) << "what can never become a character is not held back";
}

TEST(Utf8, repairs_anything_into_something_valid) {
    SeededRandom random(11);
    for (int round = 0; round < 2000; ++round) {
        Bytes bytes(random.next() % 24);
        random.fill(bytes);
        const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        const std::string repaired = repaired_utf8(text);
        EXPECT_TRUE(is_valid_utf8(repaired));
        if (is_valid_utf8(text)) {
            EXPECT_EQ(repaired, text);
        }
    }
    EXPECT_EQ(repaired_utf8("a\xe2\x82z"), "a\xef\xbf\xbdz");
}

TEST(Base64, decodes_only_what_it_would_write) {
    for (const char* text : {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "+/8="}) {
        const auto bytes = from_base64(text);
        ASSERT_TRUE(bytes) << text;
        EXPECT_EQ(base64(*bytes), text);
    }
    for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm 9", "Zm-_", "Zm9v\n"})
        EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace hanse::base
