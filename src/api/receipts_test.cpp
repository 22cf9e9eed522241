// SPDX-License-Identifier: Apache-2.0
// Durable before visible, and who may see a receipt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sim_disk.hpp"
#include "fields.hpp"
#include "stage.hpp"

namespace hanse::api {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string question = R"({"model":"fake","messages":[{"role":"user","content":"Hi"}]})";
const std::string streamed = R"({"model":"fake","stream":true,"messages":[{"role":"user","content":"Hi"}]})";
const std::string far = R"({"model":"far","messages":[{"role":"user","content":"Hi"}]})";
const std::string far_streamed = R"({"model":"far","stream":true,"messages":[{"role":"user","content":"Hi"}]})";

Stage::Options answering(std::vector<std::string> pieces) {
    Stage::Options options;
    options.model.answer = std::move(pieces);
    options.model.can_embed = options.model.can_rerank = true;
    return options;
}
std::string header(const FakeExchange& exchange, std::string_view name) { return std::string(exchange.headers.get(name)); }
std::string id_of(const task::FakeRecorder::Kept& kept) { return journal::text_of(kept.id); }

// The digest in a record: what a receipt shows of a text.
journal::SaltedDigest digest(std::string_view record, std::string_view field, std::size_t index = 0) {
    journal::SaltedDigest made;
    const auto document = JsonDocument::parse(record);
    Complaint complaint;
    const JsonPath top;
    Fields fields(document->root(), top, complaint);
    auto value = fields.any(field);
    if (value && value->is(JsonKind::array)) {
        value = value->first();
        for (; index > 0 && value; --index) value = value->next();
    }
    if (!value) return made;
    Fields digest_fields(*value, top, complaint);
    std::ranges::copy(*base::from_hex(digest_fields.required_string("salt")), made.salt.begin());
    std::ranges::copy(*base::from_hex(digest_fields.required_string("hmac_sha256")), made.hmac.begin());
    return made;
}

struct Way {
    std::string name, path, body;
};
class EachWay : public testing::TestWithParam<Way> {};

TEST_P(EachWay, no_end_of_an_answer_is_seen_before_its_record_is_on_disk) {
    Stage stage(answering({"All", " is well."}));
    stage.upstream->content_type = GetParam().body.contains("stream") ? "text/event-stream" : "application/json";
    stage.upstream->tells_length = GetParam().body.contains("far") && !GetParam().name.contains("pieces");
    stage.upstream->pieces = stage.upstream->content_type == "application/json"
                                 ? std::vector<std::string>{R"({"choices":[],)", R"("usage":{"prompt_tokens":3,"completion_tokens":5}})"}
                                 : std::vector<std::string>{"data: {\"a\":1}\n\n", "data: {\"b\":2}\n\n", "data: [DONE]\n\n"};
    stage.recorder.hold();
    const auto exchange = stage.post(GetParam().path, GetParam().body);
    EXPECT_FALSE(exchange->ended);
    EXPECT_THAT(exchange->body, Not(HasSubstr("[DONE]")));
    EXPECT_THAT(exchange->body, Not(HasSubstr("usage")));
    EXPECT_THAT(exchange->body, Not(HasSubstr("response.completed")));
    EXPECT_TRUE(stage.recorder.records().empty());
    stage.recorder.release();
    stage.run();
    ASSERT_TRUE(exchange->ended) << exchange->body;
    EXPECT_EQ(exchange->status, 200U);
    ASSERT_EQ(stage.recorder.records().size(), 1U);
    EXPECT_EQ(header(*exchange, "hanse-receipt"), id_of(stage.recorder.records().front()));
    const auto record = stage.recorder.records().front().text;
    EXPECT_TRUE(digest(record, "input").fits(GetParam().body));
    EXPECT_THAT(record, HasSubstr(R"("outcome":"finished")"));
}

TEST_P(EachWay, an_answer_whose_record_cannot_be_written_does_not_end_well) {
    Stage stage(answering({"All", " is well."}));
    stage.upstream->content_type = GetParam().body.contains("stream") ? "text/event-stream" : "application/json";
    stage.upstream->tells_length = !GetParam().name.contains("pieces");
    stage.upstream->pieces = stage.upstream->content_type == "application/json" ? std::vector<std::string>{"{\"a\":", "1}"} : std::vector<std::string>{"data: {}\n\n", "data: [DONE]\n\n"};
    stage.recorder.fail_writes();
    const auto exchange = stage.post(GetParam().path, GetParam().body);
    EXPECT_THAT(exchange->body, Not(HasSubstr("[DONE]")));
    EXPECT_THAT(exchange->body, Not(HasSubstr("response.completed")));
    EXPECT_EQ(exchange->streamed ? exchange->aborted : exchange->status == 503U, true);
    EXPECT_EQ(exchange->body.contains("journal_stopped"), !GetParam().name.contains("pieces"));
    EXPECT_TRUE(stage.recorder.records().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Receipts, EachWay,
    testing::Values(Way{"chat", "/v1/chat/completions", question}, Way{"chat_stream", "/v1/chat/completions", streamed},
                    Way{"completions", "/v1/completions", R"({"model":"fake","prompt":"Hi"})"},
                    Way{"completions_stream", "/v1/completions", R"({"model":"fake","stream":true,"prompt":"Hi"})"},
                    Way{"responses", "/v1/responses", R"({"model":"fake","input":"Hi"})"},
                    Way{"responses_stream", "/v1/responses", R"({"model":"fake","stream":true,"input":"Hi"})"},
                    Way{"embeddings", "/v1/embeddings", R"({"model":"fake","input":"Hi"})"},
                    Way{"rerank", "/v1/rerank", R"({"model":"fake","query":"Hi","documents":["a"]})"}, Way{"far", "/v1/chat/completions", far},
                    Way{"far_pieces", "/v1/chat/completions", far}, Way{"far_stream", "/v1/chat/completions", far_streamed}),
    [](const auto& info) { return info.param.name; });

TEST(Receipts, nothing_is_begun_while_nothing_can_be_written_down) {
    Stage stage;
    stage.recorder.stop("the disk is full");
    for (const auto& body : {question, far}) {
        const auto exchange = stage.post("/v1/chat/completions", body);
        EXPECT_EQ(exchange->status, 503U);
        EXPECT_THAT(exchange->body, HasSubstr(R"("code":"journal_stopped")"));
        EXPECT_THAT(exchange->body, HasSubstr("the disk is full"));
    }
    EXPECT_TRUE(stage.upstream->sent.empty());
    EXPECT_EQ(stage.get("/v1/models")->status, 200U);
    stage.recorder.resume();
    EXPECT_EQ(stage.post("/v1/chat/completions", question)->status, 200U);
}

TEST(Receipts, the_digests_are_of_what_the_caller_sent_and_got) {
    Stage stage(answering({"All", " is well."}));
    stage.post("/v1/chat/completions", R"({"model":"fake","n":2,"messages":[{"role":"user","content":"Hi"}]})", {{"idempotency-key", "order-66"}});
    const auto record = stage.recorder.records().front().text;
    EXPECT_TRUE(digest(record, "outputs", 0).fits("All is well."));
    EXPECT_TRUE(digest(record, "outputs", 1).fits("All is well."));
    EXPECT_FALSE(digest(record, "outputs", 1).fits("All is well"));
    EXPECT_THAT(record, HasSubstr(R"("output_form":"text")"));
    EXPECT_THAT(record, HasSubstr(R"("idempotency":"order-66")"));
    EXPECT_THAT(record, HasSubstr(R"("decision":"permit")"));
    EXPECT_THAT(record, HasSubstr(R"("backend":"fake")"));
    EXPECT_THAT(record, Not(HasSubstr("well")));
    const auto exchange = stage.post("/v1/embeddings", R"({"model":"fake","input":"Hi"})");
    EXPECT_TRUE(digest(stage.recorder.records().back().text, "outputs").fits(exchange->body));
}

TEST(Receipts, of_a_stream_from_elsewhere_the_digest_is_of_its_bytes_and_a_receipt_there_becomes_a_parent) {
    Stage stage;
    stage.upstream->content_type = "text/event-stream";
    stage.upstream->tells_length = false;
    stage.upstream->pieces = {"data: {\"choices\":[]}\n\n", "data: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\ndata: [DO", "NE]\n\n"};
    stage.upstream->receipt = "hr_0123456789abcdef0123456789abcdef";
    const auto exchange = stage.post("/v1/chat/completions", far_streamed);
    ASSERT_TRUE(exchange->ended);
    const auto record = stage.recorder.records().front().text;
    EXPECT_TRUE(digest(record, "outputs").fits(exchange->body));
    EXPECT_THAT(record, HasSubstr(R"("parents":["hr_0123456789abcdef0123456789abcdef"])"));
    EXPECT_THAT(record, HasSubstr(R"("backend":"elsewhere")"));
    EXPECT_THAT(record, HasSubstr(R"("tokens":{"cached":0,"completion":5,"prompt":3})"));
}

TEST(Receipts, text_that_looks_like_an_end_is_not_taken_for_one) {
    Stage stage;
    stage.upstream->content_type = "text/event-stream";
    stage.upstream->tells_length = false;
    stage.upstream->pieces = {R"(data: {"choices":[{"delta":{"content":"data: [DONE]"}}]})" "\n\n", "data: {\"b\":2}\n\n", "data: [DONE]\n\n"};
    stage.recorder.hold();
    const auto exchange = stage.post("/v1/chat/completions", far_streamed);
    EXPECT_THAT(exchange->body, HasSubstr("\"b\":2"));
    stage.recorder.release();
    stage.run();
    EXPECT_TRUE(exchange->body.ends_with("data: [DONE]\n\n"));
}

TEST(Receipts, who_goes_away_leaves_a_record_of_what_was_begun) {
    auto options = answering({"a", "b"});
    options.model.pace = engine::FakeModel::Pace::by_hand;
    Stage stage(options);
    const auto exchange = stage.post("/v1/chat/completions", streamed);
    stage.step();
    exchange->lose_client();
    stage.run();
    ASSERT_EQ(stage.recorder.records().size(), 1U);
    const auto record = stage.recorder.records().front().text;
    EXPECT_THAT(record, HasSubstr(R"("outcome":"cancelled")"));
    EXPECT_TRUE(digest(record, "outputs").fits("a"));
}

TEST(Receipts, a_refusal_by_label_is_on_record_before_it_is_seen) {
    Stage::Options options;
    options.policy = label::policy_without_file({});  // the upstream is a stranger
    Stage stage(options);
    stage.recorder.hold();
    const auto exchange = stage.post("/v1/chat/completions", far);
    EXPECT_EQ(exchange->status, 0U);
    stage.recorder.release();
    stage.run();
    EXPECT_EQ(exchange->status, 403U);
    ASSERT_EQ(stage.recorder.records().size(), 1U);
    EXPECT_EQ(stage.recorder.records().front().kind, "denial");
    EXPECT_EQ(header(*exchange, "hanse-receipt"), id_of(stage.recorder.records().front()));
    stage.recorder.fail_writes();
    EXPECT_EQ(stage.post("/v1/chat/completions", far)->status, 503U);
}

TEST(Receipts, a_strangers_refusal_is_on_record_and_looks_like_that_of_a_model_that_is_not_there) {
    Stage::Options options;
    options.policy = "version = 1\nstandard = \"internal\"\n[house]\nname = \"acme\"\nin = \"DE\"\n[[kinds]]\nname = \"internal\"\npreset = \"internal\"\n"
                     "[[places]]\nname = \"answer\"\nsort = \"caller\"\n";
    Stage stage(options);
    const auto refused = stage.post("/v1/chat/completions", far);
    const auto absent = stage.post("/v1/chat/completions", R"({"model":"gone","messages":[{"role":"user","content":"Hi"}]})");
    EXPECT_EQ(refused->status, 404U);
    EXPECT_EQ(absent->status, 404U);
    EXPECT_EQ(header(*refused, "hanse-receipt"), "");
    EXPECT_EQ(header(*absent, "hanse-receipt"), "");
    ASSERT_EQ(stage.recorder.records().size(), 1U);
    EXPECT_EQ(stage.recorder.records().front().kind, "denial");
    EXPECT_THAT(stage.recorder.records().front().text, HasSubstr(R"("place":"elsewhere")"));
    EXPECT_THAT(stage.recorder.records().front().text, HasSubstr("denied"));
}

TEST(Receipts, a_response_builds_on_the_one_before) {
    Stage stage;
    const auto first = stage.post("/v1/responses", R"({"model":"fake","input":"Hi"})");
    const std::string id = first->body.substr(first->body.find("resp_"), 29);
    stage.post("/v1/responses", R"({"model":"fake","input":"And?","previous_response_id":")" + id + "\"}");
    EXPECT_THAT(stage.recorder.records().back().text, HasSubstr(R"("parents":[")" + header(*first, "hanse-receipt") + "\"]"));
}

TEST(Receipts, only_the_key_that_asked_gets_a_receipt_and_only_while_it_may_see_the_label) {
    Stage::Options options;
    options.service.require_keys = true;
    Stage stage(options);
    const auto anna = stage.keys->create({.id = "", .name = "anna"})->secret, bert = stage.keys->create({.id = "", .name = "bert"})->secret;
    const auto as = [](const std::string& secret) { return std::vector<std::pair<std::string, std::string>>{{"authorization", "Bearer " + secret}}; };
    const std::string path = "/v1/hanse/receipts/" + header(*stage.post("/v1/chat/completions", question, as(anna)), "hanse-receipt");
    const auto given = stage.get(path, as(anna));
    EXPECT_EQ(given->status, 200U);
    EXPECT_THAT(given->body, HasSubstr("receipt of hr_"));
    EXPECT_THAT(header(*given, "content-type"), HasSubstr("text/plain"));
    EXPECT_EQ(stage.get(path)->status, 401U);
    const auto foreign = stage.get(path, as(bert)), absent = stage.get("/v1/hanse/receipts/hr_00000000000000000000000000000000", as(bert)),
               nonsense = stage.get("/v1/hanse/receipts/nonsense", as(bert));
    for (const auto& each : {foreign, absent, nonsense}) EXPECT_EQ(each->status, 404U);
    EXPECT_EQ(foreign->body, absent->body);
    EXPECT_EQ(foreign->body, nonsense->body);
    // The policy has become stricter since: the answers' place may see public data only.
    stage.desk.rules(Stage::rules_of("version = 1\nstandard = \"internal\"\n[house]\nname = \"acme\"\nin = \"DE\"\n[[kinds]]\nname = \"internal\"\npreset = \"internal\"\n"
                                     "[[places]]\nname = \"answer\"\nsort = \"caller\"\n"));
    EXPECT_EQ(stage.get(path, as(anna))->status, 404U);
}

TEST(Receipts, without_a_journal_answers_promise_none) {
    Stage::Options options;
    options.journal = false;
    Stage stage(options);
    const auto exchange = stage.post("/v1/chat/completions", question);
    EXPECT_EQ(exchange->status, 200U);
    EXPECT_EQ(header(*exchange, "hanse-receipt"), "");
    EXPECT_EQ(stage.get("/v1/hanse/receipts/hr_00000000000000000000000000000000")->status, 404U);
    EXPECT_EQ(stage.get("/journal/checkpoint")->status, 404U);
}

TEST(Receipts, the_public_part_of_the_log_is_served_and_nothing_beside_it) {
    base::SimDisk disk;
    for (const char* folder : {"/log", "/log/tile", "/log/tile/0", "/log/records"}) ASSERT_TRUE(disk.make_folder(folder));
    ASSERT_TRUE(disk.write_whole("/log/checkpoint", base::bytes_of("a checkpoint\n")));
    ASSERT_TRUE(disk.write_whole("/log/tile/0/000", base::bytes_of(std::string(8192, 'h'))));
    ASSERT_TRUE(disk.write_whole("/log/records/0000000000", base::bytes_of("private")));
    Stage::Options options;
    options.service.require_keys = true;
    options.service.open_journal = true;
    options.folder = {&disk, "/log"};
    Stage stage(options);
    const auto checkpoint = stage.get("/journal/checkpoint");
    EXPECT_EQ(checkpoint->body, "a checkpoint\n");
    EXPECT_EQ(header(*checkpoint, "content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(header(*checkpoint, "cache-control"), "no-cache");
    const auto tile = stage.get("/journal/tile/0/000");
    EXPECT_EQ(tile->body.size(), 8192U);
    EXPECT_EQ(header(*tile, "content-type"), "application/octet-stream");
    EXPECT_THAT(header(*tile, "cache-control"), HasSubstr("immutable"));
    for (const char* path : {"/journal/", "/journal/tile/0/001", "/journal/records/0000000000", "/journal/tile/../records/0000000000", "/journal/../log/checkpoint", "/journal/sealed"})
        EXPECT_EQ(stage.get(path)->status, 404U) << path;
    options.service.open_journal = false;
    Stage closed(options);
    EXPECT_EQ(closed.get("/journal/checkpoint")->status, 401U);
    const auto with = [&](task::KeyFacts facts) {
        const auto secret = closed.keys->create(std::move(facts))->secret;
        return closed.get("/journal/checkpoint", {{"authorization", "Bearer " + secret}})->status;
    };
    EXPECT_EQ(with({.id = "", .name = "anna"}), 200U);
    EXPECT_EQ(with({.id = "", .name = "guest", .place = "visitor"}), 404U);
}

}  // namespace
}  // namespace hanse::api
