// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <format>

#include "commands.hpp"

namespace hanse::cli {

Exit identity_show(const Context& context, const IdentityOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto shown = node::shown_identity(*data);
    if (!shown && shown.error().kind == base::ErrorKind::not_found)
        return fail(context, {base::ErrorKind::not_found, context.say(Say::identity_none, data->root.string()), {}, {}, {}});
    if (!shown) return fail(context, shown.error());
    std::string keys, json;
    for (const journal::NoteVerifier& verifier : shown->log) {
        keys += verifier.vkey() + "\n";
        json += (json.empty() ? "" : ",") + json_text(verifier.vkey());
    }
    if (context.json) {
        put_line(std::format("{{\"name\":{},\"fingerprint\":{},\"profile\":{},\"log\":[{}],\"passphrase\":{}}}", json_text(shown->identity.name()),
                             json_text(shown->identity.fingerprint()), json_text(name(shown->identity.profile())), json, shown->protected_by_passphrase));
    } else if (options.keys) {
        put(keys);
    } else {
        put_line(context.say(Say::identity_shown, shown->identity.name(), shown->identity.fingerprint(), name(shown->identity.profile())));
        put_line(context.say(Say::identity_log));
        put(keys);
    }
    return Exit::ok;
}

}  // namespace hanse::cli
