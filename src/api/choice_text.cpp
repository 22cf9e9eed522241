// SPDX-License-Identifier: Apache-2.0
#include "choice_text.hpp"

#include "journal/canonical.hpp"

namespace hanse::api {

void ChoiceText::add(const std::vector<engine::AnswerPart>& parts) {
    for (const auto& part : parts) {
        if (const auto* text = std::get_if<engine::AnswerText>(&part)) content_ += text->text;
        else if (const auto* thought = std::get_if<engine::AnswerReasoning>(&part)) reasoning_ += thought->text;
        else if (const auto* begin = std::get_if<engine::ToolCallBegin>(&part)) calls_.push_back({begin->id, begin->name, {}});
        else if (const auto* piece = std::get_if<engine::ToolCallArguments>(&part); piece && piece->index < calls_.size())
            calls_[piece->index].arguments += piece->text;
    }
}

std::string ChoiceText::text() const {
    if (reasoning_.empty() && calls_.empty()) return content_;
    journal::CanonicalObject whole;
    whole.text_if_any("content", content_).text_if_any("reasoning", reasoning_);
    std::vector<journal::CanonicalObject> calls;
    for (const engine::ToolCall& call : calls_) {
        journal::CanonicalObject& one = calls.emplace_back();
        one.text("id", call.id).text("name", call.name).text("arguments", call.arguments);
    }
    if (!calls.empty()) whole.objects("tool_calls", calls);
    return whole.text();
}

}  // namespace hanse::api
