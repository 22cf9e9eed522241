// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/time.hpp"
#include "engine/event_stream.hpp"
#include "engine/model.hpp"
#include "signal.hpp"
#include "task/answer.hpp"
#include "task/desk.hpp"

namespace hanse::task {

struct Answer::State {
    State(base::Clock& given_clock, std::stop_token given_stop, base::Deadline given_deadline)
        : clock(given_clock),
          stop(std::move(given_stop)),
          deadline(given_deadline),
          on_stop(stop, [wake = signal] { wake->notify(); }) {}
    ~State();

    base::Clock& clock;
    std::shared_ptr<Signal> signal = std::make_shared<Signal>();
    std::stop_token stop;
    base::Deadline deadline;
    std::stop_callback<std::function<void()>> on_stop;
    std::optional<boost::asio::steady_timer> alarm;

    label::Label label = {};  // of all that comes out
    Ticket ticket;
    base::Instant began{};
    std::shared_ptr<Ticket::Line> line;
    std::shared_ptr<engine::Model> model;
    std::vector<std::string> experts;
    std::vector<std::vector<engine::TokenId>> prompts;
    engine::RenderedPrompt rendered;

    std::vector<std::shared_ptr<engine::EventStream>> streams;
    std::vector<bool> over;
    std::size_t running = 0;
};

}  // namespace hanse::task
