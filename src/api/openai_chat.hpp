// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "task/answer.hpp"

namespace hanse::api {

// A request to /v1/chat/completions, understood.
struct ChatAsk {
    std::string model;
    bool stream = false;
    bool include_usage = false;
    bool logprobs = false;
    bool tools_offered = false;
    task::GenerateAsk generate = {};
};

base::Result<ChatAsk> read_chat(std::string_view body);

}  // namespace hanse::api
