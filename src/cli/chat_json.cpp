// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <glaze/glaze.hpp>
#include <span>
#include <string_view>

#include "node_client.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace wire {  // OpenAI's names

struct StreamOptions {
    bool include_usage = true;
};

struct Request {
    std::string_view model;  // no references: the library would see no fields at all
    std::span<const ChatTurn> messages;
    bool stream = true;
    StreamOptions stream_options = {};
    std::optional<std::uint32_t> max_completion_tokens;
    std::optional<double> temperature;
    std::optional<std::int64_t> seed;
};

struct Delta {
    std::optional<std::string> content;
};

struct Choice {
    std::optional<Delta> delta;
    std::optional<std::string> finish_reason;
};

struct Details {
    std::optional<std::uint32_t> cached_tokens;
};

struct Usage {
    std::uint32_t prompt_tokens = 0;
    std::uint32_t completion_tokens = 0;
    std::optional<Details> prompt_tokens_details;
};

struct Fault {
    std::optional<std::string> message;
    std::optional<std::string> code;
};

struct Chunk {
    std::optional<std::vector<Choice>> choices;
    std::optional<Usage> usage;
    std::optional<Fault> error;
};

struct ErrorBody {
    std::optional<Fault> error;
};

}  // namespace wire

namespace {

constexpr glz::opts lenient{.null_terminated = false, .error_on_unknown_keys = false};

}  // namespace

std::string chat_request_json(const ChatAsk& ask) {
    const wire::Request request{.model = ask.model, .messages = ask.messages, .max_completion_tokens = ask.max_tokens, .temperature = ask.temperature, .seed = ask.seed};
    std::string json;
    if (glz::write_json(request, json)) json.clear();  // plain values: cannot fail
    return json;
}

base::Result<std::string> read_chat_chunk(std::string_view json, ChatOutcome& outcome) {
    wire::Chunk chunk;
    if (const auto error = glz::read<lenient>(chunk, json)) return base::fail(base::ErrorKind::corrupt, "the node's answer is not the JSON it should be");
    if (chunk.error) return base::fail(base::ErrorKind::unavailable, plain_line(chunk.error->message.value_or("the node ended the answer with an error")));
    if (chunk.usage) {
        outcome.prompt_tokens = chunk.usage->prompt_tokens;
        outcome.completion_tokens = chunk.usage->completion_tokens;
        if (chunk.usage->prompt_tokens_details) outcome.cached_tokens = chunk.usage->prompt_tokens_details->cached_tokens.value_or(0);
    }
    std::string text;
    for (wire::Choice& choice : chunk.choices.value_or(std::vector<wire::Choice>{})) {
        if (choice.delta && choice.delta->content) text += *choice.delta->content;
        if (choice.finish_reason) outcome.finish_reason = plain_line(*choice.finish_reason);
    }
    return text;
}

base::Error read_error(unsigned status, std::string_view body) {
    const base::ErrorKind kind = status == 401 ? base::ErrorKind::unauthenticated
                                 : status == 403 ? base::ErrorKind::denied
                                 : status == 404 ? base::ErrorKind::not_found
                                 : status == 413 ? base::ErrorKind::too_large
                                 : status == 429 ? base::ErrorKind::overloaded
                                 : status == 504 ? base::ErrorKind::deadline
                                 : status >= 500 ? base::ErrorKind::unavailable
                                                 : base::ErrorKind::invalid;
    base::Error error{kind, std::format("the node answered with status {}", status), {}, {}, {}};
    wire::ErrorBody told;
    if (!glz::read<lenient>(told, body) && told.error && told.error->message) {
        error.message = plain_line(*told.error->message);
        error.code = plain_line(told.error->code.value_or(""));
    }
    return error;
}

}  // namespace hanse::cli
