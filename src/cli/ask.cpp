// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>
#include <format>

#include "commands.hpp"
#include "find_node.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

constexpr std::size_t question_max = 8U << 20;

std::string read_standard_input() {
    std::string text;
    char piece[16'384];
    while (text.size() < question_max) {
        const ssize_t got = ::read(0, piece, sizeof piece);
        if (got <= 0) break;
        text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
}

// The words; a last "-" stands for standard input, as in `hanse ask "Summarise:" - < letter.txt`. Without words
// it is read as well. Never otherwise: a script's open but silent input would hang the command.
std::string question_of(const AskOptions& options) {
    std::string question;
    bool piped = options.question.empty() && !is_terminal(0);
    for (std::size_t i = 0; i < options.question.size(); ++i) {
        const std::string& word = options.question[i];
        if (word == "-" && i + 1 == options.question.size()) piped = true;
        else question += (question.empty() ? "" : " ") + word;
    }
    if (!piped) return question;
    std::string input = read_standard_input();
    input.erase(input.find_last_not_of(" \t\r\n") + 1);  // the line's end is the pipe's, not the question's
    if (input.empty()) return question;
    return question.empty() ? input : question + "\n\n" + input;
}

void print_stats(const Context& context, FoundNode& node, const ChatOutcome& outcome) {
    const double first = outcome.first_token.count() * 1e3;
    const double total = outcome.total.count();
    const double speed = outcome.tokens_per_second();
    std::string line =
        context.say(Say::stats_line, outcome.completion_tokens, speed, first, outcome.prompt_tokens, outcome.cached_tokens, total);
    if (const auto memory = memory_of(node)) {
        const double mebibytes = *memory / (1 << 20);
        line += ", " + context.say(Say::stats_memory, mebibytes);
    }
    tell(line);
}

void print_json(FoundNode& node, const std::string& model, const ChatOutcome& outcome) {
    const auto memory = memory_of(node);
    put_line(
        std::format("{{\"model\":{},\"answer\":{},\"finish_reason\":{},\"prompt_tokens\":{},\"cached_tokens\":{},\"completion_tokens\":{},"
                    "\"first_token_ms\":{:.1f},\"tokens_per_second\":{:.2f},\"seconds\":{:.3f},\"node_memory_bytes\":{}}}",
                    json_text(model), json_text(outcome.text), json_text(outcome.finish_reason), outcome.prompt_tokens,
                    outcome.cached_tokens, outcome.completion_tokens, outcome.first_token.count() * 1e3, outcome.tokens_per_second(),
                    outcome.total.count(), memory ? std::format("{:.0f}", *memory) : "null"));
}

}  // namespace

Exit ask(const Context& context, const AskOptions& options) {
    const std::string question = question_of(options);
    if (question.empty()) return fail(context, {base::ErrorKind::invalid, context.say(Say::no_question), "no_question", {}, {}});
    auto node = find_node(context, options.node);
    if (!node) return node.error();
    const auto model = choose_model(context, *node, options.model);
    if (!model) return model.error();

    ChatAsk request{
        .model = *model, .messages = {}, .max_tokens = options.max_tokens, .temperature = options.temperature, .seed = options.seed};
    if (!options.system.empty()) request.messages.push_back({"system", options.system});
    request.messages.push_back({"user", question});
    const InterruptFlag interrupt;
    PlainText clean;
    // Through a pipe as well: its end may be a terminal.
    const auto outcome = node->client.chat(
        request,
        [&](std::string_view text) {
            if (!context.json) put(clean.take(text));
        },
        interrupt.flag());
    if (!context.json && outcome) put(clean.finish() + "\n");
    if (!outcome) return fail_at_node(context, *node, outcome.error());
    if (outcome->stopped) return Exit::interrupted;
    if (context.json) print_json(*node, *model, *outcome);
    else if (outcome->finish_reason == "length" && is_terminal(2)) tell(context.say(Say::answer_cut));
    if (options.stats) print_stats(context, *node, *outcome);
    return Exit::ok;
}

}  // namespace hanse::cli
