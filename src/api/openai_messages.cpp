// SPDX-License-Identifier: Apache-2.0
#include "openai_messages.hpp"

#include <algorithm>
#include <format>
#include <map>

namespace hanse::api {
namespace {

constexpr std::size_t tools_max = 128;
constexpr std::size_t name_max = 64;

std::optional<engine::Role> role_of(std::string_view name) {
    if (name == "system" || name == "developer") return engine::Role::system;
    if (name == "user") return engine::Role::user;
    if (name == "assistant") return engine::Role::assistant;
    if (name == "tool" || name == "function") return engine::Role::tool;
    return std::nullopt;
}

void read_tool_calls(Fields& fields, engine::Message& message) {
    const auto calls = fields.of_kind("tool_calls", JsonKind::array);
    if (!calls) return;
    const auto path = fields.at("tool_calls");
    std::int64_t index = 0;
    for (auto item = calls->first(); item; item = item->next()) {
        const JsonPath here{&path, {}, index++};
        Fields call(*item, here, fields.complaint());
        const auto function_path = call.at("function");
        const auto function = call.of_kind("function", JsonKind::object);
        if (!function) return fields.complaint().say(function_path, "is required and must be an object", "missing_field");
        Fields inner(*function, function_path, fields.complaint());
        message.tool_calls.push_back({call.string("id").value_or(""), inner.required_string("name"),
                                      inner.string("arguments").value_or("{}")});
    }
}

engine::Message read_message(const JsonValue& value, const JsonPath& path, Complaint& complaint) {
    engine::Message message;
    Fields fields(value, path, complaint);
    const auto role_name = fields.required_string("role");
    const auto role = role_of(role_name);
    if (!role) {
        complaint.say(fields.at("role"), "must be \"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
        return message;
    }
    message.role = *role;
    if (message.role == engine::Role::assistant) {
        read_tool_calls(fields, message);
        message.reasoning = fields.string("reasoning_content").value_or("");
    }
    const auto content_path = fields.at("content");
    if (const auto content = fields.any("content"))
        message.text = read_content(*content, content_path, complaint, {"text"});
    else if (message.role != engine::Role::assistant || (message.tool_calls.empty() && message.reasoning.empty()))
        complaint.say(content_path, "is required and must be a string or an array of parts", "missing_field");
    if (message.role == engine::Role::tool) {
        message.tool_call_id = fields.string("tool_call_id").value_or("");
        if (message.tool_call_id.empty() && role_name == "tool")
            complaint.say(fields.at("tool_call_id"), "is required for a tool's message", "missing_field");
    }
    message.name = fields.string("name").value_or("");
    return message;
}

void read_tool(const JsonValue& value, const JsonPath& path, Complaint& complaint, ToolForm form, engine::Conversation& conversation) {
    Fields outer(value, path, complaint);
    const auto type = outer.string("type").value_or("function");
    if (type != "function") return complaint.say(outer.at("type"), "must be \"function\": this node runs no tools of its own", "unsupported_tool");
    JsonPath inner_path = path;
    std::optional<JsonValue> inner_value = value;
    if (form == ToolForm::nested) {
        inner_path = outer.at("function");
        inner_value = outer.of_kind("function", JsonKind::object);
        if (!inner_value) return complaint.say(inner_path, "is required and must be an object", "missing_field");
    }
    Fields inner(*inner_value, inner_path, complaint);
    engine::ToolDefinition tool{inner.required_string("name"), inner.string("description").value_or(""), "{}"};
    const bool plain = std::ranges::all_of(tool.name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (tool.name.empty() || tool.name.size() > name_max || !plain)
        return complaint.say(inner.at("name"), std::format("must be 1 to {} letters, digits, '_' or '-'", name_max));
    if (const auto parameters = inner.of_kind("parameters", JsonKind::object)) tool.parameters = parameters->raw();
    conversation.tools.push_back(std::move(tool));
}

void read_tool_choice(Fields& body, engine::Conversation& conversation, ToolForm form) {
    using Mode = engine::ToolChoice::Mode;
    const auto value = body.any("tool_choice");
    if (!value) return;
    const auto path = body.at("tool_choice");
    if (value->is(JsonKind::string)) {
        const auto word = value->string();
        if (word == "auto") return;
        if (word == "none")
            conversation.tool_choice.mode = Mode::none;
        else if (word == "required")
            conversation.tool_choice.mode = Mode::required;
        else
            return body.complaint().say(path, "must be \"none\", \"auto\", \"required\" or name a function");
    } else {
        Fields outer(*value, path, body.complaint());
        const auto inner_path = outer.at("function");
        std::string name;
        if (form == ToolForm::flat) {
            name = outer.required_string("name");
        } else if (const auto function = outer.of_kind("function", JsonKind::object)) {
            Fields inner(*function, inner_path, body.complaint());
            name = inner.required_string("name");
        } else {
            return body.complaint().say(inner_path, "is required and must be an object", "missing_field");
        }
        conversation.tool_choice = {Mode::named, name};
        if (!std::ranges::contains(conversation.tools, name, &engine::ToolDefinition::name))
            return body.complaint().say(path, "names a function that is not among tools");
    }
    const auto mode = conversation.tool_choice.mode;
    if ((mode == Mode::required || mode == Mode::named) && conversation.tools.empty())
        body.complaint().say(path, "needs tools");
}

}  // namespace

std::string read_content(const JsonValue& value, const JsonPath& path, Complaint& complaint,
                         std::initializer_list<std::string_view> kinds) {
    if (value.is(JsonKind::string)) return value.string();
    if (!value.is(JsonKind::array)) {
        complaint.say(path, std::format("must be a string or an array of parts, not {}", name(value.kind())), "invalid_type");
        return {};
    }
    std::string text;
    std::int64_t index = 0;
    for (auto item = value.first(); item; item = item->next()) {
        const JsonPath here{&path, {}, index++};
        Fields part(*item, here, complaint);
        const auto type = part.required_string("type");
        if (complaint.any()) return {};
        if (type == "refusal") {
            text += part.required_string("refusal");
        } else if (std::ranges::contains(kinds, std::string_view(type))) {
            text += part.required_string("text");
        } else if (type.starts_with("image") || type.starts_with("input_image") || type.ends_with("audio") || type.ends_with("file")) {
            complaint.say(here, std::format("is of type \"{}\": this model reads text only", type), "unsupported_content");
        } else {
            complaint.say(part.at("type"), "must be \"text\"");
        }
    }
    return text;
}

void read_messages(Fields& body, engine::Conversation& conversation) {
    const auto messages = body.of_kind("messages", JsonKind::array);
    const auto path = body.at("messages");
    if (!messages) return body.complaint().say(path, "is required and must be an array", "missing_field");
    if (messages->size() == 0) return body.complaint().say(path, "must not be empty");
    conversation.messages.reserve(messages->size());
    std::int64_t index = 0;
    for (auto item = messages->first(); item && !body.complaint().any(); item = item->next())
        conversation.messages.push_back(read_message(*item, {&path, {}, index++}, body.complaint()));
}

void read_tools(Fields& body, engine::Conversation& conversation, ToolForm form) {
    if (const auto tools = body.of_kind("tools", JsonKind::array)) {
        const auto path = body.at("tools");
        if (tools->size() > tools_max) return body.complaint().say(path, std::format("has more than {} entries", tools_max));
        std::int64_t index = 0;
        for (auto item = tools->first(); item && !body.complaint().any(); item = item->next())
            read_tool(*item, {&path, {}, index++}, body.complaint(), form, conversation);
    }
    read_tool_choice(body, conversation, form);
    conversation.parallel_tool_calls = body.boolean("parallel_tool_calls").value_or(true);
}

}  // namespace hanse::api
