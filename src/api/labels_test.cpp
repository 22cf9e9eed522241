// SPDX-License-Identifier: Apache-2.0
// Labels as callers meet them: what they say, what they get, and what never moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stage.hpp"

namespace hanse::api {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string question = R"({"model":"fake","messages":[{"role":"user","content":"Hi"}]})";
const std::string question_far = R"({"model":"far","messages":[{"role":"user","content":"Hi"}]})";

// The upstream of the stage is a processor in the EU for internal data.
Stage::Options house() {
    Stage::Options options;
    options.policy = label::profile_text(label::Profile::mittelstand, "acme", "DE") +
                     "[[places]]\nname = \"elsewhere\"\nsort = \"backend\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep "
                     "= \"none\"\nlearn = \"no\"\n"
                     "[[places]]\nname = \"visitor\"\nsort = \"caller\"\n";
    return options;
}
std::string header(const FakeExchange& exchange, std::string_view name) { return std::string(exchange.headers.get(name)); }

TEST(Labels, an_answer_carries_the_label_of_what_it_was_made_of) {
    Stage stage(house());
    EXPECT_THAT(header(*stage.post("/v1/chat/completions", question), "hanse-label"), HasSubstr("owner=acme readers=acme place=EU"));
    EXPECT_THAT(header(*stage.post("/v1/chat/completions", question, {{"hanse-label", "personnel"}}), "hanse-label"),
                HasSubstr("place=house"));
    stage.upstream->pieces = {"{}"};
    EXPECT_THAT(header(*stage.post("/v1/chat/completions", question_far), "hanse-label"), HasSubstr("owner=acme"));
}

TEST(Labels, a_stream_says_its_label_in_the_header_and_beside_the_usage) {
    Stage stage(house());
    const auto exchange =
        stage.post("/v1/chat/completions",
                   R"({"model":"fake","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]})");
    EXPECT_THAT(header(*exchange, "hanse-label"), HasSubstr("owner=acme"));
    EXPECT_THAT(exchange->body, HasSubstr(R"(,"hanse_label":"owner=acme readers=acme place=EU)"));
}

TEST(Labels, a_denial_is_403_with_reason_and_remedy_and_nothing_is_sent) {
    Stage stage(house());
    const auto exchange = stage.post("/v1/chat/completions", question_far, {{"hanse-label", "personnel"}});
    EXPECT_EQ(exchange->status, 403U);
    EXPECT_THAT(exchange->body, HasSubstr(R"("code":"label_denied")"));
    EXPECT_THAT(exchange->body, HasSubstr("acme keeps this inside house:acme; elsewhere runs in EU; what would help: "));
    EXPECT_TRUE(stage.upstream->sent.empty());
    EXPECT_EQ(header(*exchange, "hanse-label"), "");
    const auto german =
        stage.post("/v1/chat/completions", question_far, {{"hanse-label", "personnel"}, {"accept-language", "de-DE,de;q=0.9"}});
    EXPECT_THAT(german->body, HasSubstr("was helfen würde"));
}

TEST(Labels, no_endpoint_is_a_way_around) {
    Stage stage(house());
    for (const auto& [path, body] :
         std::vector<std::pair<std::string, std::string>>{{"/v1/chat/completions", question},
                                                          {"/v1/completions", R"({"model":"fake","prompt":"a"})"},
                                                          {"/v1/responses", R"({"model":"fake","input":"a"})"},
                                                          {"/v1/embeddings", R"({"model":"fake","input":"a"})"},
                                                          {"/v1/rerank", R"({"model":"fake","query":"a","documents":["b"]})"}}) {
        const auto exchange = stage.post(path, body, {{"hanse-label", "top"}});
        EXPECT_EQ(exchange->status, 403U) << path;
        EXPECT_THAT(exchange->body, HasSubstr("label_denied")) << path;
    }
    for (const char* path : {"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/rerank"})
        EXPECT_EQ(stage.post(path, question_far, {{"hanse-label", "trade-secret"}})->status, 403U) << path;
    EXPECT_TRUE(stage.upstream->sent.empty());
    EXPECT_TRUE(stage.model->requests().empty());
}

TEST(Labels, an_unknown_word_is_refused_and_never_skipped) {
    Stage stage(house());
    const auto exchange = stage.post("/v1/chat/completions", question, {{"hanse-label", "personel"}});
    EXPECT_EQ(exchange->status, 400U);
    EXPECT_THAT(exchange->body, HasSubstr(R"("param":"Hanse-Label","code":"unknown_word")"));
}

TEST(Labels, a_key_has_a_label_a_ceiling_and_a_place) {
    Stage stage(house());
    const auto ask = [&](task::KeyFacts facts, std::string_view label) {
        const auto key = stage.keys->create(std::move(facts));
        std::vector<std::pair<std::string, std::string>> headers{{"authorization", "Bearer " + key->secret}};
        if (!label.empty()) headers.emplace_back("hanse-label", label);
        return stage.post("/v1/chat/completions", question, headers);
    };
    EXPECT_THAT(header(*ask({.name = "payroll", .label = "personnel"}, ""), "hanse-label"), HasSubstr("place=house"));
    EXPECT_THAT(header(*ask({.name = "payroll", .label = "personnel"}, "public"), "hanse-label"), HasSubstr("place=house"));
    EXPECT_EQ(ask({.name = "narrow", .ceiling = "internal"}, "personnel")->status, 403U);
    // To a guest a refusal looks like a model that is not there.
    const auto guest = ask({.name = "guest", .place = "visitor"}, "");
    EXPECT_EQ(guest->status, 404U);
    EXPECT_THAT(guest->body, HasSubstr("there is no model fake here"));
    EXPECT_THAT(guest->body, Not(HasSubstr("acme")));
    EXPECT_EQ(ask({.name = "guest", .label = "public", .place = "visitor"}, "")->status, 200U);
}

TEST(Labels, a_stored_response_hands_its_label_on) {
    Stage stage(house());
    const auto id_of = [](const FakeExchange& exchange) {
        return exchange.body.substr(exchange.body.find("resp_"),
                                    exchange.body.find('"', exchange.body.find("resp_")) - exchange.body.find("resp_"));
    };
    const auto first = stage.post("/v1/responses", R"({"model":"fake","input":"a"})", {{"hanse-label", "personnel"}});
    ASSERT_EQ(first->status, 200U) << first->body;
    const auto second = stage.post("/v1/responses", R"({"model":"fake","input":"b","previous_response_id":")" + id_of(*first) + R"("})");
    ASSERT_EQ(second->status, 200U) << second->body;
    EXPECT_THAT(header(*second, "hanse-label"), HasSubstr("place=house"));
    EXPECT_THAT(header(*stage.get("/v1/responses/" + id_of(*first)), "hanse-label"), HasSubstr("place=house"));
    EXPECT_EQ(stage.get("/v1/responses/" + id_of(*first), {{"hanse-label", "nonsense"}})->status, 400U);
    // The upstream's model may not have what the first answer was made of, and an owner who wants nothing kept has it so.
    const auto secret = stage.post("/v1/responses", R"({"model":"fake","input":"a"})", {{"hanse-label", "trade-secret"}});
    ASSERT_EQ(secret->status, 200U) << secret->body;
    EXPECT_EQ(stage.get("/v1/responses/" + id_of(*secret))->status, 404U);
}

TEST(Labels, a_stored_response_is_not_shown_under_rules_that_forbid_it) {
    Stage stage(house());
    const auto first = stage.post("/v1/responses", R"({"model":"fake","input":"a"})", {{"hanse-label", "personnel"}});
    const auto at = first->body.find("resp_");
    const auto id = first->body.substr(at, first->body.find('"', at) - at);
    stage.desk.rules(Stage::rules_of(label::profile_text(label::Profile::open, "acme", "DE") +
                                     "[[rules]]\nname = \"r\"\ncontents = [\"personal\"]\nplaces = [\"answer\"]\n"));
    EXPECT_EQ(stage.get("/v1/responses/" + id)->status, 403U);
}

TEST(Labels, cached_prefixes_are_parted_by_label) {
    Stage stage(house());
    for (const char* label : {"internal", "internal", "personnel", "trade-secret", "trade-secret"})
        stage.post("/v1/chat/completions", question, {{"hanse-label", label}});
    const auto requests = stage.model->requests();
    ASSERT_EQ(requests.size(), 5U);
    EXPECT_EQ(requests[0].partition, requests[1].partition);
    EXPECT_NE(requests[0].partition, requests[2].partition);
    // Nothing may be kept: not even the same caller finds it again.
    EXPECT_NE(requests[3].partition, requests[4].partition);
}

TEST(Decide, tells_what_would_happen_and_sends_nothing) {
    Stage stage(house());
    const auto far = stage.post("/v1/hanse/decide", R"({"model":"far","label":"personnel"})");
    EXPECT_EQ(far->status, 200U);
    EXPECT_THAT(far->body, HasSubstr(R"({"object":"hanse.decision","outcome":"deny","prompt":{"outcome":"deny")"));
    EXPECT_THAT(far->body, HasSubstr(R"("place":"elsewhere")"));
    EXPECT_THAT(far->body, HasSubstr(R"("answer":{"outcome":"permit")"));
    EXPECT_THAT(stage.post("/v1/hanse/decide", R"({"model":"fake"})", {{"hanse-label", "personnel"}})->body,
                HasSubstr(R"("outcome":"permit","prompt":)"));
    EXPECT_THAT(stage.post("/v1/hanse/decide", R"({"place":"eu-cloud","label":"customers"})")->body,
                HasSubstr(R"("outcome":"permit after","prompt":)"));
    EXPECT_THAT(stage.post("/v1/hanse/decide", R"({"place":"eu-cloud","use":"quality, learning own-adapter"})")->body,
                HasSubstr(R"("outcome":"permit")"));
    EXPECT_TRUE(stage.upstream->sent.empty());
    EXPECT_TRUE(stage.model->requests().empty());
}

TEST(Decide, goes_by_the_key_that_asks) {
    Stage stage(house());
    const auto decided = [&](task::KeyFacts facts, const char* body) {
        return stage.post("/v1/hanse/decide", body, {{"authorization", "Bearer " + stage.keys->create(std::move(facts))->secret}});
    };
    EXPECT_EQ(decided({.name = "narrow", .ceiling = "internal"}, R"({"model":"fake","label":"personnel"})")->status, 403U);
    EXPECT_EQ(decided({.name = "wide"}, R"({"model":"fake","label":"personnel"})")->status, 200U);
    const auto guest = decided({.name = "guest", .place = "visitor"}, R"({"model":"fake"})");
    EXPECT_EQ(guest->status, 404U);
    EXPECT_EQ(guest->body, decided({.name = "guest too", .models = {"far"}}, R"({"model":"fake"})")->body);
    EXPECT_EQ(decided({.name = "guest", .place = "visitor"}, R"({"place":"local"})")->status, 404U);
    EXPECT_THAT(decided({.name = "guest", .label = "public", .place = "visitor"}, R"({"model":"fake"})")->body,
                HasSubstr(R"("outcome":"permit")"));
    EXPECT_EQ(decided({.name = "other", .models = {"far"}}, R"({"model":"fake"})")->status, 404U);
}

TEST(Decide, refuses_what_it_cannot_read) {
    Stage stage(house());
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({})")->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", "{")->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"fake"})", {{"hanse-label", "nonsense"}})->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"fake","place":"local"})")->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"fake","use":"spying"})")->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"fake","label":"nonsense"})")->status, 400U);
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"nobody"})")->status, 404U);
    EXPECT_EQ(stage.get("/v1/hanse/decide")->status, 400U + 5U);
}

}  // namespace
}  // namespace hanse::api
