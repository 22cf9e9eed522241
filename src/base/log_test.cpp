// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hanse::base {
namespace {

TEST(JsonLinesLog, writes_one_line_of_data_and_escapes_what_could_forge_another) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    json_lines_log(ends[1], LogLevel::info)->info("model_loaded", {{"model", "a\"b\nc"}, {"bytes", std::int64_t{12}}, {"warm", true}});
    ::close(ends[1]);
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
    ::close(ends[0]);
    EXPECT_TRUE(text.contains(R"("level":"info","event":"model_loaded","model":"a\"b\nc","bytes":12,"warm":true})")) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

}  // namespace
}  // namespace hanse::base
