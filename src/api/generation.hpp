// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "call.hpp"
#include "openai_usage.hpp"
#include "task/answer.hpp"

namespace hanse::api {

// The answers to one request as this room sees them grow: counts what they cost and what time they took,
// whatever the wire form. Charges the caller's key at its end, also for what was never fetched.
class Generation {
public:
    Generation(Call& call, task::Answer answer, std::uint32_t choices_per_prompt);
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    // All that has come; empty when every choice has ended. An error of any choice ends them all.
    boost::asio::awaitable<base::Result<std::vector<task::Answer::Item>>> next();
    std::string echo(std::uint32_t prompt);  // the prompt's text
    // Counts what it cost, once: at its end, or before that is written down.
    void settle();
    task::Answer& answer() { return answer_; }
    const UsageSum& usage() const { return usage_; }

private:
    Call& call_;
    task::Answer answer_;
    UsageSum usage_;
    std::vector<std::uint32_t> seen_;
    bool settled_ = false;
};

}  // namespace hanse::api
