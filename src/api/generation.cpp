// SPDX-License-Identifier: Apache-2.0
#include "generation.hpp"

#include <utility>

namespace hanse::api {

Generation::Generation(Call& call, task::Answer answer, std::uint32_t choices_per_prompt)
    : call_(call), answer_(std::move(answer)), usage_(choices_per_prompt), seen_(answer_.choices()) {
    call.texts.resize(answer_.choices());
}

void Generation::settle() {
    if (std::exchange(settled_, true)) return;
    call_.count_tokens(usage_.prompt_tokens(), usage_.cached_tokens(), usage_.completion_tokens());
}

Generation::~Generation() {
    settle();
    call_.task.trace.open(task::Stop::api_out, call_.now());
}

std::string Generation::echo(std::uint32_t prompt) { return call_.opened(answer_.detokenize(prompt)).value_or(""); }

boost::asio::awaitable<base::Result<std::vector<task::Answer::Item>>> Generation::next() {
    auto labelled = co_await answer_.next();
    if (!labelled) co_return std::unexpected(labelled.error());
    auto items = call_.opened(std::move(*labelled));
    if (!items) co_return items;
    bool tokens = false;
    for (const auto& item : *items) {
        if (const auto* text = std::get_if<engine::TextEvent>(&item.event)) {
            tokens = tokens || text->tokens > 0;
            seen_[item.choice] += text->tokens;
            usage_.saw(*text);
        } else if (const auto* finish = std::get_if<engine::FinishEvent>(&item.event)) {
            usage_.add(item.choice, finish->usage, seen_[item.choice]);
        } else {
            co_return std::unexpected(std::get<engine::ErrorEvent>(item.event).error);
        }
    }
    if (tokens) call_.saw_tokens();
    if (answer_.ended()) settle();
    co_return items;
}

}  // namespace hanse::api
