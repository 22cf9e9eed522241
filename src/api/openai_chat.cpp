// SPDX-License-Identifier: Apache-2.0
#include "openai_chat.hpp"

#include "fields.hpp"
#include "openai_messages.hpp"
#include "openai_sampling.hpp"

namespace hanse::api {
namespace {

void read_stream(Fields& body, ChatAsk& ask) {
    ask.stream = body.boolean("stream").value_or(false);
    const auto path = body.at("stream_options");
    const auto value = body.of_kind("stream_options", JsonKind::object);
    if (!value) return;
    if (!ask.stream) return body.complaint().say(path, "is allowed only when stream is true");
    Fields options(*value, path, body.complaint());
    ask.include_usage = options.boolean("include_usage").value_or(false);
}

void read_logprobs(Fields& body, ChatAsk& ask) {
    ask.logprobs = body.boolean("logprobs").value_or(false);
    const auto top = body.integer("top_logprobs", 0, 20);
    if (top && !ask.logprobs) return body.complaint().say(body.at("top_logprobs"), "is allowed only when logprobs is true");
    if (ask.logprobs) ask.generate.request.sampling.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
}

// What OpenAI's API has and this one does not do: silence would be a lie.
void refuse_unsupported(Fields& body) {
    const auto path = body.at("modalities");
    if (const auto modalities = body.of_kind("modalities", JsonKind::array))
        for (auto item = modalities->first(); item; item = item->next())
            if (item->raw() != "\"text\"") return body.complaint().say(path, "may hold \"text\" only", "unsupported_value");
    if (body.any("audio")) body.complaint().say(body.at("audio"), "is not supported", "unsupported_value");
    if (body.any("functions")) body.complaint().say(body.at("functions"), "is no longer supported: use tools", "unsupported_value");
}

}  // namespace

base::Result<ChatAsk> read_chat(std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    ChatAsk ask;
    engine::Conversation conversation;
    ask.model = body.required_string("model");
    read_messages(body, conversation);
    read_stream(body, ask);
    read_sampling(body, ask.generate.request);
    read_stop(body, ask.generate.request);
    read_max_tokens(body, ask.generate.request, {"max_completion_tokens", "max_tokens"});
    ask.generate.choices = static_cast<std::uint32_t>(body.integer("n", 1, choices_max).value_or(1));
    read_logprobs(body, ask);
    const auto format_path = body.at("response_format");
    if (const auto format = body.of_kind("response_format", JsonKind::object)) {
        Fields fields(*format, format_path, complaint);
        read_format(fields, ask.generate.request);
    }
    read_tools(body, conversation, ToolForm::nested);
    ask.tools_offered = !conversation.tools.empty() && conversation.tool_choice.mode != engine::ToolChoice::Mode::none;
    if (const auto arguments = body.of_kind("chat_template_kwargs", JsonKind::object)) conversation.template_arguments = arguments->raw();
    refuse_unsupported(body);
    if (complaint.any()) return std::unexpected(complaint.error());
    ask.generate.prompts.emplace_back(std::move(conversation));
    return ask;
}

}  // namespace hanse::api
