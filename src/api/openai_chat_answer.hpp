// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "call.hpp"
#include "engine/answer_reader.hpp"
#include "generation.hpp"
#include "openai_chat.hpp"

namespace hanse::api {

// POST /v1/chat/completions with a model of this node.
boost::asio::awaitable<void> serve_chat(Call& call, std::string_view body);

// The whole answer as one object.
boost::asio::awaitable<void> collect_chat(Call& call, const ChatAsk& ask, Generation& generation);
// As server-sent events, one write for each step of the model.
boost::asio::awaitable<void> stream_chat(Call& call, const ChatAsk& ask, Generation& generation);

// A reader for each choice: call ids differ between choices and requests.
std::vector<engine::AnswerReader> answer_readers(Call& call, bool tools_offered, const task::Answer& answer);

}  // namespace hanse::api
