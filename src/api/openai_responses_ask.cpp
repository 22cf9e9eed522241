// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <limits>

#include "fields.hpp"
#include "json_write.hpp"
#include "openai_messages.hpp"
#include "openai_responses.hpp"
#include "openai_sampling.hpp"

namespace hanse::api {
namespace {

using engine::Message;
using engine::Role;

constexpr std::initializer_list<std::string_view> text_parts{"input_text", "output_text", "text"};

void read_message_item(Fields& item, std::vector<Message>& messages) {
    const auto role = item.required_string("role");
    Message message;
    if (role == "user")
        message.role = Role::user;
    else if (role == "assistant")
        message.role = Role::assistant;
    else if (role == "system" || role == "developer")
        message.role = Role::system;
    else
        return item.complaint().say(item.at("role"), "must be \"user\", \"assistant\", \"system\" or \"developer\"");
    const auto path = item.at("content");
    const auto content = item.any("content");
    if (!content) return item.complaint().say(path, "is required and must be a string or an array of parts", "missing_field");
    message.text = read_content(*content, path, item.complaint(), text_parts);
    messages.push_back(std::move(message));
}

void read_item(const JsonValue& value, const JsonPath& path, Complaint& complaint, std::vector<Message>& messages) {
    Fields item(value, path, complaint);
    const auto type = item.string("type").value_or("message");
    if (complaint.any()) return;
    if (type == "message") return read_message_item(item, messages);
    if (type == "function_call") {
        // Calls made in one turn belong to one message.
        if (messages.empty() || messages.back().role != Role::assistant) messages.push_back({.role = Role::assistant});
        messages.back().tool_calls.push_back(
            {item.required_string("call_id"), item.required_string("name"), item.string("arguments").value_or("{}")});
        return;
    }
    if (type == "function_call_output") {
        Message message{.role = Role::tool};
        message.tool_call_id = item.required_string("call_id");
        const auto output_path = item.at("output");
        if (const auto output = item.any("output"))
            message.text = read_content(*output, output_path, complaint, text_parts);
        else
            complaint.say(output_path, "is required and must be a string", "missing_field");
        messages.push_back(std::move(message));
        return;
    }
    // What the model thought in an earlier turn: templates leave it out again.
    if (type == "reasoning") return;
    complaint.say(item.at("type"), "must be \"message\", \"function_call\" or \"function_call_output\"", "unsupported_value");
}

void read_input(Fields& body, ResponseAsk& ask) {
    const auto path = body.at("input");
    const auto input = body.any("input");
    if (!input) return body.complaint().say(path, "is required and must be a string or an array of items", "missing_field");
    if (input->is(JsonKind::string)) {
        ask.messages.push_back({.role = Role::user, .text = input->string()});
        ask.input_items = R"([{"type":"message","role":"user","content":[{"type":"input_text","text":)" + std::string(input->raw()) + "}]}]";
        return;
    }
    if (!input->is(JsonKind::array)) return body.complaint().say(path, "must be a string or an array of items", "invalid_type");
    if (input->size() == 0) return body.complaint().say(path, "must not be empty");
    std::int64_t index = 0;
    for (auto item = input->first(); item && !body.complaint().any(); item = item->next())
        read_item(*item, {&path, {}, index++}, body.complaint(), ask.messages);
    ask.input_items = input->raw();
}

// The response object repeats what was asked; where nothing was, it says the default.
void echo(Fields& body, ResponseAsk& ask) {
    struct Default {
        std::string_view name;
        std::string_view value;
    };
    constexpr std::array<Default, 13> fields{{{"instructions", "null"},
                                              {"max_output_tokens", "null"},
                                              {"metadata", "{}"},
                                              {"parallel_tool_calls", "true"},
                                              {"previous_response_id", "null"},
                                              {"store", "true"},
                                              {"temperature", "1.0"},
                                              {"text", R"({"format":{"type":"text"}})"},
                                              {"tool_choice", "\"auto\""},
                                              {"tools", "[]"},
                                              {"top_p", "1.0"},
                                              {"truncation", "\"disabled\""},
                                              {"user", "null"}}};
    for (const auto& field : fields) {
        const auto given = body.any(field.name);
        ask.echoed += ",\"";
        ask.echoed += field.name;
        ask.echoed += "\":";
        ask.echoed += given ? given->raw() : field.value;
    }
    ask.echoed += R"(,"reasoning":{"effort":null,"summary":null})";
}

void read_text_format(Fields& body, ResponseAsk& ask) {
    const auto text_path = body.at("text");
    const auto text = body.of_kind("text", JsonKind::object);
    if (!text) return;
    Fields fields(*text, text_path, body.complaint());
    const auto format_path = fields.at("format");
    const auto format = fields.of_kind("format", JsonKind::object);
    if (!format) return;
    Fields inner(*format, format_path, body.complaint());
    read_format(inner, ask.generate.request);
}

void read_logprobs(Fields& body, ResponseAsk& ask) {
    const auto top = body.integer("top_logprobs", 0, 20);
    ask.logprobs = top.value_or(0) > 0;
    const auto path = body.at("include");
    if (const auto include = body.of_kind("include", JsonKind::array))
        for (auto item = include->first(); item; item = item->next()) {
            if (!item->is(JsonKind::string)) return body.complaint().say(path, "must hold strings", "invalid_type");
            ask.logprobs = ask.logprobs || item->string() == "message.output_text.logprobs";
        }
    if (ask.logprobs) ask.generate.request.sampling.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
}

}  // namespace

base::Result<ResponseAsk> read_response(std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    ResponseAsk ask;
    ask.model = body.required_string("model");
    read_input(body, ask);
    ask.instructions = body.string("instructions").value_or("");
    ask.previous_id = body.string("previous_response_id").value_or("");
    ask.stream = body.boolean("stream").value_or(false);
    ask.store = body.boolean("store").value_or(true);
    if (body.boolean("background").value_or(false)) complaint.say(body.at("background"), "is not supported", "unsupported_value");
    if (body.any("conversation")) complaint.say(body.at("conversation"), "is not supported: use previous_response_id", "unsupported_value");
    read_sampling(body, ask.generate.request);
    read_max_tokens(body, ask.generate.request, {"max_output_tokens"});
    read_text_format(body, ask);
    read_logprobs(body, ask);
    read_tools(body, ask.conversation, ToolForm::flat);
    ask.tools_offered = !ask.conversation.tools.empty() && ask.conversation.tool_choice.mode != engine::ToolChoice::Mode::none;
    echo(body, ask);
    if (complaint.any()) return std::unexpected(complaint.error());
    return ask;
}

}  // namespace hanse::api
