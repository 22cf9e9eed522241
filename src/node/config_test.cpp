// SPDX-License-Identifier: Apache-2.0
#include "node/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/default_config.hpp"

namespace hanse::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

base::Result<Config> parse(std::string_view text, const base::Environment& environment = {}) { return parse_config(text, "hanse.toml", "/etc/hanse", environment); }

std::string refusal(std::string_view text, const base::Environment& environment = {}) {
    const auto config = parse(text, environment);
    return config ? "accepted" : config.error().message;
}

// The proposal with every "#key" made a key: "api_key_env" and files that do not exist apart.
std::string uncommented(base::Language language) {
    const std::string text = default_config(language);
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        std::string line = text.substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (line.starts_with('#') && !line.starts_with("# ")) line.erase(0, 1);
        if (!line.starts_with("api_key_")) out += line + "\n";
    }
    return out;
}

TEST(NodeConfig, nothing_gives_a_private_node_without_keys) {
    const auto config = parse("");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(*config, Config{});
    EXPECT_FALSE(config->needs_keys());
}

TEST(NodeConfig, the_proposed_file_changes_nothing_as_it_is) {
    for (const auto language : {base::Language::english, base::Language::german}) {
        const auto config = parse(default_config(language));
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(*config, Config{});
    }
}

TEST(NodeConfig, every_key_of_the_proposed_file_exists) {
    for (const auto language : {base::Language::english, base::Language::german}) {
        const auto config = parse(uncommented(language));
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->server.port, 8420);
        EXPECT_EQ(config->models.size(), 1U);
        EXPECT_EQ(config->upstreams.size(), 1U);
        // The values shown are the defaults.
        ModelConfig model = config->models[0];
        model.name = model.draft = model.chat_template_file = model.ngrams = "";
        model.adapters.clear();
        EXPECT_EQ(model, ModelConfig{});
        EXPECT_EQ(config->limits, LimitsConfig{});
    }
}

TEST(NodeConfig, both_languages_propose_the_same_keys) {
    const auto keys = [](const std::string& text) {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::string line = text.substr(at, text.find('\n', at) - at);
            at += line.size() + 1;
            if (!line.starts_with("# ")) out += line + "\n";
        }
        return out;
    };
    EXPECT_EQ(keys(default_config(base::Language::english)), keys(default_config(base::Language::german)));
    EXPECT_NE(default_config(base::Language::english), default_config(base::Language::german));
}

TEST(NodeConfig, beyond_this_machine_needs_tls_or_a_word) {
    EXPECT_THAT(refusal("[server]\naddress = \"0.0.0.0\"\n"), HasSubstr("beyond this machine, without TLS: set server.tls_certificate"));
    const auto plain = parse("[server]\naddress = \"0.0.0.0\"\nallow_plain_http = true\n");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE(plain->needs_keys());
    EXPECT_THAT(refusal("[server]\naddress = \"::\"\ntls_certificate = \"a\"\ntls_key = \"b\"\n[keys]\nrequired = \"never\"\n"), HasSubstr("set server.allow_no_keys = true"));
    const auto open = parse("[server]\naddress = \"::\"\ntls_certificate = \"a\"\ntls_key = \"b\"\nallow_no_keys = true\n");
    ASSERT_TRUE(open) << open.error().message;
    EXPECT_FALSE(open->needs_keys());
    EXPECT_EQ(open->server.tls_key, "/etc/hanse/b");
}

TEST(NodeConfig, loopback_is_known_in_its_forms) {
    EXPECT_TRUE(is_loopback("127.0.0.1"));
    EXPECT_TRUE(is_loopback("127.8.9.1"));
    EXPECT_TRUE(is_loopback("::1"));
    EXPECT_TRUE(is_loopback("localhost"));
    EXPECT_FALSE(is_loopback("0.0.0.0"));
    EXPECT_FALSE(is_loopback("127.0.0.1.example.org"));
    EXPECT_FALSE(is_loopback("10.0.0.1"));
    EXPECT_FALSE(is_loopback(""));
}

TEST(NodeConfig, a_name_is_given_once_across_models_and_upstreams) {
    EXPECT_THAT(refusal("[[models]]\nname = \"a\"\n[[upstreams]]\nname = \"u\"\nurl = \"http://127.0.0.1:1/v1\"\nmodels = [\"a\"]\n"), HasSubstr("name the model a twice"));
}

TEST(NodeConfig, an_upstream_needs_an_address_and_models) {
    EXPECT_THAT(refusal("[[upstreams]]\nname = \"u\"\nurl = \"ftp://x\"\nmodels = [\"a\"]\n"), HasSubstr("hanse.toml:3: upstreams.u.url must be an address"));
    EXPECT_THAT(refusal("[[upstreams]]\nname = \"u\"\nurl = \"http://127.0.0.1:1/v1\"\n"), HasSubstr("must name at least one model"));
}

TEST(NodeConfig, a_key_comes_from_a_variable_but_only_if_it_is_set) {
    const std::string text = "[[upstreams]]\nname = \"u\"\nurl = \"http://127.0.0.1:1/v1\"\nmodels = [\"a\"]\napi_key_env = \"U_KEY\"\n";
    const auto config = parse(text, {{"U_KEY", "secret"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->upstreams[0].api_key, "secret");
    EXPECT_THAT(refusal(text), HasSubstr("names the variable U_KEY, which is not set"));
}

TEST(NodeConfig, variables_reach_every_section) {
    const auto config = parse("[[models]]\nname = \"m.1\"\nfile = \"m.gguf\"\n", {{"HANSE_SERVER_PORT", "0"},
                                                                                   {"HANSE_LIMITS_DRAIN", "1s"},
                                                                                   {"HANSE_LOGGING_LEVEL", "warning"},
                                                                                   {"HANSE_KEYS_REQUIRED", "always"},
                                                                                   {"HANSE_MODELS_M_1_CONTEXT", "2048"},
                                                                                   {"HANSE_DATA", "/elsewhere"},
                                                                                   {"HANSE_CONFIG", "/x"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->server.port, 0);
    EXPECT_EQ(config->limits.drain, std::chrono::seconds{1});
    EXPECT_EQ(config->log_level, base::LogLevel::warning);
    EXPECT_TRUE(config->needs_keys());
    EXPECT_EQ(config->models[0].context, 2048U);
    EXPECT_EQ(config->models[0].file, "/etc/hanse/m.gguf");
}

TEST(NodeConfig, what_needs_a_restart_is_named) {
    Config wanted;
    wanted.server.port = 1;
    wanted.log_level = base::LogLevel::debug;
    EXPECT_THAT(needs_restart(Config{}, wanted), ElementsAre("server"));
}

TEST(NodeConfig, records_are_kept_for_six_months_or_for_ever) {
    EXPECT_EQ(parse("[journal]\nretention = \"184d\"")->journal.retention, std::chrono::days(184));
    EXPECT_THAT(refusal("[journal]\nretention = \"183d\""), HasSubstr("six months"));
    EXPECT_EQ(refusal("[journal]\nretention = \"0s\""), "accepted");
}

TEST(NodeConfig, a_token_is_named_by_a_uri_without_its_pin) {
    EXPECT_EQ(refusal("[identity]\ntoken = \"pkcs11:token=hanse;object=identity\""), "accepted");
    EXPECT_THAT(refusal("[identity]\ntoken = \"pkcs11:token=hanse?pin-value=1234\""), HasSubstr("without a PIN"));
    EXPECT_THAT(refusal("[identity]\ntoken = \"/dev/token\""), HasSubstr("PKCS #11"));
}

TEST(NodeConfig, files_of_witnesses_lie_beside_the_configuration) {
    const auto config = parse("[journal]\nwitnesses = \"w.policy\"\n[witness]\nlogs = \"logs.keys\"");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->journal.witnesses, "/etc/hanse/w.policy");
    EXPECT_EQ(config->witness.logs, "/etc/hanse/logs.keys");
    EXPECT_THAT(needs_restart(Config{}, *config), ElementsAre("journal", "witness"));
}

}  // namespace
}  // namespace hanse::node
