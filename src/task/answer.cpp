// SPDX-License-Identifier: Apache-2.0
#include "task/answer.hpp"

#include <boost/asio/this_coro.hpp>

#include "answer_state.hpp"
#include "line.hpp"

namespace hanse::task {

Answer::State::~State() {
    for (const auto& stream : streams) {
        stream->cancel();
        stream->on_ready({});
    }
    if (line && began != base::Instant{})
        line->learn(std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began));
}

Answer::Answer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Answer::~Answer() = default;
Answer::Answer(Answer&&) noexcept = default;
Answer& Answer::operator=(Answer&&) noexcept = default;

const engine::ModelFacts& Answer::facts() const { return state_->model->facts(); }
std::uint32_t Answer::choices() const { return static_cast<std::uint32_t>(state_->streams.size()); }
const std::vector<std::string>& Answer::experts() const { return state_->experts; }
const std::string& Answer::answer_format() const { return state_->rendered.answer_format; }
bool Answer::starts_in_reasoning() const { return state_->rendered.starts_in_reasoning; }
bool Answer::ended() const { return state_->running == 0; }

label::Labelled<std::string> Answer::detokenize(std::uint32_t prompt) const {
    return {prompt < state_->prompts.size() ? state_->model->detokenize(state_->prompts[prompt]) : std::string(), state_->label};
}

void Answer::stop(std::uint32_t choice) {
    if (choice >= state_->streams.size() || state_->over[choice]) return;
    state_->streams[choice]->cancel();
    state_->over[choice] = true;
    --state_->running;
}

boost::asio::awaitable<base::Result<label::Labelled<std::vector<Answer::Item>>>> Answer::next() {
    State& state = *state_;
    std::vector<Item> items;
    while (true) {
        if (state.stop.stop_requested()) co_return base::fail(base::ErrorKind::cancelled, "the client went away");
        for (std::uint32_t choice = 0; choice < state.streams.size(); ++choice) {
            if (state.over[choice]) continue;
            for (auto& event : state.streams[choice]->take()) {
                if (!std::holds_alternative<engine::TextEvent>(event)) {
                    state.over[choice] = true;
                    --state.running;
                }
                items.push_back({choice, std::move(event)});
            }
            if (!state.over[choice] && state.streams[choice]->cancelled())
                co_return base::fail(base::ErrorKind::cancelled, "the reader was too slow for the answer");
        }
        if (!items.empty() || state.running == 0) co_return label::Labelled<std::vector<Item>>(std::move(items), state.label);
        if (state.deadline.passed(state.clock.now()))
            co_return base::fail(base::ErrorKind::deadline, "the answer was not ready by its deadline");
        if (!state.alarm && state.deadline.when()) {
            const auto executor = co_await boost::asio::this_coro::executor;
            state.alarm.emplace(executor, state.deadline.left(state.clock.now()));
            state.alarm->async_wait([wake = state.signal](const boost::system::error_code& error) {
                if (!error) wake->notify();
            });
        }
        co_await state.signal->wait();
    }
}

}  // namespace hanse::task
