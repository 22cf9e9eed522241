// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <algorithm>
#include <thread>

#include "commands.hpp"
#include "node/node.hpp"
#include "terminal.hpp"

namespace hanse::cli {

Exit serve(const Context& context, const ServeOptions& options) {
    // What is large (states of sequences, bodies) goes back to the system when it is freed. Left to itself the C library takes
    // ever larger blocks for small ones, and what lies between them then keeps them.
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
    // As many arenas as can be in use at one time, not eight times as many: what each keeps for itself is of no use to the others.
    ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
    const auto data = node::data_directory(context.data_option, context.environment);
    if (!data) return fail(context, data.error());
    const auto file = node::config_file(context.config_option, *data, context.environment);
    const bool named = !context.config_option.empty() || !context.variable("HANSE_CONFIG").empty();
    // The command line wins over the variables, and they over the file.
    base::Environment environment = context.environment;
    if (options.address) environment["HANSE_SERVER_ADDRESS"] = *options.address;
    if (options.port) environment["HANSE_SERVER_PORT"] = std::to_string(*options.port);
    base::SystemClock clock;
    base::SystemRandom random;
    node::DataDirectory root = *data;
    const bool data_named = !context.data_option.empty() || !context.variable("HANSE_DATA").empty();
    auto started = node::Node::start({.data = std::move(root),
                                      .config_file = file,
                                      .config_must = named ? node::FileMust::exist : node::FileMust::may_miss,
                                      .environment = std::move(environment),
                                      .adjust = data_named ? [](node::Config& config) { config.data_directory.clear(); } : std::function<void(node::Config&)>(),
                                      .clock = clock,
                                      .random = random});
    if (!started) return fail(context, started.error());
    node::Node& node = **started;
    // People see where to go; a service's log has it in its own lines.
    const bool person = is_terminal(2);
    if (person) {
        std::string names;
        for (const std::string& name : node.models()) names += (names.empty() ? "" : ", ") + name;
        tell(context.say(Say::listening, node.url()));
        tell(names.empty() ? context.say(Say::listening_none, file.string()) : context.say(Say::listening_models, names));
        tell(context.say(Say::listening_stop));
    }
    const auto ended = node.run();
    if (person) tell(context.say(ended == node::Node::Ended::drained ? Say::drained : Say::cut_off));
    return Exit::ok;
}

}  // namespace hanse::cli
