// SPDX-License-Identifier: Apache-2.0
// Names on their way out and back: what a back end sees, and what the caller gets.
#include "veil.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "stage.hpp"
#include "veil_stream.hpp"

namespace hanse::api {
namespace {

using testing::HasSubstr;
using testing::Not;

const privacy::Directory house{.people = {{.given = "Anna", .family = "Brinkmann"}, {.given = "Björn", .family = "Lürssen"}},
                               .projects = {{.name = "Seepferd"}}};

struct Veiled {
    Veiled() : veil(Veil::open(recogniser(), random, base::Language::english).value()) {}
    static const privacy::Recogniser& recogniser() {
        static const auto made = privacy::Recogniser::create({.directory = house}).value();
        return *made;
    }
    base::SeededRandom random{11};
    std::unique_ptr<Veil> veil;
};

std::string pseudonym_in(const std::string& text, const std::string& word = "PERSON") {
    std::smatch match;
    return std::regex_search(text, match, std::regex(word + "_[0-9]+_[A-Z2-9]{10}")) ? match.str() : "none in " + text;
}

TEST(Veil, covers_texts_tool_arguments_and_their_answers) {
    Veiled v;
    const std::string body =
        R"({"model":"m","messages":[{"role":"user","content":"Frau Brinkmann?"},{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"find","arguments":"{\"who\":\"Bj\u00f6rn L\u00fcrssen\",\"iban\":\"DE89370400440532013000\"}"}}]},{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"L\u00fcrssen sitzt neben Brinkmann"}]}],"temperature":0.50})";
    const auto out = v.veil->cover(body);
    ASSERT_TRUE(out) << out.error().message;
    for (const char* name : {"Brinkmann", "rssen", "DE8937"}) EXPECT_THAT(*out, Not(HasSubstr(name)));
    EXPECT_THAT(*out, HasSubstr("\"temperature\":0.50"));
    EXPECT_TRUE(JsonDocument::parse(*out));
    const std::string back = v.veil->uncover(*out);
    EXPECT_THAT(back, HasSubstr("Frau Brinkmann?"));
    EXPECT_THAT(back, HasSubstr(R"(\"who\":\"Björn Lürssen\",\"iban\":\"DE89370400440532013000\")"));
}

TEST(Veil, leaves_a_body_without_findings_as_its_bytes) {
    Veiled v;
    const std::string body = R"( {"model" : "m", "messages":[{"content":"Wie sp\u00e4t ist es?"}], "x": 1.50 })";
    EXPECT_EQ(v.veil->cover(body).value(), body);
}

TEST(Veil, refuses_what_it_cannot_reach) {
    for (const char* messages :
         {R"([{"content":"`anna@example.org` geht nicht"}])", R"([{"content":"> Frau Brinkmann schrieb"}])",
          R"([{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}])",
          R"([{"content":"x","anna@example.org":"y"}])", R"([{"content":"x","tool_call_id":"DE89370400440532013000"}])",
          R"([{"content":"x","iban":4111111111111111}])"}) {
        Veiled v;
        const auto out = v.veil->cover(std::string(R"({"model":"m","messages":)") + messages + "}");
        ASSERT_FALSE(out) << messages;
        EXPECT_EQ(out.error().code, "label_denied") << messages;
    }
}

// Each way to cut the same stream gives the same answer.
TEST(VeilStream, puts_names_in_again_however_events_and_bytes_are_cut) {
    Veiled v;
    const std::string name = pseudonym_in(v.veil->cover(R"({"c":"Frau Brinkmann"})").value());
    base::SeededRandom random(5);
    for (int turn = 0; turn < 300; ++turn) {
        const std::string answer = "Stop. " + name + "s Antwort an " + name + ", PERSON_9_AAAAAAAAAA, stop";
        std::string stream;
        for (std::size_t at = 0; at < answer.size();) {
            const std::size_t size = 1 + random.next() % 7;
            stream += "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + answer.substr(at, size) +
                      "\"},\"finish_reason\":null}]}\n\n";
            at += size;
        }
        stream += "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        VeilStream names(*v.veil);
        std::string out;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t size = 1 + random.next() % 200;
            out += names.feed(std::string_view(stream).substr(at, size));
            at += size;
        }
        out += names.finish();
        std::string text;
        const std::regex content("\"content\":\"([^\"]*)\"");
        for (auto at = std::sregex_iterator(out.begin(), out.end(), content); at != std::sregex_iterator(); ++at) text += (*at)[1];
        ASSERT_EQ(text, "Stop. Brinkmanns Antwort an Brinkmann, PERSON_9_AAAAAAAAAA, stop") << out;
        ASSERT_LT(out.rfind("\"content\""), out.find("\"stop\"")) << "all of the text comes before its end";
        ASSERT_TRUE(out.ends_with("data: [DONE]\n\n"));
    }
}

TEST(VeilStream, keeps_choices_and_tool_calls_apart) {
    Veiled v;
    const std::string name = pseudonym_in(v.veil->cover(R"({"c":"Frau Brinkmann"})").value());
    const std::string front = name.substr(0, 8), back = name.substr(8);
    const auto event = [](const std::string& choices) { return "data: {\"choices\":[" + choices + "]}\n\n"; };
    std::string stream = event(R"({"index":0,"delta":{"content":")" + front + R"("}},{"index":1,"delta":{"content":"P"}})");
    stream += event(R"({"index":1,"delta":{"content":"ott"},"finish_reason":"stop"})");
    stream += event(R"({"index":0,"delta":{"content":")" + back + R"("}})");
    stream += event(R"({"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"to\":\")" + front + R"("}}]}})");
    stream += event(R"({"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":")" + back +
                    R"(\"}"}}]},"finish_reason":"tool_calls"})");
    VeilStream names(*v.veil);
    std::string out = names.feed(stream);
    out += names.finish();
    EXPECT_THAT(out, HasSubstr(R"("index":1,"delta":{"content":"Pott"})"));
    EXPECT_THAT(out, HasSubstr(R"("index":0,"delta":{"content":"Brinkmann"})"));
    EXPECT_THAT(out, HasSubstr(R"("arguments":"{\"to\":\""}})"));
    EXPECT_THAT(out, HasSubstr(R"("arguments":"Brinkmann\"}"})"));
}

TEST(VeilStream, restores_the_events_of_responses) {
    Veiled v;
    const std::string name = pseudonym_in(v.veil->cover(R"({"c":"Frau Brinkmann"})").value());
    const std::string at = R"("item_id":"m1","output_index":0,"content_index":0,)";
    std::string stream = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"," + at + "\"delta\":\"an " +
                         name.substr(0, 5) + "\"}\n\n";
    stream += "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"," + at + "\"delta\":\"" + name.substr(5) +
              " p\"}\n\n";
    stream +=
        "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\"," + at + "\"text\":\"an " + name + " p\"}\n\n";
    VeilStream names(*v.veil);
    std::string out = names.feed(stream);
    out += names.finish();
    EXPECT_THAT(out, HasSubstr("\"delta\":\"Brinkmann \"}"));
    EXPECT_THAT(
        out, HasSubstr("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"," + at + "\"delta\":\"p\"}\n\n"));
    EXPECT_THAT(out, HasSubstr("\"text\":\"an Brinkmann p\""));
}

// --- Through the whole room -----------------------------------------------------------------------------------------

Stage::Options options_of_the_house(bool recogniser = true) {
    Stage::Options options;
    options.policy =
        "version = 1\nstandard = \"customers\"\n[house]\nname = \"acme\"\nin = \"DE\"\n"
        "[[kinds]]\nname = \"customers\"\npreset = \"personal\"\nafter = [\"pseudonymise\"]\n"
        "[[kinds]]\nname = \"accounts\"\npreset = \"trade-secret\"\n"
        "[[content]]\nname = \"money\"\nfinds = [\"iban\"]\nkind = \"accounts\"\n"
        "[[places]]\nname = \"elsewhere\"\nsort = \"backend\"\nreceivers = [\"acme\"]\nplace = \"EU\"\ncontrol = \"EU\"\nkeep = "
        "\"none\"\nlearn = \"no\"\ncontents = [\"pseudonymous\"]\n"
        "[[places]]\nname = \"local\"\nsort = \"model\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = "
        "\"none\"\nlearn = \"no\"\ncontents = [\"personal\", \"trade-secret\"]\n"
        "[[places]]\nname = \"answer\"\nsort = \"caller\"\nreceivers = [\"acme\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = "
        "\"none\"\nlearn = \"no\"\ncontents = [\"personal\", \"trade-secret\"]\n";
    if (recogniser) options.directory = house;
    return options;
}
std::string ask(const std::string& text) { return R"({"model":"far","messages":[{"role":"user","content":")" + text + "\"}]}"; }

TEST(Veil, content_decides_the_label_and_the_label_what_leaves) {
    Stage stage(options_of_the_house());
    stage.upstream->pieces = {R"({"choices":[{"message":{"content":"Gern."}}]})"};
    const auto harmless = stage.post("/v1/chat/completions", ask("Wie spät ist es?"));
    EXPECT_EQ(harmless->status, 200U) << harmless->body;
    EXPECT_THAT(stage.upstream->sent.back().body, HasSubstr("Wie spät ist es?"));
    EXPECT_EQ(harmless->headers.get("hanse-pseudonyms"), "nothing replaced");

    const auto personal = stage.post("/v1/chat/completions", ask("Was will Frau Brinkmann?"));
    EXPECT_EQ(personal->status, 200U) << personal->body;
    EXPECT_THAT(stage.upstream->sent.back().body, Not(HasSubstr("Brinkmann")));
    EXPECT_THAT(stage.upstream->sent.back().body, HasSubstr(pseudonym_in(stage.upstream->sent.back().body)));
    EXPECT_EQ(personal->headers.get("hanse-pseudonyms"), "replaced person 1; 1 pseudonym");
    EXPECT_THAT(std::string(personal->headers.get("hanse-label")), HasSubstr("content=personal")) << "the answer is about the person";

    const auto sent = stage.upstream->sent.size();
    const auto secret = stage.post("/v1/chat/completions", ask("Konto DE89370400440532013000 von Frau Brinkmann"));
    EXPECT_EQ(secret->status, 403U) << "accounts may not leave in any dress";
    EXPECT_EQ(stage.upstream->sent.size(), sent);
}

TEST(Veil, internal_data_goes_under_pseudonyms_where_people_are_found_in_it) {
    auto options = options_of_the_house();
    options.policy.replace(options.policy.find("standard = \"customers\""), 22, "standard = \"internal\"");
    options.policy += "[[content]]\nname = \"people\"\nfinds = [\"person\", \"name\", \"email\"]\nkind = \"customers\"\n";
    Stage stage(options);
    stage.upstream->pieces = {R"({"choices":[{"message":{"content":"Gern."}}]})"};
    EXPECT_EQ(stage.post("/v1/chat/completions", ask("Wie hoch ist der Mast?"))->headers.get("hanse-pseudonyms"), "");
    const auto personal = stage.post("/v1/chat/completions", ask("Was will Frau Brinkmann?"));
    EXPECT_EQ(personal->status, 200U) << personal->body;
    EXPECT_THAT(stage.upstream->sent.back().body, Not(HasSubstr("Brinkmann")));
    EXPECT_EQ(personal->headers.get("hanse-pseudonyms"), "replaced person 1; 1 pseudonym");
    // What decide tells beforehand.
    const auto told = stage.post("/v1/hanse/decide", R"({"model":"far","request":)" + ask("Was will Frau Brinkmann?") + "}");
    EXPECT_THAT(told->body, HasSubstr(R"("outcome":"permit after","prompt":{"outcome":"permit after","after":["pseudonymise"])"));
    EXPECT_THAT(stage.post("/v1/hanse/decide", R"({"model":"far","request":)" + ask("Wie hoch?") + "}")->body,
                HasSubstr(R"("outcome":"permit")"));
    EXPECT_EQ(stage.post("/v1/hanse/decide", R"({"model":"far","request":7})")->status, 400U);
    EXPECT_EQ(stage.upstream->sent.size(), 2U);
}

TEST(Veil, long_texts_are_looked_through_beside_the_listeners_threads) {
    auto options = options_of_the_house();
    options.desk.long_prompt = 64;
    Stage stage(options);
    stage.upstream->pieces = {R"({"choices":[{"message":{"content":"Gern."}}]})"};
    const auto exchange = stage.post("/v1/chat/completions", ask("Was will Frau Brinkmann? " + std::string(100, 'x')));
    while (exchange->status == 0) stage.run();
    EXPECT_EQ(exchange->status, 200U) << exchange->body;
    EXPECT_THAT(stage.upstream->sent.back().body, Not(HasSubstr("Brinkmann")));
    const auto secret = stage.post("/v1/chat/completions", ask("Konto DE89370400440532013000 " + std::string(100, 'x')));
    while (secret->status == 0) stage.run();
    EXPECT_EQ(secret->status, 403U);
    EXPECT_EQ(stage.upstream->sent.size(), 1U);
}

TEST(Veil, nothing_leaves_without_a_recogniser) {
    Stage stage(options_of_the_house(false));
    EXPECT_EQ(stage.post("/v1/chat/completions", ask("Was will Frau Brinkmann?"))->status, 503U);
    EXPECT_TRUE(stage.upstream->sent.empty());
}

TEST(Veil, nothing_leaves_that_pseudonyms_do_not_reach) {
    Stage stage(options_of_the_house());
    const auto refused = stage.post("/v1/chat/completions", ask("`anna@example.org` geht nicht"));
    EXPECT_EQ(refused->status, 403U);
    EXPECT_THAT(refused->body, HasSubstr("label_denied"));
    EXPECT_THAT(refused->body, Not(HasSubstr("anna@")));
    EXPECT_TRUE(stage.upstream->sent.empty());
}

}  // namespace
}  // namespace hanse::api
