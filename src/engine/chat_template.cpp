// SPDX-License-Identifier: Apache-2.0
#include "chat_template.hpp"

#include <algorithm>
#include <format>

#include "answer_format.hpp"
#include "json_document.hpp"
#include "template_program.hpp"
#include "tool_calls.hpp"

namespace hanse::engine {
namespace {

using Json = nlohmann::ordered_json;
using base::ErrorKind;
using base::fail;

// For models that bring none. ChatML, the most common form.
constexpr std::string_view chatml =
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

// Teuken's model card: plain lines, and a system message in the user's language.
constexpr std::string_view teuken =
    "{% set language = language | default('DE') | upper %}"
    "{% if messages[0].role != 'system' %}System: "
    "{% if language == 'DE' %}Ein Gespräch zwischen einem Menschen und einem Assistenten mit künstlicher Intelligenz. "
    "Der Assistent gibt hilfreiche und höfliche Antworten auf die Fragen des Menschen."
    "{% else %}A chat between a human and an artificial intelligence assistant. "
    "The assistant gives helpful and polite answers to the human's questions.{% endif %}{{ '\\n' }}{% endif %}"
    "{% for message in messages %}{{ 'User' if message.role == 'user' else ('Assistant' if message.role == 'assistant' else 'System') }}: "
    "{{ message.content }}"
    "{% if not loop.last %}{{ eos_token if message.role == 'assistant' }}{{ '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n' }}Assistant:{% endif %}";

std::string_view word(Role role) {
    switch (role) {
        case Role::system: return "system";
        case Role::user: return "user";
        case Role::assistant: return "assistant";
        case Role::tool: return "tool";
    }
    return "user";
}

AnswerFormat format_of(std::string_view text) {
    AnswerFormat format;
    if (text.contains("<|tools_prefix|>")) format.calls = CallSyntax::apertus;
    else if (text.contains("[TOOL_CALLS]")) format.calls = CallSyntax::mistral;
    else if (text.contains("<|python_tag|>") || (text.contains("<|start_header_id|>") && text.contains("ipython")))
        format.calls = CallSyntax::llama;
    else format.calls = CallSyntax::hermes;
    if (text.contains("<|inner_prefix|>")) format.reasoning = ReasoningSyntax::inner;
    else if (text.contains("[THINK]")) format.reasoning = ReasoningSyntax::mistral_think;
    else if (text.contains("<think>") || text.contains("</think>")) format.reasoning = ReasoningSyntax::think;
    return format;
}

// What a template does by itself, seen by rendering small conversations that no user wrote.
struct Abilities {
    bool typed_content = false;  // content must be a list of parts
    bool capital_roles = false;  // User, Assistant
    bool system = false;
    bool tools = false;
    bool tool_calls = false;
    bool call_arguments_as_text = false;
    bool tool_answers = false;
};

Json part_list(std::string_view text) { return Json::array({Json{{"type", "text"}, {"text", text}}}); }

// Ids of exactly nine letters and digits, as Mistral's templates demand; the same id stays the same.
std::string short_id(std::string_view id) {
    if (id.size() == 9 && std::ranges::all_of(id, [](unsigned char c) { return std::isalnum(c) != 0; })) return std::string(id);
    std::uint64_t state = 0xcbf29ce484222325U;
    for (const char c : id) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    std::string out;
    for (; out.size() < 9; state /= 36) out += "0123456789abcdefghijklmnopqrstuvwxyz"[state % 36];
    return out;
}

std::string_view without_trailing_blanks(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

}  // namespace

struct ChatTemplate::State {
    ChatTemplateParts parts;
    TemplateProgram program;
    AnswerFormat format;
    Abilities can;
    bool names_before_arguments = false;
    std::vector<std::string> stop;

    Json role(std::string_view name) const {
        std::string out(name);
        if (can.capital_roles) out.front() = static_cast<char>(out.front() - 'a' + 'A');
        return out;
    }
    Json content(std::string_view text) const { return can.typed_content ? part_list(text) : Json(text); }

    base::Result<std::string> run(Json variables, base::WallTime now) const {
        variables["bos_token"] = parts.bos;
        variables["eos_token"] = parts.eos;
        return program.run(variables, now);
    }

    // --- Trying ---------------------------------------------------------------------------------

    bool shows(const Json& messages, std::string_view needle, const Json& tools = nullptr) const {
        Json variables{{"messages", messages}, {"add_generation_prompt", false}};
        if (!tools.is_null()) variables["tools"] = tools;
        const auto text = run(std::move(variables), base::WallTime{});
        return text && text->contains(needle);
    }

    void try_out() {
        const auto user = [&] { return Json{{"role", role("user")}, {"content", content("needle-user")}}; };
        for (auto* ability : {&can.capital_roles, &can.typed_content}) {
            *ability = !shows(Json::array({user()}), "needle-user");
            if (*ability && !shows(Json::array({user()}), "needle-user")) *ability = false;
        }
        can.system = shows(Json::array({Json{{"role", role("system")}, {"content", content("needle-system")}}, user()}), "needle-system");
        const Json tool{{"type", "function"},
                        {"function",
                         {{"name", "needle_tool"},
                          {"description", "needle"},
                          {"parameters",
                           {{"type", "object"},
                            {"properties", {{"x", {{"type", "string"}, {"description", "x"}}}}},
                            {"required", Json::array({"x"})}}}}}};
        can.tools = shows(Json::array({user()}), "needle_tool", Json::array({tool}));
        if (!can.tools) return;
        const auto call = [&](const Json& arguments) {
            return Json{{"role", role("assistant")},
                        {"content", content("")},
                        {"tool_calls", Json::array({Json{{"id", "abcdefghi"},
                                                         {"type", "function"},
                                                         {"function", {{"name", "needle_tool"}, {"arguments", arguments}}}}})}};
        };
        const Json object{{"needle_key", "needle_value"}};
        const auto tools = Json::array({tool});
        // With arguments printed twice quoted, the needle shows with a backslash before its quote.
        const bool as_object = shows(Json::array({user(), call(object)}), "\"needle_key\"", tools);
        const bool as_text = !as_object && shows(Json::array({user(), call(object.dump())}), "\"needle_key\"", tools);
        can.tool_calls = as_object || as_text;
        can.call_arguments_as_text = as_text;
        const Json answer{
            {"role", role("tool")}, {"name", "needle_tool"}, {"tool_call_id", "abcdefghi"}, {"content", content("needle-answer")}};
        can.tool_answers =
            can.tool_calls && shows(Json::array({user(), call(as_text ? Json(object.dump()) : object), answer}), "needle-answer", tools);
    }

    // --- Rendering ------------------------------------------------------------------------------

    Json message(const Message& from) const {
        Json out{{"role", role(word(from.role))}, {"content", content(from.text)}};
        if (!from.name.empty()) out["name"] = from.name;
        if (from.role == Role::tool) {
            if (!can.tool_answers) return {{"role", role("user")}, {"content", content(tool_answer_as_text(from, format.calls))}};
            out["tool_call_id"] = format.calls == CallSyntax::mistral ? short_id(from.tool_call_id) : from.tool_call_id;
        }
        if (from.role != Role::assistant) return out;
        if (!from.reasoning.empty()) out["reasoning_content"] = from.reasoning;
        if (from.tool_calls.empty()) return out;
        if (!can.tool_calls) {
            out["content"] = content(from.text + (from.text.empty() ? "" : "\n") + calls_as_text(from.tool_calls, format.calls));
            return out;
        }
        auto calls = Json::array();
        for (const auto& call : from.tool_calls) {
            Json arguments = call.arguments.empty() ? "{}" : call.arguments;
            if (!can.call_arguments_as_text)
                if (auto object = parse_json(arguments.get_ref<const std::string&>(), "arguments")) arguments = std::move(*object);
            calls.push_back({{"id", format.calls == CallSyntax::mistral ? short_id(call.id) : call.id},
                             {"type", "function"},
                             {"function", {{"name", call.name}, {"arguments", std::move(arguments)}}}});
        }
        out["tool_calls"] = std::move(calls);
        return out;
    }

    // The messages as the template can take them: system text of ours where it knows no tools, and in the
    // first user message where it knows no system.
    std::vector<Message> prepared(const Conversation& conversation, bool tell_tools) const {
        auto messages = conversation.messages;
        if (tell_tools) {
            auto text = tools_instruction(conversation.tools, format.calls);
            if (!messages.empty() && messages.front().role == Role::system)
                messages.front().text += (messages.front().text.empty() ? "" : "\n\n") + text;
            else messages.insert(messages.begin(), Message{.role = Role::system, .text = std::move(text)});
        }
        if (can.system) return messages;
        std::vector<Message> out;
        std::string held;
        for (auto& from : messages) {
            if (from.role == Role::system) {
                held += (held.empty() ? "" : "\n\n") + from.text;
                continue;
            }
            if (!held.empty() && from.role == Role::user) from.text = std::exchange(held, {}) + "\n\n" + from.text;
            else if (!held.empty()) out.push_back({.role = Role::user, .text = std::exchange(held, {})});
            out.push_back(std::move(from));
        }
        if (!held.empty()) out.push_back({.role = Role::user, .text = std::move(held)});
        return out;
    }

    base::Result<Json> tool_list(const Conversation& conversation) const {
        auto out = Json::array();
        for (std::size_t i = 0; i < conversation.tools.size(); ++i) {
            const auto& tool = conversation.tools[i];
            auto parameters = parse_json(tool.parameters.empty() ? "{}" : tool.parameters, "the tool's parameters");
            if (!parameters)
                return fail(ErrorKind::invalid, parameters.error().message, {}, std::format("tools[{}].function.parameters", i));
            out.push_back({{"type", "function"},
                           {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", std::move(*parameters)}}}});
        }
        return out;
    }
};

base::Result<ChatTemplate> ChatTemplate::compile(ChatTemplateParts parts) {
    std::vector<std::string> stop;
    if (without_trailing_blanks(parts.text).empty()) {
        auto name = parts.model_name;
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const bool lines = name.contains("teuken");
        parts.text = lines ? teuken : chatml;
        stop.emplace_back(lines ? "\nUser:" : "<|im_end|>");
    }
    auto program = TemplateProgram::parse(parts.text);
    if (!program) return std::unexpected(program.error());
    const auto format = format_of(parts.text);
    const bool named_first = parts.text.contains("[ARGS]");
    try {
        auto state = std::make_shared<State>(State{std::move(parts), std::move(*program), format, {}, named_first, std::move(stop)});
        state->try_out();
        return ChatTemplate(std::move(state));
    } catch (const Json::exception&) {
        return fail(ErrorKind::invalid, "the chat template's tokens are no valid text", "invalid_chat_template");
    }
}

base::Result<RenderedPrompt> ChatTemplate::render(const Conversation& conversation, base::WallTime now) const {
    const auto& s = *state_;
    using Mode = ToolChoice::Mode;
    const auto mode = conversation.tool_choice.mode;
    const bool offered = !conversation.tools.empty() && mode != Mode::none;
    std::vector<ToolDefinition> callable = conversation.tools;
    if (mode == Mode::named) std::erase_if(callable, [&](const auto& tool) { return tool.name != conversation.tool_choice.name; });
    if ((mode == Mode::named || mode == Mode::required) && callable.empty())
        return fail(ErrorKind::invalid,
                    mode == Mode::named ? "tool_choice names a tool that is not among the tools"
                                        : "tool_choice requires a tool, but there are none",
                    {}, "tool_choice");
    try {
        Json variables = Json::object();
        if (!conversation.template_arguments.empty()) {
            auto given = parse_json(conversation.template_arguments, "the template's arguments");
            if (!given || !given->is_object())
                return fail(ErrorKind::invalid, "the template's arguments must be a JSON object", {}, "chat_template_kwargs");
            variables = std::move(*given);
        }
        auto messages = Json::array();
        for (const auto& message : s.prepared(conversation, offered && !s.can.tools)) messages.push_back(s.message(message));
        variables["messages"] = std::move(messages);
        variables["add_generation_prompt"] = conversation.add_generation_prompt;
        if (offered && s.can.tools) {
            auto tools = s.tool_list(conversation);
            if (!tools) return std::unexpected(tools.error());
            variables["tools"] = std::move(*tools);
        }
        auto text = s.run(std::move(variables), now);
        if (!text) return std::unexpected(text.error());

        RenderedPrompt out;
        out.text = std::move(*text);
        out.stop = s.stop;
        out.answer_format = s.format.words();
        const auto open = s.format.reasoning_open();
        out.starts_in_reasoning = conversation.add_generation_prompt && !open.empty() && without_trailing_blanks(out.text).ends_with(open);
        if (offered) {
            const bool required = mode != Mode::automatic;
            auto grammar =
                call_grammar(callable, {.syntax = s.format.calls,
                                        .names_before_arguments = s.names_before_arguments,
                                        .parallel = conversation.parallel_tool_calls,
                                        .required = required,
                                        .after = required && out.starts_in_reasoning ? s.format.reasoning_close() : std::string_view{}});
            out.constraint = std::move(grammar.constraint);
            out.constraint_triggers = std::move(grammar.triggers);
        }
        return out;
    } catch (const Json::exception&) {
        return fail(ErrorKind::invalid, "the conversation holds text that is no valid UTF-8", {}, "messages");
    }
}

std::vector<std::string> ChatTemplate::marker_tokens() const {
    const auto& format = state_->format;
    std::vector<std::string> out;
    for (const auto marker : {format.call_open(), format.call_close(), format.reasoning_open(), format.reasoning_close()})
        if (!marker.empty()) out.emplace_back(marker);
    if (format.calls == CallSyntax::mistral) out.insert(out.end(), {"[ARGS]", "[CALL_ID]"});
    return out;
}

bool ChatTemplate::supports_tools() const { return state_->can.tools; }

std::string ChatTemplate::answer_format() const { return state_->format.words(); }

}  // namespace hanse::engine
