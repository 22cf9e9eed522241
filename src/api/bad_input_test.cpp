// SPDX-License-Identifier: Apache-2.0
// Wrong requests and what a client is told about them: one row each.
#include <gtest/gtest.h>

#include "stage.hpp"

namespace hanse::api {
namespace {

struct Row {
    std::string path;
    std::string body;
    unsigned status;
    std::string told;  // must be in the answer
};

const std::string chat = "/v1/chat/completions";
const std::string hi = R"("messages":[{"role":"user","content":"Hi"}])";
std::string with(const std::string& fields) { return R"({"model":"fake",)" + hi + "," + fields + "}"; }
std::string messages(const std::string& list) { return R"({"model":"fake","messages":)" + list + "}"; }
std::string completion(const std::string& fields) { return R"({"model":"fake","prompt":"Hi",)" + fields + "}"; }

const std::vector<Row>& rows() {
    static const std::vector<Row> all{
        // JSON itself
        {chat, "", 400, "the body is empty"},
        {chat, "[]", 400, "must be a JSON object"},
        {chat, "nonsense", 400, "must be a JSON object"},
        {chat, R"({"model":"fake")", 400, "at byte 15"},
        {chat, R"({"model":"fake",})", 400, "at byte 16: a field name in quotes"},
        {chat, R"({"model":"fake" "x":1})", 400, "',' or '}' is expected"},
        {chat, R"({"model" "fake"})", 400, "':' is expected"},
        {chat, R"({"model":'fake'})", 400, "a value is expected"},
        {chat, R"({model:"fake"})", 400, "a field name in quotes"},
        {chat, R"({"model":"fake"} x)", 400, "nothing may follow"},
        {chat, R"({"model":"fake","x":01})", 400, "',' or '}' is expected"},
        {chat, R"({"model":"fake","x":1.})", 400, "after the point"},
        {chat, R"({"model":"fake","x":1e})", 400, "exponent"},
        {chat, R"({"model":"fake","x":-})", 400, "a digit is expected"},
        {chat, R"({"model":"fake","x":tru})", 400, "a value is expected"},
        {chat, R"({"model":"fake","x":"\x"})", 400, "an unknown escape"},
        {chat, R"({"model":"fake","x":"\u12"})", 400, "four hexadecimal digits"},
        {chat, R"({"model":"fake","x":"\ud800"})", 400, "half of a surrogate pair"},
        {chat, R"({"model":"fake","x":"\udc00"})", 400, "half of a surrogate pair"},
        {chat, "{\"model\":\"fake\",\"x\":\"a\nb\"}", 400, "control character"},
        {chat, "{\"model\":\"fake\",\"x\":\"\xff\"}", 400, "not valid UTF-8"},
        {chat, "{\"model\":\"fake\",\"x\":\"\xc3\"}", 400, "not valid UTF-8"},
        {chat, R"({"model":"fake","x":)" + std::string(100, '[') + std::string(100, ']') + "}", 400, "nested too deeply"},
        {chat, R"({"model":"fake","x":[1,2})", 400, "',' or ']' is expected"},
        {chat, R"({"model":"fake","x":"abc)", 400, "ends inside a string"},
        // the model
        {chat, "{" + hi + "}", 400, "model is required"},
        {chat, R"({"model":null,)" + hi + "}", 400, "model must be a string"},
        {chat, R"({"model":5,)" + hi + "}", 400, "model must be a string"},
        {chat, R"({"model":["fake"],)" + hi + "}", 400, "model must be a string"},
        {chat, R"({"model":"fake","model":"fake",)" + hi + "}", 400, "model is there twice"},
        {chat, R"({"model":"","messages":[]})", 404, "model_not_found"},
        {chat, R"({"x":{"model":"fake"},"messages":[]})", 400, "model is required"},
        // messages
        {chat, R"({"model":"fake"})", 400, "messages is required"},
        {chat, messages("{}"), 400, "messages must be an array, not an object"},
        {chat, messages("[]"), 400, "messages must not be empty"},
        {chat, messages("[1]"), 400, "messages[0] must be an object, not a number"},
        {chat, messages(R"([{"content":"Hi"}])"), 400, "messages[0].role is required"},
        {chat, messages(R"([{"role":"robot","content":"Hi"}])"), 400, "messages[0].role must be"},
        {chat, messages(R"([{"role":"user"}])"), 400, "messages[0].content is required"},
        {chat, messages(R"([{"role":"user","content":null}])"), 400, "messages[0].content is required"},
        {chat, messages(R"([{"role":"user","content":"a"},{"role":"user","content":"a"},{"role":"user","content":5}])"), 400, "messages[2].content must be a string"},
        {chat, messages(R"([{"role":"user","content":[{"type":"text"}]}])"), 400, "messages[0].content[0].text is required"},
        {chat, messages(R"([{"role":"user","content":["Hi"]}])"), 400, "messages[0].content[0] must be an object"},
        {chat, messages(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]}])"), 400, "this model reads text only"},
        {chat, messages(R"([{"role":"user","content":[{"type":"input_audio"}]}])"), 400, "this model reads text only"},
        {chat, messages(R"([{"role":"user","content":[{"type":"poem","text":"x"}]}])"), 400, "messages[0].content[0].type must be"},
        {chat, messages(R"([{"role":"tool","content":"x"}])"), 400, "messages[0].tool_call_id is required"},
        {chat, messages(R"([{"role":"assistant","tool_calls":[{}]}])"), 400, "messages[0].tool_calls[0].function is required"},
        {chat, messages(R"([{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}])"), 400, "messages[0].tool_calls[0].function.name is required"},
        // how to answer
        {chat, with(R"("stream":"yes")"), 400, "stream must be a boolean"},
        {chat, with(R"("stream":true,"stream":false)"), 400, "stream is there twice"},
        {chat, with(R"("stream_options":{"include_usage":true})"), 400, "stream_options is allowed only when stream is true"},
        {chat, with(R"("stream":true,"stream_options":5)"), 400, "stream_options must be an object"},
        {chat, with(R"("temperature":3)"), 400, "temperature must be between 0 and 2"},
        {chat, with(R"("temperature":"hot")"), 400, "temperature must be a number, not a string"},
        {chat, with(R"("temperature":1e999)"), 400, "temperature must be between"},
        {chat, with(R"("temperature":1,"temperature":0)"), 400, "temperature is there twice"},
        {chat, with(R"("top_p":-0.1)"), 400, "top_p must be between 0 and 1"},
        {chat, with(R"("presence_penalty":5)"), 400, "presence_penalty must be between -2 and 2"},
        {chat, with(R"("frequency_penalty":-5)"), 400, "frequency_penalty must be between -2 and 2"},
        {chat, with(R"("top_k":1.5)"), 400, "top_k must be a whole number"},
        {chat, with(R"("min_p":2)"), 400, "min_p must be between 0 and 1"},
        {chat, with(R"("repeat_penalty":0)"), 400, "repeat_penalty must be between"},
        {chat, with(R"("seed":"x")"), 400, "seed must be a number"},
        {chat, with(R"("seed":1e300)"), 400, "seed must be a whole number"},
        {chat, with(R"("max_tokens":0)"), 400, "max_tokens must be between 1"},
        {chat, with(R"("max_tokens":-1)"), 400, "max_tokens must be between 1"},
        {chat, with(R"("max_completion_tokens":2.5)"), 400, "max_completion_tokens must be a whole number"},
        {chat, with(R"("n":0)"), 400, "n must be between 1 and 128"},
        {chat, with(R"("n":129)"), 400, "n must be between 1 and 128"},
        {chat, with(R"("stop":5)"), 400, "stop must be a string or an array"},
        {chat, with(R"("stop":[1])"), 400, "stop[0] must be a string"},
        {chat, with(R"("stop":"")"), 400, "stop must not be empty"},
        {chat, with(R"("stop":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"])"), 400, "stop has more than 16 entries"},
        {chat, with(R"("logprobs":5)"), 400, "logprobs must be a boolean"},
        {chat, with(R"("top_logprobs":2)"), 400, "top_logprobs is allowed only when logprobs is true"},
        {chat, with(R"("logprobs":true,"top_logprobs":21)"), 400, "top_logprobs must be between 0 and 20"},
        {chat, with(R"("logit_bias":[])"), 400, "logit_bias must be an object"},
        {chat, with(R"("logit_bias":{"x":1})"), 400, "logit_bias must have token ids"},
        {chat, with(R"("logit_bias":{"5":"a"})"), 400, "logit_bias.5 must be a number"},
        {chat, with(R"("logit_bias":{"5":101})"), 400, "logit_bias.5 must be between -100 and 100"},
        {chat, with(R"("logit_bias":{"99999":1})"), 400, "not in the model's vocabulary"},
        {chat, with(R"("response_format":"json")"), 400, "response_format must be an object"},
        {chat, with(R"("response_format":{"type":"xml"})"), 400, "response_format.type must be"},
        {chat, with(R"("response_format":{"type":"json_schema"})"), 400, "response_format.json_schema must hold a schema"},
        {chat, with(R"("response_format":{"type":"json_schema","json_schema":{"schema":5}})"), 400, "response_format.json_schema.schema must be an object"},
        {chat, with(R"("grammar":"root ::= x","response_format":{"type":"json_object"})"), 400, "cannot be used together with grammar"},
        {chat, with(R"("grammar":5)"), 400, "grammar must be a string"},
        {chat, with(R"("lora":5)"), 400, "lora must be"},
        {chat, with(R"("lora":"unknown")"), 404, "adapter_not_found"},
        {chat, with(R"("ignore_eos":1)"), 400, "ignore_eos must be a boolean"},
        {chat, with(R"("modalities":["audio"])"), 400, "modalities may hold"},
        {chat, with(R"("functions":[])"), 400, "functions is no longer supported"},
        // tools
        {chat, with(R"("tools":{})"), 400, "tools must be an array"},
        {chat, with(R"("tools":[{"type":"function"}])"), 400, "tools[0].function is required"},
        {chat, with(R"("tools":[{"type":"function","function":{}}])"), 400, "tools[0].function.name is required"},
        {chat, with(R"("tools":[{"type":"function","function":{"name":"a b"}}])"), 400, "tools[0].function.name must be 1 to 64"},
        {chat, with(R"("tools":[{"type":"web_search"}])"), 400, "tools[0].type must be"},
        {chat, with(R"("tools":[{"type":"function","function":{"name":"f","parameters":5}}])"), 400, "tools[0].function.parameters must be an object"},
        {chat, with(R"("tool_choice":"required")"), 400, "tool_choice needs tools"},
        {chat, with(R"("tool_choice":"maybe")"), 400, "tool_choice must be"},
        {chat, with(R"("tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}})"), 400, "names a function that is not among tools"},
        // the others
        {"/v1/completions", R"({"model":"fake"})", 400, "prompt is required"},
        {"/v1/completions", R"({"model":"fake","prompt":""})", 400, "the prompt is empty"},
        {"/v1/completions", R"({"model":"fake","prompt":[]})", 400, "prompt is required"},
        {"/v1/completions", R"({"model":"fake","prompt":["a",5]})", 400, "prompt is required"},
        {"/v1/completions", R"({"model":"fake","prompt":[-5]})", 400, "prompt is required"},
        {"/v1/completions", completion(R"("best_of":3)"), 400, "best_of must be equal to n"},
        {"/v1/completions", completion(R"("suffix":"x")"), 400, "suffix is not supported"},
        {"/v1/completions", completion(R"("logprobs":true)"), 400, "logprobs must be a number"},
        {"/v1/embeddings", R"({"model":"fake"})", 400, "input is required"},
        {"/v1/embeddings", R"({"model":"fake","input":[[]]})", 400, "an input is empty"},
        {"/v1/embeddings", R"({"model":"fake","input":["a",{}]})", 400, "input is required"},
        {"/v1/embeddings", R"({"model":"fake","input":"a","encoding_format":"hex"})", 400, "encoding_format must be"},
        {"/v1/embeddings", R"({"model":"fake","input":"a","dimensions":3})", 400, "dimensions must be"},
        {"/v1/rerank", R"({"model":"fake","documents":["a"]})", 400, "query is required"},
        {"/v1/rerank", R"({"model":"fake","query":"a"})", 400, "documents is required"},
        {"/v1/rerank", R"({"model":"fake","query":"a","documents":[5]})", 400, "documents[0] must be an object"},
        {"/v1/responses", R"({"model":"fake"})", 400, "input is required"},
        {"/v1/responses", R"({"model":"fake","input":[]})", 400, "input must not be empty"},
        {"/v1/responses", R"({"model":"fake","input":[{"role":"user","content":[{"type":"input_image"}]}]})", 400, "reads text only"},
        {"/v1/responses", R"({"model":"fake","input":[{"type":"magic"}]})", 400, "input[0].type must be"},
        {"/v1/responses", R"({"model":"fake","input":"a","background":true})", 400, "background is not supported"},
        {"/v1/responses", R"({"model":"fake","input":"a","previous_response_id":"resp_none"})", 404, "previous_response_not_found"},
    };
    return all;
}

TEST(BadInput, each_row_is_told_what_is_wrong_and_where) {
    Stage stage;
    for (const auto& row : rows()) {
        const auto exchange = stage.post(row.path, row.body);
        EXPECT_EQ(exchange->status, row.status) << row.body << "\n" << exchange->body;
        EXPECT_NE(exchange->body.find(row.told), std::string::npos) << row.body << "\nwanted: " << row.told << "\n" << exchange->body;
        EXPECT_TRUE(exchange->body.starts_with(R"({"error":{"message":)")) << exchange->body;
    }
    EXPECT_GE(rows().size(), 60U);
}

TEST(BadInput, wrong_headers_are_told) {
    Stage stage;
    const std::string body = R"({"model":"fake",)" + hi + "}";
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"Hanse-Deadline-Ms", "soon"}, {"Hanse-Deadline-Ms", "0"}, {"Hanse-First-Token-Ms", "-1"}, {"Hanse-Priority", "highest"}})
        EXPECT_EQ(stage.post(chat, body, {{name, value}})->status, 400U) << name << value;
}

}  // namespace
}  // namespace hanse::api
