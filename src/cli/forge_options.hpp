// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "commands.hpp"

namespace CLI {
class App;
}

namespace hanse::cli {

// Adds what recombines, measures and adapts models to `hanse forge`. `add` makes a command with its help; `options` and the
// parser live as long as each other.
using AddCommand =
    std::function<CLI::App*(CLI::App& parent, const std::string& name, Say about, const std::string& examples, std::function<Exit()> call)>;
void add_recombination(CLI::App& forge, const Context& context, RecombinationOptions& options, const AddCommand& add);

}  // namespace hanse::cli
