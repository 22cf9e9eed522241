// SPDX-License-Identifier: Apache-2.0
#include "tool_calls.hpp"

#include <format>

#include "json_document.hpp"
#include "json_rules.hpp"
#include "json_schema_grammar.hpp"

namespace hanse::engine {
namespace {

using Json = nlohmann::ordered_json;

std::string in_quotes(std::string_view text) { return json_string_literal(text).text; }

// What is no JSON is passed on as a string of it.
std::string json_or_string(std::string_view text) {
    if (text.empty()) return "{}";
    return parse_json(text, "arguments") ? std::string(text) : in_quotes(text);
}

std::string definition(const ToolDefinition& tool) {
    return std::format(R"({{"type": "function", "function": {{"name": {}, "description": {}, "parameters": {}}}}})", in_quotes(tool.name),
                       in_quotes(tool.description), json_or_string(tool.parameters));
}

std::string_view example(CallSyntax syntax) {
    switch (syntax) {
        case CallSyntax::llama: return R"({"name": "<function-name>", "parameters": <arguments-object>})";
        case CallSyntax::mistral: return R"([TOOL_CALLS] [{"name": "<function-name>", "arguments": <arguments-object>}])";
        case CallSyntax::apertus: return R"(<|tools_prefix|>[{"<function-name>": <arguments-object>}]<|tools_suffix|>)";
        default: return "<tool_call>\n{\"name\": \"<function-name>\", \"arguments\": <arguments-object>}\n</tool_call>";
    }
}

Expression space() { return optional(literal(" ")); }

}  // namespace

std::string tools_instruction(std::span<const ToolDefinition> tools, CallSyntax syntax) {
    std::string out = "# Tools\n\nYou may call one or more functions to help with the user's request. These functions are available, one a line:\n<tools>\n";
    for (const auto& tool : tools) out += definition(tool) + "\n";
    out += "</tools>\n\nTo call a function, write its name and its arguments as JSON in this form and nothing else:\n";
    return out += example(syntax);
}

std::string calls_as_text(std::span<const ToolCall> calls, CallSyntax syntax) {
    std::string out;
    if (syntax == CallSyntax::mistral) out += "[TOOL_CALLS] [";
    if (syntax == CallSyntax::apertus) out += "<|tools_prefix|>[";
    for (bool first = true; const auto& call : calls) {
        const auto arguments = json_or_string(call.arguments);
        if (!std::exchange(first, false)) out += syntax == CallSyntax::llama ? "; " : syntax == CallSyntax::hermes || syntax == CallSyntax::none ? "\n" : ", ";
        switch (syntax) {
            case CallSyntax::llama: out += std::format(R"({{"name": {}, "parameters": {}}})", in_quotes(call.name), arguments); break;
            case CallSyntax::mistral: out += std::format(R"({{"name": {}, "arguments": {}}})", in_quotes(call.name), arguments); break;
            case CallSyntax::apertus: out += std::format(R"({{{}: {}}})", in_quotes(call.name), arguments); break;
            default: out += std::format("<tool_call>\n{{\"name\": {}, \"arguments\": {}}}\n</tool_call>", in_quotes(call.name), arguments);
        }
    }
    if (syntax == CallSyntax::mistral) out += "]";
    if (syntax == CallSyntax::apertus) out += "]<|tools_suffix|>";
    return out;
}

std::string tool_answer_as_text(const Message& message, CallSyntax syntax) {
    if (syntax == CallSyntax::hermes || syntax == CallSyntax::none) return std::format("<tool_response>\n{}\n</tool_response>", message.text);
    return std::format("The function{} answered:\n{}", message.name.empty() ? "" : " " + message.name, message.text);
}

CallGrammar call_grammar(std::span<const ToolDefinition> tools, const CallGrammarOptions& options) {
    GrammarSource source;
    append_json_rules(source);
    const AnswerFormat format{options.syntax, ReasoningSyntax::none};
    const auto open = control(std::string(format.call_open()));
    const auto close = [&] { return control(std::string(format.call_close())); };

    std::vector<Expression> whole;  // a call from its first byte
    std::vector<Expression> rest;   // Llama: what follows {"name":
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const auto name = std::format("tool-{}", i);
        auto trial = source;
        const auto& schema = tools[i].parameters;
        if (!schema.empty() && append_json_schema(trial, name, schema) && compile_grammar({name, trial.rules})) source = std::move(trial);
        else source.rules.emplace_back(name, rule("json-object"));
        const auto arguments_key = options.syntax == CallSyntax::llama ? "\"parameters\":" : "\"arguments\":";
        const auto behind_name = [&] {
            return sequence({space(), literal(in_quotes(tools[i].name) + ","), space(), literal(arguments_key), space(), rule(name), space(), literal("}")});
        };
        if (options.syntax == CallSyntax::mistral && options.names_before_arguments) {
            whole.push_back(sequence({literal(tools[i].name), control("[ARGS]"), rule(name)}));
        } else if (options.syntax == CallSyntax::apertus) {
            whole.push_back(sequence({literal("{" + in_quotes(tools[i].name) + ":"), space(), rule(name), literal("}")}));
        } else {
            whole.push_back(sequence({literal("{\"name\":"), behind_name()}));
            if (options.syntax == CallSyntax::llama) rest.push_back(behind_name());
        }
    }
    source.rules.emplace_back("call", choice(std::move(whole)));
    const auto more = [&](Expression between) { return repeat(sequence({std::move(between), rule("call")}), 0, options.parallel ? Expression::unbounded : 0); };

    CallGrammar out;
    Expression behind_open;  // what follows the opening marker
    switch (options.syntax) {
        case CallSyntax::llama:
            source.rules.emplace_back("calls", sequence({rule("call"), more(sequence({literal(";"), space()}))}));
            behind_open = options.required ? rule("calls") : choice({sequence({space(), rule("calls")}), sequence({choice(std::move(rest)), more(sequence({literal(";"), space()}))})});
            if (!options.required) out.triggers = {"<|python_tag|>", "{\"name\":"};
            break;
        case CallSyntax::mistral:
            behind_open = options.names_before_arguments ? sequence({rule("call"), more(open)})
                                                         : sequence({space(), literal("["), rule("call"), more(sequence({literal(","), space()})), literal("]")});
            break;
        case CallSyntax::apertus: behind_open = sequence({literal("["), rule("call"), more(sequence({literal(","), space()})), literal("]"), close()}); break;
        default: {
            const auto line = [] { return optional(literal("\n")); };
            const auto one = [&] { return sequence({line(), rule("call"), line(), close()}); };
            behind_open = sequence({one(), repeat(sequence({line(), open, one()}), 0, options.parallel ? Expression::unbounded : 0)});
        }
    }
    const bool opens_first = options.required && options.syntax != CallSyntax::llama;
    auto root = opens_first ? sequence({open, std::move(behind_open)}) : std::move(behind_open);
    if (!options.after.empty()) {
        root = sequence({repeat(literal("\n"), 0, 2), std::move(root)});
        out.triggers = {std::string(options.after)};
    } else if (!options.required && out.triggers.empty()) {
        out.triggers = {std::string(format.call_open())};
    }
    source.rules.emplace_back("root", std::move(root));
    out.constraint = GrammarText{gbnf(source), "root"};
    return out;
}

}  // namespace hanse::engine
