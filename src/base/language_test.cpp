// SPDX-License-Identifier: Apache-2.0
#include "base/language.hpp"

#include <gtest/gtest.h>

namespace hanse::base {
namespace {

TEST(Language, locales_are_understood) {
    EXPECT_EQ(language_of("de_AT.UTF-8"), Language::german);
    EXPECT_EQ(language_of("de"), Language::german);
    EXPECT_EQ(language_of("en-GB"), Language::english);
    EXPECT_EQ(language_of("C.UTF-8"), Language::english);
    EXPECT_FALSE(language_of("fi_FI"));
    EXPECT_FALSE(language_of("demotic"));
}

TEST(Language, variables_count_in_posix_order) {
    EXPECT_EQ(language_from({{"LANG", "de_DE.UTF-8"}}), Language::german);
    EXPECT_EQ(language_from({{"LANG", "de_DE.UTF-8"}, {"LC_ALL", "C"}}), Language::english);
    EXPECT_EQ(language_from({{"LANG", "en_GB"}, {"LC_MESSAGES", "de"}, {"LC_ALL", ""}}), Language::german);
    EXPECT_EQ(language_from({{"LANG", "en_GB"}, {"HANSE_LANG", "de"}}), Language::german);
    EXPECT_EQ(language_from({{"LANG", "fi_FI"}}), Language::english);
    EXPECT_EQ(language_from({}), Language::english);
}

}  // namespace
}  // namespace hanse::base
