// SPDX-License-Identifier: Apache-2.0
#include "chat_template.hpp"

#include <gtest/gtest.h>

#include "byte_vocabulary.hpp"

namespace hanse::engine {
namespace {

constexpr base::WallTime today{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + std::chrono::hours{5}};

ChatTemplate compiled(std::string text, std::string name = {}) {
    auto made = ChatTemplate::compile({.text = std::move(text), .bos = "<s>", .eos = "</s>", .model_name = std::move(name)});
    EXPECT_TRUE(made) << made.error().message;
    return *made;
}

RenderedPrompt rendered(const ChatTemplate& with, const Conversation& conversation) {
    auto out = with.render(conversation, today);
    EXPECT_TRUE(out) << out.error().message;
    return out ? *out : RenderedPrompt{};
}

Conversation greeting() { return {.messages = {{.role = Role::system, .text = "Be kind."}, {.text = "Moin"}}}; }

Conversation with_tool(ToolChoice::Mode mode = ToolChoice::Mode::automatic) {
    auto out = greeting();
    out.tools = {
        {"get_weather", "The weather in a city.", R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"}};
    out.tool_choice.mode = mode;
    return out;
}

// Whether the constraint, asleep as it may be, takes the whole text.
bool takes(const RenderedPrompt& prompt, std::string_view text) {
    static const ByteVocabulary bytes;
    ConstraintCompiler compiler(bytes.trie);
    auto matcher = compiler.matcher(prompt.constraint, prompt.constraint_triggers);
    EXPECT_TRUE(matcher) << matcher.error().message;
    return matcher && takes_whole(*matcher, text);
}

// The constructs that real templates use, in small: a namespace, a loop with a filter, tojson, blank control.
constexpr auto knows_tools = R"({{ bos_token }}
{%- set found = namespace(system='') %}
{%- for m in messages if m.role == 'system' %}{% set found.system = m.content %}{% endfor %}
{%- if tools %}[TOOLS]{{ tools | tojson }}[/TOOLS]{% endif %}
{%- if found.system %}<sys>{{ found.system | trim }}</sys>{% endif %}
{%- for m in messages %}
  {%- if m.role == 'user' %}<u>{{ m.content }}</u>
  {%- elif m.role == 'tool' %}<t>{{ m.content }}</t>
  {%- elif m.role == 'assistant' and m.tool_calls is defined %}
    {%- for call in m.tool_calls %}<tool_call>{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}</tool_call>{% endfor %}
  {%- elif m.role == 'assistant' %}<a>{{ m.content }}</a>
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}<a>{% if enable_thinking is defined and enable_thinking %}<think>{{ '\n' }}{% endif %}{% endif %})";

TEST(ChatTemplate, is_chatml_where_the_model_has_none) {
    const auto prompt = rendered(compiled(""), greeting());
    EXPECT_EQ(prompt.text, "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nMoin<|im_end|>\n<|im_start|>assistant\n");
    EXPECT_EQ(prompt.stop, std::vector<std::string>{"<|im_end|>"});
    EXPECT_TRUE(std::holds_alternative<std::monostate>(prompt.constraint));
}

TEST(ChatTemplate, speaks_to_teuken_in_the_language_asked_for) {
    const auto teuken = compiled("", "Teuken-7B-instruct-v0.6");
    Conversation hello{.messages = {{.text = "Moin"}}};
    EXPECT_TRUE(rendered(teuken, hello).text.starts_with("System: Ein Gespräch"));
    EXPECT_TRUE(rendered(teuken, hello).text.ends_with("\nUser: Moin\nAssistant:")) << rendered(teuken, hello).text;
    hello.template_arguments = R"({"language":"EN"})";
    EXPECT_TRUE(rendered(teuken, hello).text.starts_with("System: A chat"));
}

TEST(ChatTemplate, hands_tools_to_a_template_that_knows_them) {
    const auto with = compiled(knows_tools);
    EXPECT_TRUE(with.supports_tools());
    const auto prompt = rendered(with, with_tool());
    EXPECT_TRUE(prompt.text.starts_with("<s>[TOOLS][{\"type\": \"function\"")) << prompt.text;
    EXPECT_TRUE(prompt.text.ends_with("<sys>Be kind.</sys><u>Moin</u><a>")) << prompt.text;
}

TEST(ChatTemplate, tells_of_tools_in_the_system_message_otherwise) {
    const auto with = compiled("");
    EXPECT_FALSE(with.supports_tools());
    const auto prompt = rendered(with, with_tool());
    EXPECT_TRUE(prompt.text.starts_with("<|im_start|>system\nBe kind.\n\n# Tools")) << prompt.text;
    EXPECT_TRUE(prompt.text.contains("\"name\": \"get_weather\""));
    EXPECT_EQ(prompt.answer_format, "hermes");
}

TEST(ChatTemplate, says_nothing_of_tools_that_must_not_be_called) {
    const auto prompt = rendered(compiled(knows_tools), with_tool(ToolChoice::Mode::none));
    EXPECT_FALSE(prompt.text.contains("get_weather"));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(prompt.constraint));
}

TEST(ChatTemplate, writes_calls_and_their_answers_either_way) {
    auto conversation = with_tool();
    conversation.messages.push_back({.role = Role::assistant, .text = "", .tool_calls = {{"call_1", "get_weather", R"({"city":"Kiel"})"}}});
    conversation.messages.push_back({.role = Role::tool, .text = "9 °C", .tool_call_id = "call_1"});
    const auto native = rendered(compiled(knows_tools), conversation).text;
    EXPECT_TRUE(native.contains(R"(<tool_call>{"name": "get_weather", "arguments": {"city": "Kiel"}}</tool_call><t>9 °C</t>)")) << native;
    const auto told = rendered(compiled(""), conversation).text;
    EXPECT_TRUE(
        told.contains("<|im_start|>assistant\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\":\"Kiel\"}}\n</tool_call>"))
        << told;
    EXPECT_TRUE(told.contains("<|im_start|>user\n<tool_response>\n9 °C\n</tool_response>")) << told;
}

TEST(ChatTemplate, puts_the_system_text_into_the_first_question_where_there_is_no_system) {
    const auto with = compiled(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('No system here') }}{% endif %}{{ m.role }}:{{ m.content "
        "}};{% endfor %}");
    EXPECT_EQ(rendered(with, greeting()).text, "user:Be kind.\n\nMoin;");
}

TEST(ChatTemplate, writes_content_as_parts_where_the_template_wants_them) {
    const auto with = compiled("{% for m in messages %}{{ m.role }}:{% for part in m.content %}{{ part.text }}{% endfor %};{% endfor %}");
    EXPECT_EQ(rendered(with, greeting()).text, "system:Be kind.;user:Moin;");
}

TEST(ChatTemplate, constrains_required_calls_from_the_start) {
    const auto prompt = rendered(compiled(knows_tools), with_tool(ToolChoice::Mode::required));
    EXPECT_TRUE(prompt.constraint_triggers.empty());
    EXPECT_TRUE(takes(prompt, "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Kiel\"}}\n</tool_call>"));
    EXPECT_TRUE(takes(
        prompt,
        R"(<tool_call>{"name":"get_weather","arguments":{"city":"a"}}</tool_call><tool_call>{"name":"get_weather","arguments":{"city":"b"}}</tool_call>)"));
    EXPECT_FALSE(takes(prompt, R"(<tool_call>{"name":"get_weather","arguments":{"town":"Kiel"}}</tool_call>)"));
    EXPECT_FALSE(takes(prompt, "The weather is fine."));
}

TEST(ChatTemplate, constrains_chosen_calls_from_where_they_begin) {
    auto conversation = with_tool();
    conversation.parallel_tool_calls = false;
    const auto prompt = rendered(compiled(knows_tools), conversation);
    EXPECT_EQ(prompt.constraint_triggers, std::vector<std::string>{"<tool_call>"});
    EXPECT_TRUE(takes(prompt, "The weather is fine."));
    EXPECT_TRUE(takes(prompt, R"(Let me look. <tool_call>{"name":"get_weather","arguments":{"city":"a"}}</tool_call>)"));
    EXPECT_FALSE(takes(prompt, R"(<tool_call>{"name":"get_time","arguments":{}}</tool_call>)"));
    EXPECT_FALSE(takes(prompt, R"(<tool_call>{"name":"get_weather","arguments":{"city":"a"}}</tool_call>
<tool_call>{"name":"get_weather","arguments":{"city":"a"}}</tool_call>)"));
}

TEST(ChatTemplate, knows_the_families_by_their_templates) {
    const std::string body = "{% for m in messages %}{{ m.content }}{% endfor %}";
    const auto of = [&](std::string mark) {
        auto with = compiled("{# " + mark + " #}" + body);
        return std::pair(with.answer_format(), rendered(with, with_tool(ToolChoice::Mode::required)));
    };
    EXPECT_EQ(of("<|tools_prefix|> <|inner_prefix|>").first, "apertus inner");
    EXPECT_TRUE(takes(of("<|tools_prefix|>").second, R"(<|tools_prefix|>[{"get_weather": {"city": "a"}}]<|tools_suffix|>)"));
    EXPECT_EQ(of("[TOOL_CALLS]").first, "mistral");
    EXPECT_TRUE(takes(of("[TOOL_CALLS]").second, R"([TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "a"}}])"));
    EXPECT_TRUE(takes(of("[TOOL_CALLS] [ARGS]").second, R"([TOOL_CALLS]get_weather[ARGS]{"city": "a"})"));
    EXPECT_EQ(of("<|python_tag|>").first, "llama");
    EXPECT_TRUE(takes(of("<|python_tag|>").second, R"({"name": "get_weather", "parameters": {"city": "a"}})"));
}

TEST(ChatTemplate, lets_a_reasoning_model_think_before_a_required_call) {
    auto conversation = with_tool(ToolChoice::Mode::required);
    conversation.template_arguments = R"({"enable_thinking":true})";
    const auto prompt = rendered(compiled(knows_tools), conversation);
    EXPECT_TRUE(prompt.starts_in_reasoning);
    EXPECT_EQ(prompt.answer_format, "hermes think");
    EXPECT_TRUE(takes(prompt, R"(Hm, Kiel.</think>
<tool_call>{"name":"get_weather","arguments":{"city":"Kiel"}}</tool_call>)"));
    EXPECT_FALSE(takes(prompt, "Hm.</think>\nNo."));
}

TEST(ChatTemplate, refuses_a_named_tool_that_is_not_there) {
    auto conversation = with_tool(ToolChoice::Mode::named);
    conversation.tool_choice.name = "other";
    const auto out = compiled("").render(conversation, today);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().param, "tool_choice");
}

TEST(ChatTemplate, tells_only_the_time_it_was_given) {
    EXPECT_EQ(rendered(compiled("{{ strftime_now('%d %b %Y %H:%M') }} {{ messages[0].content }}"), {.messages = {{.text = "x"}}}).text,
              "24 Nov 2026 05:00 x");
}

TEST(ChatTemplate, passes_on_why_a_template_refuses) {
    const auto out = compiled("{{ raise_exception('Roles must alternate') }}").render(greeting(), today);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().kind, base::ErrorKind::invalid);
    EXPECT_TRUE(out.error().message.ends_with("Roles must alternate"));
}

TEST(ChatTemplate, keeps_messages_out_of_errors) {
    const auto out = compiled("{{ messages[0].content.nothing.more }}").render({.messages = {{.text = "my secret"}}}, today);
    ASSERT_FALSE(out);
    EXPECT_FALSE(out.error().message.contains("secret")) << out.error().message;
}

TEST(ChatTemplate, refuses_what_is_no_template) {
    for (const auto* text : {"{% for x in y %}", "{{ (((", "{% if %}", "{% endfor %}", "{#"}) {
        const auto made = ChatTemplate::compile({.text = text});
        ASSERT_FALSE(made) << text;
        EXPECT_EQ(made.error().kind, base::ErrorKind::invalid);
    }
}

TEST(ChatTemplate, ends_programs_that_would_not) {
    const std::string ten = "[1,2,3,4,5,6,7,8,9,0]";
    std::string loops;
    std::string ends;
    for (int i = 0; i < 12; ++i) {
        loops += "{% for x in " + ten + " %}";
        ends += "{% endfor %}";
    }
    std::string doubling = "{% set s = 'x' %}";
    for (int i = 0; i < 60; ++i) doubling += "{% set s = s ~ s %}";
    std::string chain = "{{ 1";
    for (int i = 0; i < 40'000; ++i) chain += "~1";
    const std::string programs[] = {
        loops + ends,
        doubling,
        chain + " }}",
        "{% for i in range(1000000000) %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'x' * 10000000000 }}",
        "{% set s = 'x' * 10000 %}{{ s | replace('x', s) | replace('x', s) }}",
    };
    for (const auto& text : programs) {
        const auto made = ChatTemplate::compile({.text = text});
        if (!made) continue;
        const auto out = made->render(greeting(), today);
        if (text.starts_with(chain)) continue;  // long, but it may end
        EXPECT_FALSE(out) << text.substr(0, 60);
    }
}

}  // namespace
}  // namespace hanse::engine
