// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hanse::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

struct Model {
    std::string name;
    std::uint32_t context = 0;
};

struct Sample {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8420;
    bool cors = false;
    std::vector<std::string> origins;
    std::chrono::milliseconds idle{75'000};
    std::uint64_t memory = 0;
    int level = 1;
    std::vector<Model> models;
    std::vector<std::pair<std::string, std::string>> names;
};

Result<Sample> read(std::string_view text, const Environment& environment = {}) {
    Sample sample;
    auto done = read_config(text, "hanse.toml", "HANSE", environment, [&](ConfigTable& root) {
        root.table("server", [&](ConfigTable& server) {
            server.text("address", sample.address);
            server.integer("port", sample.port, 0, 65535);
            server.boolean("cors", sample.cors);
            server.texts("origins", sample.origins);
            server.duration("idle", sample.idle, std::chrono::milliseconds{1}, std::chrono::hours{1});
            server.bytes("memory", sample.memory);
            server.choice<int>("level", sample.level, {{"info", 1}, {"warning", 2}});
            server.map("names", sample.names);
        });
        root.tables("models", "name", [&](ConfigTable& table) {
            Model& model = sample.models.emplace_back();
            table.text("name", model.name);
            table.integer("context", model.context, 0, 1 << 20);
        });
    });
    if (!done) return std::unexpected(done.error());
    return sample;
}

std::string refusal(std::string_view text, const Environment& environment = {}) {
    const auto result = read(text, environment);
    return result ? "accepted" : result.error().message;
}

TEST(Config, reads_values_and_keeps_defaults) {
    const auto sample = read("[server]\naddress = \"::1\"\ncors = true\norigins = [\"a\", \"b\"]\nidle = \"5m\"\nmemory = \"2GiB\"\nlevel = \"warning\"\n"
                             "[server.names]\nx = \"y\"\n[[models]]\nname = \"one\"\ncontext = 4096\n[[models]]\nname = \"two\"\n");
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_EQ(sample->address, "::1");
    EXPECT_EQ(sample->port, 8420);
    EXPECT_TRUE(sample->cors);
    EXPECT_THAT(sample->origins, ElementsAre("a", "b"));
    EXPECT_EQ(sample->idle, std::chrono::minutes{5});
    EXPECT_EQ(sample->memory, 2ULL << 30);
    EXPECT_EQ(sample->level, 2);
    EXPECT_THAT(sample->names, ElementsAre(Pair("x", "y")));
    ASSERT_EQ(sample->models.size(), 2U);
    EXPECT_EQ(sample->models[0].context, 4096U);
}

TEST(Config, an_unknown_key_is_refused_with_line_and_nearest_key) {
    EXPECT_EQ(refusal("[server]\n\nprot = 1\n"), "hanse.toml:3: unknown key server.prot; did you mean server.port?");
    EXPECT_EQ(refusal("[sever]\nport = 1\n"), "hanse.toml:1: unknown key sever; did you mean server?");
    EXPECT_EQ(refusal("[[models]]\nname = \"one\"\nkontext = 1\n"), "hanse.toml:3: unknown key models.one.kontext; did you mean models.one.context?");
    EXPECT_EQ(refusal("zzzzzzzzzzzz = 1\n"), "hanse.toml:1: unknown key zzzzzzzzzzzz");
}

TEST(Config, a_wrong_type_is_refused_with_both_types) {
    EXPECT_EQ(refusal("[server]\nport = \"8420\"\n"), "hanse.toml:2: server.port must be a whole number, but is a text");
    EXPECT_EQ(refusal("server = 1\n"), "hanse.toml:1: server must be a table, but is a whole number");
    EXPECT_EQ(refusal("[models]\nname = \"x\"\n"), "hanse.toml:1: models must be a list of tables: write [[models]]");
    EXPECT_EQ(refusal("[server]\norigins = [1]\n"), "hanse.toml:2: server.origins must be a list of texts, but is a list");
}

TEST(Config, a_value_out_of_range_is_refused_with_the_range) {
    EXPECT_EQ(refusal("[server]\nport = 70000\n"), "hanse.toml:2: server.port is 70000, but must be between 0 and 65535");
    EXPECT_THAT(refusal("[server]\nidle = \"2h\"\n"), HasSubstr("hanse.toml:2: server.idle must be between"));
    EXPECT_THAT(refusal("[server]\nlevel = \"loud\"\n"), HasSubstr("must be one of \"info\", \"warning\""));
}

TEST(Config, all_mistakes_are_told_in_the_files_order) {
    EXPECT_EQ(refusal("x = 1\n[server]\ncors = 2\nport = -1\n"),
              "hanse.toml:1: unknown key x\nhanse.toml:3: server.cors must be true or false, but is a whole number\n"
              "hanse.toml:4: server.port is -1, but must be between 0 and 65535");
}

TEST(Config, text_that_is_not_toml_names_line_and_column) { EXPECT_THAT(refusal("[server]\nport = = 1\n"), HasSubstr("hanse.toml:2:8: this is not TOML")); }

TEST(Config, variables_override_the_file) {
    const auto sample = read("[server]\nport = 1\n[[models]]\nname = \"eurollm-9b\"\ncontext = 1\n",
                             {{"HANSE_SERVER_PORT", "99"}, {"HANSE_SERVER_ORIGINS", "a,b"}, {"HANSE_SERVER_CORS", "true"}, {"HANSE_MODELS_EUROLLM_9B_CONTEXT", "512"}});
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_EQ(sample->port, 99);
    EXPECT_TRUE(sample->cors);
    EXPECT_THAT(sample->origins, ElementsAre("a", "b"));
    EXPECT_EQ(sample->models[0].context, 512U);
}

TEST(Config, a_wrong_variable_is_named) {
    EXPECT_EQ(refusal("", {{"HANSE_SERVER_PORT", "many"}}), "variable HANSE_SERVER_PORT must be a whole number");
    EXPECT_EQ(refusal("", {{"HANSE_SERVER_PORT", "70000"}}), "variable HANSE_SERVER_PORT is 70000, but must be between 0 and 65535");
    EXPECT_EQ(refusal("", {{"HANSE_SERVER_PROT", "1"}}), "variable HANSE_SERVER_PROT overrides no key; did you mean HANSE_SERVER_PORT?");
}

TEST(Config, variables_of_other_purposes_are_left_alone) { EXPECT_EQ(refusal("", {{"HANSE_CACHE", "/x"}, {"HANSE_SERVERLESS", "1"}}), "accepted"); }

TEST(Config, entries_need_names_that_differ) {
    EXPECT_EQ(refusal("[[models]]\ncontext = 1\n"), "hanse.toml:1: models needs a name in each entry");
    EXPECT_THAT(refusal("[[models]]\nname = \"a-b\"\n[[models]]\nname = \"a_b\"\n"), HasSubstr("hanse.toml:4: models has \"a_b\" twice"));
}

TEST(Config, sizes_and_durations_have_units) {
    EXPECT_EQ(parse_bytes("40GB"), 40'000'000'000ULL);
    EXPECT_EQ(parse_bytes("12"), 12ULL);
    EXPECT_FALSE(parse_bytes("12XB"));
    EXPECT_FALSE(parse_bytes("-1"));
    EXPECT_FALSE(parse_bytes("18446744073709551615TiB"));
    EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
    EXPECT_EQ(parse_duration("7d"), std::chrono::days{7});
    EXPECT_FALSE(parse_duration("soon"));
}

TEST(Config, nothing_near_is_not_guessed) {
    EXPECT_EQ(nearest_word("adress", {"address", "port"}), "address");
    EXPECT_EQ(nearest_word("telemetry", {"address", "port"}), "");
}

}  // namespace
}  // namespace hanse::base
