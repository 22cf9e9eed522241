// SPDX-License-Identifier: Apache-2.0
#include "talk.hpp"

#include "terminal.hpp"

namespace hanse::cli {

std::optional<Talk::Command> Talk::command(std::string_view line) {
    if (line.size() < 2 || line[0] != '/' || line[1] < 'a' || line[1] > 'z') return {};
    line.remove_prefix(1);
    const std::string_view name = line.substr(0, line.find_first_of(" \t"));
    // A path such as /etc/hosts is text.
    if (name.contains('/')) return {};
    std::string_view rest = line.substr(name.size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
    while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) rest.remove_suffix(1);
    return Command{std::string(name), std::string(rest)};
}

void Talk::add(std::string question, std::string answer) {
    turns_.push_back({"user", std::move(question)});
    turns_.push_back({"assistant", std::move(answer)});
}

std::vector<ChatTurn> Talk::messages_with(const std::string& question) const {
    std::vector<ChatTurn> messages;
    if (!system_.empty()) messages.push_back({"system", system_});
    messages.insert(messages.end(), turns_.begin(), turns_.end());
    messages.push_back({"user", question});
    return messages;
}

std::string Talk::markdown() const {
    std::string out;
    if (!system_.empty()) out += "> " + plain_line(system_) + "\n\n";
    for (const ChatTurn& turn : turns_) out += (turn.role == "user" ? "**" + plain(turn.content) + "**" : plain(turn.content)) + "\n\n";
    return out;
}

}  // namespace hanse::cli
