// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/answer_reader.hpp"
#include "engine/conversation.hpp"

namespace hanse::api {

// One choice of an answer as the caller gets it, whatever the wire form: what a receipt's digest is of. The content as it
// is; where there is reasoning or a tool call besides, a JSON object of all of it in canonical form (RFC 8785),
// {"content":…,"reasoning":…,"tool_calls":[{"arguments":…,"id":…,"name":…}]}, without the empty ones.
class ChoiceText {
public:
    void add(const std::vector<engine::AnswerPart>& parts);
    void add(std::string_view text) { content_ += text; }
    std::string text() const;

private:
    std::string content_ = {};
    std::string reasoning_ = {};
    std::vector<engine::ToolCall> calls_ = {};
};

}  // namespace hanse::api
