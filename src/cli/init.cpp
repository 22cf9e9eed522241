// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <format>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "node/default_config.hpp"
#include "node/version.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;

Exit init(const Context& context, const InitOptions& options) {
    const auto data = node::data_directory(context.data_option, context.environment);
    if (!data) return fail(context, data.error());
    const fs::path file = node::config_file(context.config_option, *data, context.environment);
    std::error_code error;
    const bool fresh = !fs::exists(data->root, error);
    fs::create_directories(data->models(), error);
    if (error) return fail(context, {base::ErrorKind::denied, context.say(Say::init_folder, data->root.string(), error.message()), {}, {}, {}});
    // Keys and usage lie here: nobody else's business.
    if (fresh) fs::permissions(data->root, fs::perms::owner_all, error);
    if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
    const bool there = fs::exists(file, error) && !options.force;
    if (!there)
        if (auto written = catalog::write_file_whole(file, node::default_config(context.language)); !written) return fail(context, written.error());
    if (context.json) put_line(std::format("{{\"config\":{},\"data\":{},\"written\":{}}}", json_text(file.string()), json_text(data->root.string()), !there));
    else put_line(context.say(there ? Say::config_kept : Say::config_written, file.string()) + "\n" + context.say(Say::init_next));
    return Exit::ok;
}

Exit version(const Context& context) {
    if (context.json) put_line(std::format("{{\"version\":{},\"commit\":{}}}", json_text(node::version()), json_text(node::commit())));
    else put_line(node::commit().empty() ? std::format("hanse {}", node::version()) : std::format("hanse {} ({})", node::version(), node::commit()));
    return Exit::ok;
}

}  // namespace hanse::cli
