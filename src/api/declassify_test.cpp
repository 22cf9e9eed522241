// SPDX-License-Identifier: Apache-2.0
// What an owner has signed, as callers present it and requests go by it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "label/declassify.hpp"
#include "stage.hpp"
#include "task/fake_signer.hpp"

namespace hanse::api {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string letter = R"({"model":"far","messages":[{"role":"user","content":"Anna earns 4711"}]})";
const std::string letter_here = R"({"model":"fake","messages":[{"role":"user","content":"Anna earns 4711"}]})";
const task::FakeSigner& anna() {
    static const task::FakeSigner made(21);
    return made;
}

// What comes in is personnel data, which stays in the house; internal data may go to the back end.
Stage::Options house() {
    Stage::Options options;
    options.policy = "version = 1\nstandard = \"personnel\"\n[house]\nname = \"acme\"\nin = \"DE\"\npeople = [\"anna\"]\n" +
                     anna().toml("anna") +
                     "[[kinds]]\nname = \"personnel\"\npreset = \"personal\"\nplace = \"house\"\ncontrol = \"house\"\n"
                     "[[kinds]]\nname = \"note\"\npreset = \"internal\"\npurpose = [\"answer\"]\nlearn = \"no\"\n"
                     "[[places]]\nname = \"local\"\nsort = \"model\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = "
                     "\"house\"\ncontents = [\"personal\"]\nkeep = \"none\"\nlearn = \"no\"\n"
                     "[[places]]\nname = \"answer\"\nsort = \"caller\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = "
                     "\"house\"\ncontents = [\"personal\"]\nkeep = \"none\"\nlearn = \"no\"\n"
                     "[[places]]\nname = \"visitor\"\nsort = \"caller\"\nreceivers = [\"all\"]\nkeep = \"none\"\nlearn = \"no\"\n"
                     "[[places]]\nname = \"elsewhere\"\nsort = \"backend\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep "
                     "= \"none\"\nlearn = \"no\"\n";
    return options;
}

struct Asked : Stage {
    Asked() : Stage(house()) { upstream->pieces = {R"({"choices":[]})"}; }
    std::string statement(const std::string& body, label::Scope scope = label::Scope::once, std::string_view from = "personnel",
                          std::string_view to = "note") {
        const auto& policy = desk.rules()->policy();
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count();
        label::SignedDeclassification all{{.digest = task::digest_of(body),
                                           .from = policy.label(from).value(),
                                           .to = policy.label(to).value(),
                                           .reason = "she asked for it",
                                           .scope = scope,
                                           .expiry = now + 60,
                                           .signer = policy.house()}};
        anna().sign(all, "acme/anna", policy.words());
        return label::text(all, policy.words());
    }
    std::string present(const std::string& text) {
        const auto exchange = post("/v1/hanse/declassifications", text);
        const auto at = exchange->body.find("dcl_");
        return at == std::string::npos ? exchange->body : exchange->body.substr(at, 36);
    }
    std::shared_ptr<FakeExchange> ask(const std::string& body, const std::string& header) {
        return post("/v1/chat/completions", body, {{"hanse-declassification", header}});
    }
};

TEST(Declassified, a_request_goes_where_its_label_forbade_and_only_once) {
    Asked stage;
    EXPECT_EQ(stage.post("/v1/chat/completions", letter)->status, 403U);
    const std::string id = stage.present(stage.statement(letter));
    ASSERT_THAT(id, testing::StartsWith("dcl_"));
    EXPECT_TRUE(stage.upstream->sent.empty());
    const auto sent = stage.ask(letter, id);
    EXPECT_EQ(sent->status, 200U) << sent->body;
    ASSERT_EQ(stage.upstream->sent.size(), 1U);
    EXPECT_THAT(stage.upstream->sent.front().body, HasSubstr("4711"));
    EXPECT_THAT(std::string(sent->headers.get("hanse-label")), HasSubstr("content=none purpose=answer"));
    EXPECT_EQ(stage.upstream->sent.front().headers.get("hanse-declassification"), "");
    const auto again = stage.ask(letter, id);
    EXPECT_EQ(again->status, 403U);
    EXPECT_THAT(again->body, HasSubstr("declassification_refused"));
    EXPECT_EQ(stage.upstream->sent.size(), 1U);
}

TEST(Declassified, standing_statements_serve_until_they_expire) {
    Asked stage;
    const std::string id = stage.present(stage.statement(letter, label::Scope::standing));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(stage.ask(letter, id)->status, 200U);
    stage.clock.advance(std::chrono::seconds(60));
    EXPECT_THAT(stage.ask(letter, id)->body, HasSubstr("expired"));
}

TEST(Declassified, nothing_else_goes_by_a_statement) {
    Asked stage;
    const std::string id = stage.present(stage.statement(letter, label::Scope::standing));
    const std::string other = R"({"model":"far","messages":[{"role":"user","content":"Bert earns 4711"}]})";
    const auto refused = stage.ask(other, id);
    EXPECT_EQ(refused->status, 403U);
    EXPECT_THAT(refused->body, HasSubstr("another payload"));
    EXPECT_THAT(refused->body, HasSubstr("the request has the label owner=acme"));
    EXPECT_EQ(stage.ask(letter, "dcl_00000000000000000000000000000000")->status, 404U);
    EXPECT_EQ(stage.ask(letter, id + "," + id)->status, 403U);  // the second time it has another label
    std::string many = "dcl_1";
    for (int i = 0; i < 8; ++i) many += ",dcl_1";
    EXPECT_EQ(stage.ask(letter, many)->status, 404U);
    const auto stricter = stage.post("/v1/chat/completions", letter, {{"hanse-declassification", id}, {"hanse-label", "trade-secret"}});
    EXPECT_THAT(stricter->body, HasSubstr("another label"));
    EXPECT_TRUE(stage.upstream->sent.empty());
}

TEST(Declassified, a_statement_that_was_not_decided_with_is_not_used_up) {
    Asked stage;
    const std::string id = stage.present(stage.statement(letter));
    const std::string unknown = R"({"model":"nobody","messages":[]})";
    EXPECT_EQ(stage.ask(unknown, stage.present(stage.statement(unknown)))->status, 404U);
    stage.desk.drain();
    EXPECT_EQ(stage.ask(letter, id)->status, 503U);
    EXPECT_THAT(stage.present(stage.statement(letter)), testing::StartsWith("dcl_"));
}

TEST(Declassified, statements_that_do_not_hold_are_refused_when_presented) {
    Asked stage;
    EXPECT_THAT(stage.present("nonsense"), HasSubstr("line 1 of the declassification"));
    EXPECT_THAT(stage.present(stage.statement(letter, label::Scope::form)), HasSubstr("is not carried out by this node"));
    EXPECT_THAT(stage.present(stage.statement(letter, label::Scope::once, "note", "personnel")),
                HasSubstr("changes more than its signer's own terms"));
    auto forged = stage.statement(letter);
    forged.replace(forged.find("she asked"), 9, "he wanted");
    EXPECT_THAT(stage.present(forged), HasSubstr("a signature is not good"));
}

TEST(Declassified, an_outsider_is_not_told_how_things_are_labelled) {
    Asked stage;
    const auto key = stage.keys->create({.name = "guest", .place = "visitor"});
    ASSERT_TRUE(key);
    const auto refused =
        stage.post("/v1/chat/completions", letter, {{"hanse-declassification", "dcl_0"}, {"authorization", "Bearer " + key->secret}});
    EXPECT_EQ(refused->status, 404U);
    EXPECT_THAT(refused->body, Not(HasSubstr("owner=")));
}

TEST(Declassified, a_model_here_keeps_nothing_of_it) {
    Asked stage;
    const std::string body = R"({"model":"fake","input":"Anna earns 4711"})";
    const std::string id = stage.present(stage.statement(body, label::Scope::standing));
    const auto asked = stage.post("/v1/responses", body, {{"hanse-declassification", id}});
    EXPECT_EQ(asked->status, 200U);
    const auto at = asked->body.find("resp_");
    const auto again = stage.get("/v1/responses/" + asked->body.substr(at, asked->body.find('"', at) - at));
    EXPECT_EQ(again->status, 404U);
}

}  // namespace
}  // namespace hanse::api
