// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node_client.hpp"

namespace hanse::cli {

// A talk with a model as a value: the system prompt and the turns so far.
class Talk {
public:
    explicit Talk(std::string system) : system_(std::move(system)) {}

    struct Command {
        std::string name;  // without its slash
        std::string rest;
    };
    // "/model x" is a command; a line that begins with two slashes, or a slash and no letter, is text.
    static std::optional<Command> command(std::string_view line);

    const std::string& system() const { return system_; }
    void system(std::string text) { system_ = std::move(text); }
    void clear() { turns_.clear(); }
    void add(std::string question, std::string answer);
    std::vector<ChatTurn> messages_with(const std::string& question) const;
    std::string markdown() const;

private:
    std::string system_;
    std::vector<ChatTurn> turns_;
};

}  // namespace hanse::cli
