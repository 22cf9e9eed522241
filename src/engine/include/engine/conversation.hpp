// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hanse::engine {

// A conversation in the engine's own words: what a chat template renders into a prompt. Where a wire
// format (OpenAI's, a partner's) says it otherwise, its room translates.
enum class Role { system, user, assistant, tool };

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // JSON text, as the model wrote it
};

struct Message {
    Role role = Role::user;
    std::string text;
    std::string reasoning = {};              // assistant: what a thinking model wrote before its answer
    std::vector<ToolCall> tool_calls = {};   // assistant
    std::string tool_call_id = {};           // tool: which call this answers
    std::string name = {};
};

struct ToolDefinition {
    std::string name;
    std::string description;
    std::string parameters;  // JSON Schema text, "{}" if none
};

struct ToolChoice {
    enum class Mode { automatic, none, required, named } mode = Mode::automatic;
    std::string name = {};  // for `named`
};

struct Conversation {
    std::vector<Message> messages;
    std::vector<ToolDefinition> tools = {};
    ToolChoice tool_choice = {};
    bool parallel_tool_calls = true;
    bool add_generation_prompt = true;
    std::string template_arguments = {};  // JSON object handed to the template, as {"enable_thinking":false}
};

}  // namespace hanse::engine
