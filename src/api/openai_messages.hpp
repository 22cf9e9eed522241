// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/conversation.hpp"
#include "fields.hpp"

namespace hanse::api {

// OpenAI's "messages", "tools" and "tool_choice" in the engine's words.
void read_messages(Fields& body, engine::Conversation& conversation);
// `nested`: {"type":"function","function":{…}} as in chat; else {"type":"function","name":…} as in responses.
enum class ToolForm : std::uint8_t { nested, flat };
void read_tools(Fields& body, engine::Conversation& conversation, ToolForm form);

// Text, or an array of parts all of which are text. `kinds`: what the text parts are called.
std::string read_content(const JsonValue& value, const JsonPath& path, Complaint& complaint,
                         std::initializer_list<std::string_view> kinds);

}  // namespace hanse::api
