// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "answer_format.hpp"
#include "engine/conversation.hpp"
#include "engine/generate.hpp"

namespace hanse::engine {

// Tools in the words of a family of models, for templates that do not know them themselves, and the
// grammar of calls, so that arguments obey the tool's schema.

// Tells a model what tools there are and how to call one; for the system message.
std::string tools_instruction(std::span<const ToolDefinition> tools, CallSyntax syntax);
// Calls as the model itself would have written them.
std::string calls_as_text(std::span<const ToolCall> calls, CallSyntax syntax);
// What a tool answered, as a message to the model.
std::string tool_answer_as_text(const Message& message, CallSyntax syntax);

struct CallGrammar {
    Constraint constraint;
    std::vector<std::string> triggers;
};
struct CallGrammarOptions {
    CallSyntax syntax = CallSyntax::hermes;
    bool names_before_arguments = false;  // Mistral's newer form
    bool parallel = true;
    bool required = false;     // else the calls' grammar sleeps until a call begins
    std::string_view after = {};  // required, but only behind this marker: the end of the reasoning
};
// A schema that no grammar can be made of leaves its tool with arguments that are any JSON object.
CallGrammar call_grammar(std::span<const ToolDefinition> tools, const CallGrammarOptions& options);

}  // namespace hanse::engine
