// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <format>

#include "catalog/files.hpp"
#include "base/random.hpp"
#include "commands.hpp"
#include "node/default_config.hpp"
#include "node/identity.hpp"
#include "node/partner_config.hpp"
#include "node/policy.hpp"
#include "node/version.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

base::Result<std::string> policy_text(const Context& context, const InitOptions& options) {
    const auto profile = label::profile_named(options.profile);
    if (!profile) return base::fail(base::ErrorKind::invalid, context.say(Say::profile_unknown, options.profile));
    std::string text = label::profile_text(*profile, options.house, options.country);
    if (const auto read = label::Policy::read(text, "policy.toml"); !read) return std::unexpected(read.error());
    return text;
}

// Whether it was written; a file that is there stays unless --force says otherwise.
base::Result<bool> write_new(const fs::path& file, const std::string& text, const InitOptions& options) {
    std::error_code error;
    if (fs::exists(file, error) && !options.force) return false;
    auto written = catalog::write_file_whole(file, text);
    if (!written) return std::unexpected(written.error());
    return true;
}

}  // namespace

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
    // Before anything is written: words that the policy cannot take are a mistake of the command line.
    const auto policy = policy_text(context, options);
    if (!policy) return fail(context, policy.error());
    const auto written = write_new(file, node::default_config(context.language), options);
    if (!written) return fail(context, written.error());
    const auto config = node::load_config(file, node::FileMust::exist, context.environment);
    if (!config) return fail(context, config.error());
    const fs::path policy_file = node::policy_file(*config, file);
    const auto policy_written = write_new(policy_file, *policy, options);
    if (!policy_written) return fail(context, policy_written.error());
    // Never replaced: who listens where is nothing to begin anew.
    const fs::path partner_file = node::partner_file(file);
    const auto partner_written = write_new(partner_file, node::default_partner_config(context.language), {});
    if (!partner_written) return fail(context, partner_written.error());
    // Keys are made once, and never again.
    const auto passphrase = node::identity_passphrase(config->identity, context.environment);
    if (!passphrase) return fail(context, passphrase.error());
    base::SystemRandom random;
    const auto token = node::identity_token(config->identity, context.environment);
    if (!token) return fail(context, token.error());
    if (const auto made = node::make_keys(*data, config->identity, *passphrase, random, *token ? &**token : nullptr); !made) return fail(context, made.error());
    const auto identity = node::shown_identity(*data);
    if (!identity) return fail(context, identity.error());
    if (context.json) {
        put_line(std::format("{{\"config\":{},\"data\":{},\"written\":{},\"policy\":{},\"policy_written\":{},\"federation\":{},\"name\":{},\"fingerprint\":{}}}", json_text(file.string()), json_text(data->root.string()), *written,
                             json_text(policy_file.string()), *policy_written, json_text(partner_file.string()), json_text(identity->identity.name()), json_text(identity->identity.fingerprint())));
        return Exit::ok;
    }
    put_line(context.say(*written ? Say::config_written : Say::config_kept, file.string()));
    put_line(*policy_written ? context.say(Say::policy_written, policy_file.string(), options.profile, options.house, options.country)
                             : context.say(Say::config_kept, policy_file.string()));
    if (*partner_written) put_line(context.say(Say::config_written, partner_file.string()));
    put_line(context.say(Say::identity_shown, identity->identity.name(), identity->identity.fingerprint(), name(identity->identity.profile())));
    put_line(context.say(Say::init_next));
    return Exit::ok;
}

Exit version(const Context& context) {
    if (context.json) put_line(std::format("{{\"version\":{},\"commit\":{}}}", json_text(node::version()), json_text(node::commit())));
    else put_line(node::commit().empty() ? std::format("hanse {}", node::version()) : std::format("hanse {} ({})", node::version(), node::commit()));
    return Exit::ok;
}

}  // namespace hanse::cli
