// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "find_node.hpp"
#include "talk.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

constexpr int history_max = 1000;

// Lines with readline's keys and a history that only its owner can read. On no terminal: lines as they come.
class LineReader {
public:
    LineReader(std::string prompt, std::filesystem::path history) : prompt_(std::move(prompt)), history_(std::move(history)), terminal_(is_terminal(0)) {
        if (!terminal_) return;
        rl_readline_name = "hanse";
        rl_bind_key('\t', rl_insert);  // no file names here
        // Ctrl-C gives up the line, as in a shell.
        rl_catch_signals = 0;
        using_history();
        // The file is made before readline writes it, so that it is never readable for others.
        const int descriptor = ::open(history_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (descriptor >= 0) {
            (void)::fchmod(descriptor, 0600);
            ::close(descriptor);
            (void)read_history(history_.c_str());
        }
        stifle_history(history_max);
    }
    ~LineReader() {
        if (terminal_) (void)write_history(history_.c_str());
        // write_history makes a new file
        if (terminal_) (void)::chmod(history_.c_str(), 0600);
    }
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    // False at the end of the input.
    bool next(std::string& line) {
        if (terminal_) return next_typed(line);
        line.clear();
        char c = 0;
        while (::read(0, &c, 1) == 1) {
            if (c == '\n') return true;
            line += c;
        }
        return !line.empty();
    }

private:
    bool next_typed(std::string& line) {
        const std::unique_ptr<char, decltype(&std::free)> typed(::readline(prompt_.c_str()), &std::free);
        if (!typed) return false;
        line = typed.get();
        if (line.find_first_not_of(" \t") != std::string::npos && last_ != line) add_history(line.c_str());
        last_ = line;
        return true;
    }

    std::string prompt_;
    std::filesystem::path history_;
    std::string last_;
    bool terminal_;
};

struct Session {
    const Context& context;
    FoundNode& node;
    Talk talk;
    ChatAsk settings;
    bool stats = false;
};

void show_models(Session& session) {
    const auto models = session.node.client.models();
    if (!models) {
        (void)fail_at_node(session.context, session.node, models.error());
        return;
    }
    std::string list;
    for (const std::string& name : *models) list += std::format("{}{}{}", list.empty() ? "" : ", ", name, name == session.settings.model ? "*" : "");
    put_line(session.context.say(Say::chat_models, plain_line(list)));
}

void change_model(Session& session, const std::string& name) {
    const auto models = session.node.client.models();
    if (models && !std::ranges::contains(*models, name)) return put_line(session.context.say(Say::chat_model_unknown, name));
    session.settings.model = name;
    put_line(session.context.say(Say::chat_model, name));
}

void save(Session& session, const std::string& file) {
    if (file.empty()) return put_line(session.context.say(Say::chat_save_how));
    // A talk is private until its owner says otherwise.
    if (auto written = catalog::write_file_whole(std::filesystem::absolute(file), session.talk.markdown(), 0600); !written)
        (void)fail(session.context, written.error());
    else put_line(session.context.say(Say::chat_saved, file));
}

// False when the talk is over.
bool obey(Session& session, const Talk::Command& command) {
    const Context& context = session.context;
    if (command.name == "quit" || command.name == "exit") return false;
    if (command.name == "help") put_line(context.say(Say::chat_help));
    else if (command.name == "new") {
        session.talk.clear();
        put_line(context.say(Say::chat_new));
    } else if (command.name == "model" && command.rest.empty()) show_models(session);
    else if (command.name == "model") change_model(session, command.rest);
    else if (command.name == "system" && command.rest.empty()) put_line(context.say(Say::chat_system_now, session.talk.system()));
    else if (command.name == "system") {
        session.talk.system(command.rest);
        put_line(context.say(Say::chat_system));
    } else if (command.name == "save") save(session, command.rest);
    else put_line(context.say(Say::chat_unknown, "/" + plain_line(command.name)));
    return true;
}

// A failed question leaves the talk as it was, so that it can be asked again.
void answer(Session& session, const std::string& question) {
    InterruptFlag interrupt;
    ChatAsk ask = session.settings;
    ask.messages = session.talk.messages_with(question);
    PlainText clean;
    const auto outcome = session.node.client.chat(ask, [&](std::string_view text) { put(clean.take(text)); }, interrupt.flag());
    put(clean.finish() + "\n");
    if (!outcome) {
        (void)fail_at_node(session.context, session.node, outcome.error());
        return;
    }
    if (outcome->stopped) put_line(session.context.say(Say::chat_stopped));
    session.talk.add(question, outcome->text);
    if (session.stats) {
        const double speed = outcome->tokens_per_second();
        tell(std::format("{} · {:.1f} tokens/s", outcome->completion_tokens, speed));
    }
}

}  // namespace

Exit chat(const Context& context, const AskOptions& options) {
    auto node = find_node(context, options.node);
    if (!node) return node.error();
    const auto model = choose_model(context, *node, options.model);
    if (!model) return model.error();
    Session session{.context = context, .node = *node, .talk = Talk(options.system), .settings = {}, .stats = options.stats};
    session.settings = {.model = *model, .messages = {}, .max_tokens = options.max_tokens, .temperature = options.temperature, .seed = options.seed};
    const auto data = context.data();
    if (is_terminal(0)) put_line(context.say(Say::chat_welcome, *model));
    const InterruptFlag interrupt;  // at the prompt Ctrl-C does nothing but in readline itself
    LineReader lines(context.say(Say::chat_prompt), data ? data->history() : std::filesystem::path("/dev/null"));
    std::string line;
    while (lines.next(line)) {
        if (const auto command = Talk::command(line)) {
            if (!obey(session, *command)) break;
        } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
            answer(session, line);
        }
    }
    if (is_terminal(0)) put("\n");
    return Exit::ok;
}

}  // namespace hanse::cli
