// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/language.hpp"

namespace hanse::cli {

// The commands as plain values, taken from the parser that runs them; manual page and completion scripts are
// made of it, so they never tell of an option that does not exist.
struct CommandOption {
    std::vector<std::string> names;  // "--model", "-m"; empty: positional
    std::string value = {};          // "TEXT"; empty: a flag
    std::string about = {};
};

struct CommandTree {
    std::string name;
    std::string about = {};
    std::string examples = {};
    std::vector<CommandOption> options = {};
    std::vector<CommandTree> commands = {};
};

// roff for man(7).
std::string manual_page(const CommandTree& root, std::string_view version, base::Language language);
// For "bash", "zsh" or "fish"; empty for any other word.
std::string completion_script(const CommandTree& root, std::string_view shell);

}  // namespace hanse::cli
