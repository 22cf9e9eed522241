// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/conversation.hpp"
#include "engine/model.hpp"

namespace hanse::engine {

// What a model's metadata says about conversations; any of it may be empty.
struct ChatTemplateParts {
    std::string text = {};        // tokenizer.chat_template
    std::string bos = {};         // texts of these tokens
    std::string eos = {};
    std::string model_name = {};  // general.name; chooses a template where there is none
};

// Renders conversations into prompts, as the model's own Jinja template says, and tells how the answer is to be
// read. Without a template it is ChatML, for Teuken its plain lines in the language asked for
// (template_arguments {"language": "DE"}).
//
// What a template cannot do is done for it, found out by trying once in compile(): tools become part of the
// system message, tool calls and their answers become text, a system message joins the first user message.
// Calls are constrained by a grammar: from the start if the caller requires one, else from the moment that
// the model begins one.
//
// A template is somebody else's program. It runs on a stack of its own with a budget of memory and allocations
// that every step of it uses up, so that loops and recursion end in an error (work_budget.hpp). Immutable and
// thread-safe; cheap to copy.
class ChatTemplate {
public:
    // `invalid`: the template is no Jinja that can be read, or longer than 128 KiB.
    static base::Result<ChatTemplate> compile(ChatTemplateParts parts);

    // `now` is all that the template learns about time (strftime_now), in UTC. `invalid`: the template refuses
    // this conversation, with its reason, or used up its budget. Errors hold no text of the messages.
    // The text begins with the token `bos` if the template writes it: tokenise without adding another.
    base::Result<RenderedPrompt> render(const Conversation& conversation, base::WallTime now) const;

    // Control tokens that are part of an answer: they must appear in its text for AnswerReader to see them,
    // whatever GenerateRequest::keep_special_tokens says.
    std::vector<std::string> marker_tokens() const;
    bool supports_tools() const;  // natively
    std::string answer_format() const;

private:
    struct State;
    explicit ChatTemplate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

}  // namespace hanse::engine
