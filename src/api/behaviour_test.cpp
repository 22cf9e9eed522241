// SPDX-License-Identifier: Apache-2.0
// What cannot be said in a .case file: time, disconnects, slow readers, counting.
#include <gtest/gtest.h>

#include "stage.hpp"

namespace hanse::api {
namespace {

const std::string question = R"({"model":"fake","stream":true,"messages":[{"role":"user","content":"Hi"}]})";

Stage::Options by_hand(std::vector<std::string> answer) {
    Stage::Options options;
    options.model.answer = std::move(answer);
    options.model.pace = engine::FakeModel::Pace::by_hand;
    return options;
}

TEST(Stream, each_step_of_the_model_is_one_write) {
    Stage stage(by_hand({"a", "b"}));
    const auto exchange = stage.post("/v1/chat/completions", question);
    EXPECT_FALSE(exchange->streamed);
    stage.step();
    ASSERT_EQ(exchange->writes.size(), 1U);
    EXPECT_NE(exchange->writes[0].find(R"("content":"a")"), std::string::npos);
    stage.step();
    ASSERT_GE(exchange->writes.size(), 2U);
    EXPECT_NE(exchange->writes[1].find(R"("content":"b")"), std::string::npos);
    stage.step();
    EXPECT_TRUE(exchange->ended);
    EXPECT_TRUE(exchange->body.ends_with("data: [DONE]\n\n"));
}

TEST(Stream, a_client_that_goes_away_stops_the_model) {
    Stage stage(by_hand({"a", "b", "c", "d"}));
    const auto exchange = stage.post("/v1/chat/completions", question);
    stage.step();
    EXPECT_EQ(stage.desk.in_flight(), 1U);
    exchange->lose_client();
    stage.run();
    EXPECT_EQ(stage.desk.in_flight(), 0U);
    EXPECT_EQ(stage.model->step(), 0U);
    EXPECT_TRUE(exchange->aborted);
}

TEST(Stream, a_client_that_goes_away_before_the_first_token_stops_the_model_too) {
    Stage stage(by_hand({"a"}));
    const auto exchange = stage.post("/v1/chat/completions", question);
    exchange->lose_client();
    stage.run();
    EXPECT_EQ(stage.desk.in_flight(), 0U);
    EXPECT_EQ(stage.model->step(), 0U);
}

TEST(Stream, a_slow_reader_gets_several_tokens_in_one_write_and_stalls_nobody) {
    Stage stage(by_hand({"a", "b", "c", "d"}));
    const auto slow = stage.post("/v1/chat/completions", question);
    slow->hold();
    const auto quick = stage.post("/v1/chat/completions", question);
    for (int i = 0; i < 5; ++i) stage.step();
    EXPECT_TRUE(quick->ended);
    EXPECT_TRUE(slow->writes.empty());
    slow->release();
    stage.run();
    EXPECT_TRUE(slow->ended);
    EXPECT_LE(slow->writes.size(), 3U);
    EXPECT_NE(slow->body.find(R"("content":"bcd")"), std::string::npos) << slow->body;
    EXPECT_TRUE(slow->body.ends_with("data: [DONE]\n\n"));
}

TEST(Stream, an_error_in_the_middle_breaks_the_answer) {
    auto options = by_hand({"a", "b"});
    options.model.fail_after = 1;
    Stage stage(options);
    const auto exchange = stage.post("/v1/chat/completions", question);
    stage.step();
    stage.step();
    EXPECT_NE(exchange->body.find(R"(data: {"error":{"message":"the model stopped")"), std::string::npos) << exchange->body;
    EXPECT_EQ(exchange->body.find("[DONE]"), std::string::npos);
    EXPECT_TRUE(exchange->aborted);
    EXPECT_FALSE(exchange->ended);
}

TEST(Queue, more_than_its_bound_is_refused_at_once) {
    auto options = by_hand({"a"});
    options.desk.in_flight_max = 2;
    Stage stage(options);
    const auto first = stage.post("/v1/chat/completions", question);
    const auto second = stage.post("/v1/chat/completions", question);
    const auto third = stage.post("/v1/chat/completions", question);
    EXPECT_EQ(third->status, 429U);
    EXPECT_TRUE(third->headers.has("retry-after"));
    first->lose_client();
    stage.run();
    EXPECT_EQ(stage.post("/v1/chat/completions", question)->status, 0U);  // waits for the model
}

TEST(Limits, the_desk_hands_priority_deadline_and_partition_down) {
    Stage::Options options;
    options.service.require_keys = true;
    Stage stage(options);
    const auto key = stage.keys->create({.name = "k", .priority_max = engine::Priority::urgent});
    ASSERT_TRUE(key);
    const auto exchange = stage.post("/v1/chat/completions", question,
                                     {{"authorization", "Bearer " + key->secret}, {"hanse-priority", "urgent"}, {"hanse-deadline-ms", "5000"}});
    EXPECT_EQ(exchange->status, 200U);
    const auto request = stage.model->requests().at(0);
    EXPECT_TRUE(request.partition.ends_with("/" + key->facts.id)) << request.partition;
    EXPECT_EQ(request.priority, engine::Priority::urgent);
    EXPECT_EQ(request.deadline.left(stage.clock.now()), std::chrono::seconds{5});
    EXPECT_EQ(stage.keys->usage(key->facts.id)->tokens_total, 24U);
}

TEST(Options, what_is_asked_reaches_the_model) {
    Stage stage;
    const auto exchange = stage.post("/v1/chat/completions", R"({"model":"fake","messages":[{"role":"developer","content":"S"},{"role":"user","content":"Hi"}],
        "temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"presence_penalty":1,"frequency_penalty":-1,"repeat_penalty":1.1,"seed":7,"n":2,
        "logit_bias":{"5":-100},"stop":["x","y"],"max_completion_tokens":50,"max_tokens":10,"ignore_eos":true,
        "response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type": "object"}}},
        "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"parallel_tool_calls":false})");
    ASSERT_EQ(exchange->status, 200U) << exchange->body;
    const auto requests = stage.model->requests();
    ASSERT_EQ(requests.size(), 2U);
    const auto& one = requests[0];
    EXPECT_FLOAT_EQ(one.sampling.temperature, 0.5F);
    EXPECT_FLOAT_EQ(one.sampling.top_p, 0.9F);
    EXPECT_EQ(one.sampling.top_k, 40);
    EXPECT_FLOAT_EQ(one.sampling.min_p, 0.1F);
    EXPECT_FLOAT_EQ(one.sampling.presence_penalty, 1);
    EXPECT_FLOAT_EQ(one.sampling.frequency_penalty, -1);
    EXPECT_FLOAT_EQ(one.sampling.repeat_penalty, 1.1F);
    EXPECT_EQ(one.sampling.seed, 7U);
    EXPECT_EQ(requests[1].sampling.seed, 8U);
    EXPECT_EQ(one.sampling.logit_bias.at(0), (std::pair<engine::TokenId, float>(5, -100.0F)));
    EXPECT_EQ(one.max_tokens, 50U);
    EXPECT_TRUE(one.ignore_end);
    EXPECT_EQ(one.stop, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(std::get<engine::JsonSchemaText>(one.constraint).schema, R"({"type": "object"})");
    const auto conversation = stage.model->conversations().at(0);
    EXPECT_EQ(conversation.messages.at(0).role, engine::Role::system);
    EXPECT_EQ(conversation.tools.at(0).parameters, R"({"type":"object"})");
    EXPECT_FALSE(conversation.parallel_tool_calls);
}

TEST(Upstream, the_body_goes_on_untouched_but_for_the_models_name) {
    Stage stage;
    stage.upstream->pieces = {"{}"};
    const std::string body = "{ \"x\" : [1.0e5, {\"model\":\"inner\"}],\t\"model\" : \"far\", \"y\":\"\xc3\xbc\" }";
    stage.post("/v1/chat/completions", body);
    const std::string same = R"({"model":"same","messages":[]})";
    stage.post("/v1/embeddings", same);
    ASSERT_EQ(stage.upstream->sent.size(), 2U);
    EXPECT_EQ(stage.upstream->sent[0].path, "/chat/completions");
    EXPECT_EQ(stage.upstream->sent[0].body, "{ \"x\" : [1.0e5, {\"model\":\"inner\"}],\t\"model\" : \"far-there\", \"y\":\"\xc3\xbc\" }");
    EXPECT_EQ(stage.upstream->sent[1].path, "/embeddings");
    EXPECT_EQ(stage.upstream->sent[1].body, same);
    EXPECT_FALSE(stage.upstream->sent[0].headers.has("authorization"));
}

TEST(Upstream, tokens_of_its_answers_are_charged) {
    Stage::Options options;
    options.service.require_keys = true;
    Stage stage(options);
    stage.upstream->pieces = {R"({"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1000000}"}}],"usage":{"prompt_tokens":7,"completion_tokens":9}})"};
    const auto key = stage.keys->create({.name = "k"});
    stage.post("/v1/chat/completions", R"({"model":"far"})", {{"authorization", "Bearer " + key->secret}});
    EXPECT_EQ(stage.keys->usage(key->facts.id)->tokens_total, 16U);
}

TEST(Traces, the_stops_come_in_their_order) {
    Stage::Options options;
    options.traced = true;
    Stage stage(options);
    stage.post("/v1/chat/completions", question, {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
    ASSERT_EQ(stage.sink.traces.size(), 1U);
    const auto& trace = stage.sink.traces[0];
    std::vector<std::string_view> names;
    for (const auto& span : trace.spans()) names.push_back(task::name(span.stop));
    EXPECT_EQ(names, (std::vector<std::string_view>{"api.in", "task", "label", "engine", "journal", "api.out"}));
    EXPECT_EQ(trace.status, 200U);
    EXPECT_TRUE(trace.parent.has_value());
    EXPECT_TRUE(trace.self.text().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
}

TEST(Metrics, tell_requests_tokens_and_process) {
    Stage stage;
    stage.post("/v1/chat/completions", question);
    stage.post("/v1/chat/completions", "{");
    const auto body = stage.get("/metrics")->body;
    for (const std::string line : {R"(hanse_requests_total{route="/v1/chat/completions",status="200"} 1)",
                                   R"(hanse_requests_total{route="/v1/chat/completions",status="400"} 1)", R"(hanse_completion_tokens_total{model="fake"} 4)",
                                   R"(hanse_first_token_seconds_count{model="fake"} 1)", R"(hanse_upstream_healthy{upstream="elsewhere"} 1)",
                                   "process_resident_memory_bytes ", "process_open_fds "})
        EXPECT_NE(body.find(line), std::string::npos) << line << "\n" << body;
}

TEST(AccessLog, has_no_word_of_what_was_said) {
    Stage::Options options;
    std::FILE* file = std::tmpfile();
    options.service.access_log = fileno(file);
    Stage stage(options);
    stage.post("/v1/chat/completions", R"({"model":"fake","user":"SECRET","messages":[{"role":"user","content":"SECRET"}]})");
    stage.post("/v1/SECRET", "{}");
    stage.service.flush();
    std::rewind(file);
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    EXPECT_EQ(text.find("SECRET"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("route":"/v1/chat/completions","status":200)"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("completion_tokens":4)"), std::string::npos) << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

}  // namespace
}  // namespace hanse::api
