// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "engine/conversation.hpp"
#include "engine/generate.hpp"
#include "engine/model.hpp"
#include "label/labelled.hpp"

namespace hanse::task {

// Text that a caller gave is read as plain text: it cannot forge control tokens.
using Prompt = std::variant<engine::Conversation, std::string, std::vector<engine::TokenId>>;

// What is wanted from a model of this node. The desk fills in what `request` leaves open: the prompt, the
// partition, the priority and the deadlines.
struct GenerateAsk {
    std::vector<Prompt> prompts;         // at least one
    std::uint32_t choices = 1;           // answers per prompt
    engine::GenerateRequest request = {};
};

// The answers of a model as they grow. Choice p*choices+c is the c-th answer to the p-th prompt.
//
// The engine pushes on its threads; next() wakes its coroutine with one post per step of the model, however
// many streams there are, and hands over all that has come. Belongs to one coroutine; destroying it stops
// what still runs. Holds the model and the place in the queue as long as it lives.
class Answer {
public:
    struct Item {
        std::uint32_t choice = 0;
        engine::Event event;
    };
    struct State;

    explicit Answer(std::unique_ptr<State> state);
    ~Answer();
    Answer(Answer&&) noexcept;
    Answer& operator=(Answer&&) noexcept;

    const engine::ModelFacts& facts() const;
    std::uint32_t choices() const;  // of all prompts together
    // Of a mixture: the names of the experts that could take part. Empty: the model tells of none.
    const std::vector<std::string>& experts() const;
    // For AnswerReader; meaningful if the prompt was a conversation.
    const std::string& answer_format() const;
    bool starts_in_reasoning() const;
    label::Labelled<std::string> detokenize(std::uint32_t prompt) const;  // the prompt's text (`echo`)

    // At least one event, or none when every choice has ended. `cancelled` when the task was stopped,
    // `deadline` when its time is over.
    boost::asio::awaitable<base::Result<label::Labelled<std::vector<Item>>>> next();
    bool ended() const;
    // Stops one choice, e.g. when enough is known.
    void stop(std::uint32_t choice);

private:
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
