// SPDX-License-Identifier: Apache-2.0
//
// An owner's statement that a request may be handled less strictly: written, signed by people who have seen the exact bytes,
// and handed to the node.
#include <unistd.h>
#include <charconv>
#include <chrono>
#include <format>

#include "base/time.hpp"
#include "catalog/files.hpp"
#include "commands.hpp"
#include "find_node.hpp"
#include "node/signing.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

using base::ErrorKind;

constexpr std::size_t payload_max = 256U << 20U, statement_max = label::declassification_text_max;

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(base::SystemClock().wall().time_since_epoch()).count();
}

base::Error invalid(std::string message) { return {ErrorKind::invalid, std::move(message), {}, {}, {}}; }

base::Result<std::string> passphrase(const DeclassifyOptions& options) {
    if (options.passphrase_file.empty()) return std::string();
    auto text = catalog::read_file_whole(options.passphrase_file, 4096);
    if (text) text->erase(std::min(text->find_first_of("\r\n"), text->size()));
    return text;
}

std::size_t signatures_needed(const label::Declassification& statement) {
    const label::Terms* terms = statement.from.terms_of(statement.signer);
    return terms != nullptr && label::needs_two_signers(*terms) ? 2 : 1;
}

// What a signer sees before signing: every field, and the payload as it is, made harmless for a terminal.
void show(const Context& context, const label::SignedDeclassification& all, const label::Vocabulary& words, std::string_view payload) {
    const auto& statement = all.statement;
    const auto line = [&](Say id, const auto&... arguments) { put_line(plain_line(context.say(id, arguments...))); };
    line(Say::approval_head);
    line(Say::approval_payload, payload.size(), base::hex(statement.digest));
    line(Say::approval_field_from, label::text(statement.from, words));
    line(Say::approval_field_to, label::text(statement.to, words));
    line(Say::approval_reason, statement.reason);
    line(Say::approval_scope, name(statement.scope));
    line(Say::approval_expiry, label::moment_text(statement.expiry));
    line(Say::approval_owner, words.name(statement.signer));
    for (const auto& signature : all.signatures) line(Say::approval_signed, words.name(signature.person));
    put_line("----");
    put_line(plain(payload));
    put_line("----");
}

// Everything of the statement that is the owner's to say, with the checks that need no signature.
base::Result<label::SignedDeclassification> statement_of(const Context& context, const DeclassifyOptions& options,
                                                         const label::Policy& policy, std::string_view payload) {
    const auto& words = policy.words();
    const auto from = options.from.empty() ? base::Result<label::Label>(policy.standard().label) : policy.label(options.from);
    const auto to = policy.label(options.to);
    if (!from) return std::unexpected(from.error());
    if (!to) return std::unexpected(to.error());
    const auto owner = options.owner.empty() ? std::optional(policy.house()) : words.member(options.owner);
    if (!owner) return std::unexpected(invalid(std::format("the policy has no member \"{}\"", options.owner)));
    const auto until = label::moment(options.until);
    if (!until || *until <= unix_seconds()) return std::unexpected(invalid(context.say(Say::declassify_until_wrong, options.until)));
    label::SignedDeclassification made{{.digest = node::payload_digest(payload),
                                        .from = *from,
                                        .to = *to,
                                        .reason = options.reason,
                                        .scope = label::scope_named(options.scope).value_or(label::Scope::once),
                                        .expiry = *until,
                                        .signer = *owner}};
    // Read as others will read it: a reason that cannot stand in the text is told here.
    auto read = label::read_declassification(label::text(made, words), words);
    if (!read) return std::unexpected(read.error());
    // Without signatures it is refused for the lack of them alone, if everything else holds.
    const auto nobody = [](label::Principal, std::span<const std::byte>, std::span<const std::byte>) { return true; };
    std::vector<label::OwnerSignature> all;
    for (std::size_t person = 0; person < words.principal_count(); ++person)
        if (words.member_of(static_cast<label::Principal>(person)) == *owner) all.push_back({static_cast<label::Principal>(person), {}});
    const auto holds = label::declassified(read->statement, all, read->statement.digest, *from, unix_seconds(), words, nobody);
    if (!holds) return std::unexpected(holds.error());
    return read;
}

}  // namespace

Exit policy_signer(const Context& context, const DeclassifyOptions& options) {
    const auto phrase = passphrase(options);
    if (!phrase) return fail(context, phrase.error());
    const auto key = node::signer_key(options.key, options.name, *phrase);
    if (!key) return fail(context, key.error());
    if (key->fresh) tell(context.say(Say::signer_made, options.name, options.key));
    if (context.json)
        put_line(std::format("{{\"person\":{},\"fingerprint\":{},\"new\":{}}}", json_text(options.name), json_text(key->fingerprint),
                             key->fresh));
    else put(std::format("[[signers]]\nperson = {}\nfingerprint = \"{}\"\n", json_text(options.name), key->fingerprint));
    return Exit::ok;
}

Exit policy_declassify(const Context& context, const DeclassifyOptions& options) {
    const auto policy = policy_named(context, options.policy);
    if (!policy) return fail(context, policy.error());
    const auto payload = catalog::read_file_whole(options.payload, payload_max);
    if (!payload) return fail(context, payload.error());
    const auto made = statement_of(context, options, **policy, *payload);
    if (!made) return fail(context, made.error());
    const auto written = catalog::write_file_whole(options.statement, label::text(*made, (*policy)->words()));
    if (!written) return fail(context, written.error());
    const std::size_t needed = signatures_needed(made->statement);
    if (context.json)
        put_line(std::format("{{\"statement\":{},\"digest\":{},\"signatures_needed\":{}}}", json_text(options.statement),
                             json_text(base::hex(made->statement.digest)), needed));
    else put_line(context.say(Say::declassify_written, options.statement, needed));
    return Exit::ok;
}

Exit policy_sign(const Context& context, const DeclassifyOptions& options) {
    const auto policy = policy_named(context, options.policy);
    if (!policy) return fail(context, policy.error());
    const auto text = catalog::read_file_whole(options.statement, statement_max);
    if (!text) return fail(context, text.error());
    const auto payload = catalog::read_file_whole(options.payload, payload_max);
    if (!payload) return fail(context, payload.error());
    const auto& words = (*policy)->words();
    auto read = label::read_declassification(*text, words);
    if (!read) return fail(context, read.error());
    if (const auto digest = node::payload_digest(*payload); digest != read->statement.digest)
        return fail(context, invalid(context.say(Say::approval_other_payload, options.payload, base::hex(digest))));
    if (!context.json) show(context, *read, words, *payload);
    if (!options.yes) {
        if (!is_terminal(0)) return fail(context, invalid(context.say(Say::approval_needs_yes)));
        put(context.say(Say::approval_ask, options.name));
        char answer[8] = {};
        const ssize_t got = ::read(0, answer, sizeof answer - 1);
        if (got <= 0 || std::string_view(answer, static_cast<std::size_t>(got)) != "yes\n") {
            put_line(context.say(Say::approval_not_given));
            return Exit::failed;
        }
    }
    const auto phrase = passphrase(options);
    if (!phrase) return fail(context, phrase.error());
    const auto made = node::sign(std::move(*read), **policy, options.name, options.key, *phrase);
    if (!made) return fail(context, made.error());
    const auto written = catalog::write_file_whole(options.statement, label::text(*made, words));
    if (!written) return fail(context, written.error());
    const std::size_t needed = signatures_needed(made->statement);
    if (context.json) {
        put_line(std::format("{{\"statement\":{},\"signatures\":{},\"signatures_needed\":{}}}", json_text(options.statement),
                             made->signatures.size(), needed));
    } else {
        put_line(context.say(Say::approval_given, options.name, options.statement));
        put_line(context.say(Say::approval_signatures, made->signatures.size(), needed));
    }
    return Exit::ok;
}

Exit policy_present(const Context& context, const DeclassifyOptions& options) {
    const auto text = catalog::read_file_whole(options.statement, statement_max);
    if (!text) return fail(context, text.error());
    auto found = find_node(context, options.node);
    if (!found) return found.error();
    const auto told = found->client.post("/v1/hanse/declassifications", *text);
    if (!told) return fail_at_node(context, *found, told.error());
    const auto field = [&](std::string_view name) {
        const auto at = told->find(std::format("\"{}\":", name));
        return at == std::string::npos ? std::string()
                                       : told->substr(at + name.size() + 3, told->find_first_of(",}", at) - at - name.size() - 3);
    };
    if (context.json) {
        put_line(plain_line(*told));
        return Exit::ok;
    }
    std::string id = field("id");
    std::erase(id, '"');
    const std::string expires = field("expires");
    std::int64_t until = 0;
    std::from_chars(expires.data(), expires.data() + expires.size(), until);
    put_line(plain_line(context.say(Say::presented, label::moment_text(until), id)));
    return Exit::ok;
}

}  // namespace hanse::cli
