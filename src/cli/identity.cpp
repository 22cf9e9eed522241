// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <format>

#include "base/random.hpp"
#include "base/time.hpp"
#include "commands.hpp"
#include "node/config.hpp"
#include "node/key_changes.hpp"

namespace hanse::cli {

namespace {

base::Result<std::string> statements_of(const node::DataDirectory& data) {
    const auto statements = node::key_statements(data);
    if (!statements) return std::unexpected(statements.error());
    std::string all;
    for (const auto& each : *statements) all += each.change.text();
    return all;
}

using Change = base::Result<node::ChangedKeys> (*)(const node::KeyChangeParts&, node::KeyPurpose, std::string_view reason, const std::string& token);

base::Result<node::ChangedKeys> change(const Context& context, const IdentityOptions& options, Change carry_out) {
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    const auto config = node::load_config(node::config_file(context.config_option, *data, context.environment), node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    base::SystemClock clock;
    base::SystemRandom random;
    const auto purpose = node::key_purpose_named(options.purpose).value_or(node::KeyPurpose::identity);  // the command line knows these words only
    return carry_out({.data = *data, .config = *config, .environment = context.environment, .clock = clock, .random = random}, purpose, options.reason, options.token);
}

Exit tell_change(const Context& context, const IdentityOptions& options, const base::Result<node::ChangedKeys>& done, Say sentence) {
    if (!done) return fail(context, done.error());
    if (context.json) {
        put_line(std::format("{{\"keys\":{},\"file\":{},\"statement\":{},\"fingerprint\":{}}}", json_text(options.purpose), json_text(done->file.string()),
                             json_text(done->statement.string()), json_text(done->fingerprint)));
        return Exit::ok;
    }
    put_line(context.say(sentence, done->file.string(), done->statement.string()));
    if (sentence == Say::identity_rotated) put_line(context.say(Say::identity_fingerprint, done->fingerprint));
    return Exit::ok;
}

}  // namespace

Exit identity_rotate(const Context& context, const IdentityOptions& options) {
    return tell_change(context, options, change(context, options, node::rotate_keys), Say::identity_rotated);
}

Exit identity_revoke(const Context& context, const IdentityOptions& options) {
    if (!options.yes) return fail(context, {base::ErrorKind::invalid, context.say(Say::identity_revoke_sure), {}, {}, {}});
    const Change revoke = [](const node::KeyChangeParts& parts, node::KeyPurpose purpose, std::string_view reason, const std::string&) {
        return node::revoke_keys(parts, purpose, reason);
    };
    return tell_change(context, options, change(context, options, revoke), Say::identity_revoked);
}

Exit identity_show(const Context& context, const IdentityOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto shown = node::shown_identity(*data);
    if (!shown && shown.error().kind == base::ErrorKind::not_found)
        return fail(context, {base::ErrorKind::not_found, context.say(Say::identity_none, data->root.string()), {}, {}, {}});
    if (!shown) return fail(context, shown.error());
    std::string keys, json, witness, witness_json;
    for (const journal::NoteVerifier& verifier : shown->witness) {
        witness += verifier.vkey() + "\n";
        witness_json += (witness_json.empty() ? "" : ",") + json_text(verifier.vkey());
    }
    for (const journal::NoteVerifier& verifier : shown->log) {
        keys += verifier.vkey() + "\n";
        json += (json.empty() ? "" : ",") + json_text(verifier.vkey());
    }
    if (context.json) {
        put_line(std::format("{{\"name\":{},\"fingerprint\":{},\"profile\":{},\"log\":[{}],\"witness\":[{}],\"passphrase\":{},\"token\":{},\"replaced\":{},\"revoked\":{}}}", json_text(shown->identity.name()),
                             json_text(shown->identity.fingerprint()), json_text(name(shown->identity.profile())), json, witness_json, shown->protected_by_passphrase,
                             json_text(shown->token), shown->replaced, shown->revoked));
    } else if (options.keys) {
        put(keys);
    } else if (options.witness) {
        put(witness);
    } else if (options.changes) {
        const auto statements = statements_of(*data);
        if (!statements) return fail(context, statements.error());
        put(*statements);
    } else {
        put_line(context.say(Say::identity_shown, shown->identity.name(), shown->identity.fingerprint(), name(shown->identity.profile())));
        if (!shown->token.empty()) put_line(context.say(Say::identity_in_token, shown->token));
        if (shown->replaced > 0) put_line(context.say(Say::identity_since, shown->replaced));
        if (shown->revoked) put_line(context.say(Say::identity_is_revoked));
        put_line(context.say(Say::identity_log));
        put(keys);
    }
    return Exit::ok;
}

}  // namespace hanse::cli
