// SPDX-License-Identifier: Apache-2.0
#include "node/partner_config.hpp"

#include <gtest/gtest.h>

#include "node/default_config.hpp"

namespace hanse::node {
namespace {

TEST(PartnerConfig, without_a_file_listens_on_loopback_and_offers_nothing) {
    const auto config = parse_partner_config("", "federation.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->address, "127.0.0.1");
    EXPECT_EQ(config->port, 8421);
    EXPECT_TRUE(config->offers.empty());
}

TEST(PartnerConfig, reads_offers_and_a_quantum_device) {
    const auto config = parse_partner_config(R"(
address = "0.0.0.0"
[[offers]]
model = "eurollm-9b"
skills = ["translation"]
languages = ["de", "en"]
answer_price = 200000
only = ["bolt"]
[qkd]
url = "https://kme.example"
certificate = "node.pem"
key = "node.key"
method = "get"
members = { bolt = "sae-bolt" }
demanded = ["bolt"]
)",
                                             "/etc/hanse/federation.toml");
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->offers.size(), 1U);
    EXPECT_EQ(config->offers[0].skills, std::vector<std::string>{"translation"});
    EXPECT_EQ(config->offers[0].answer_price, 200'000U);
    EXPECT_EQ(config->qkd.certificate, "/etc/hanse/node.pem");
    EXPECT_TRUE(config->qkd.get);
    EXPECT_EQ(config->qkd.members.front().second, "sae-bolt");
}

TEST(PartnerConfig, that_the_commands_write_says_nothing_and_knows_every_key_that_it_shows) {
    for (const auto language : {base::Language::english, base::Language::german}) {
        std::string text = default_partner_config(language);
        const auto plain = parse_partner_config(text, "federation.toml");
        ASSERT_TRUE(plain) << plain.error().message;
        EXPECT_EQ(*plain, PartnerConfig{});
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
            if (text[at] == '#' && text[at + 1] != ' ') text.erase(at, 1);
        const auto all = parse_partner_config(text, "/etc/hanse/federation.toml");
        ASSERT_TRUE(all) << all.error().message;
        EXPECT_EQ(all->offers.size(), 1U);
        EXPECT_EQ(all->qkd.demanded, std::vector<std::string>{"bolt"});
    }
}

TEST(PartnerConfig, names_each_mistake_with_its_line) {
    const auto config = parse_partner_config(
        "adress = \"0.0.0.0\"\n[[offers]]\nmodel = \"m\"\nskill = [\"x\"]\n[qkd]\nurl = \"http://kme.example\"\n", "federation.toml");
    ASSERT_FALSE(config);
    for (const std::string_view said : {"federation.toml:1", "adress", "skill", "https", "certificate"})
        EXPECT_TRUE(config.error().message.contains(said)) << config.error().message;
}

}  // namespace
}  // namespace hanse::node
