// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call.hpp"
#include "engine/conversation.hpp"
#include "response_store.hpp"
#include "task/answer.hpp"

namespace hanse::api {

// A request to /v1/responses, understood. What the response object repeats is kept as JSON text.
struct ResponseAsk {
    std::string model;
    bool stream = false;
    bool store = true;
    bool logprobs = false;
    bool tools_offered = false;
    std::string instructions = {};
    std::string previous_id = {};
    std::string input_items = "[]";
    std::string echoed = {};                      // the fields that come back unchanged, `,"name":value…`
    std::vector<engine::Message> messages = {};   // of this request, without instructions
    engine::Conversation conversation = {};       // tools and their choice; messages are put together later
    task::GenerateAsk generate = {};
};
base::Result<ResponseAsk> read_response(std::string_view body);

// POST /v1/responses with a model of this node.
boost::asio::awaitable<void> serve_responses(Call& call, ResponseStore& store, std::string_view body);
// GET and DELETE /v1/responses/{id}, GET …/input_items.
boost::asio::awaitable<void> serve_stored_response(Call& call, ResponseStore& store);

}  // namespace hanse::api
