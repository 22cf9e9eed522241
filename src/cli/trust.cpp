// SPDX-License-Identifier: Apache-2.0
#include "trust.hpp"

#include <algorithm>
#include <format>
#include <span>

#include "catalog/files.hpp"
#include "journal/key_list.hpp"
#include "node/identity.hpp"
#include "node/key_changes.hpp"

namespace hanse::cli {
namespace {

base::Result<void> add(std::vector<journal::NoteVerifier>& all, std::string_view vkey, std::string_view where) {
    auto verifier = journal::NoteVerifier::from_vkey(vkey);
    if (!verifier) return base::fail(base::ErrorKind::invalid, std::format("{}: {}", where, verifier.error().message));
    all.push_back(std::move(*verifier));
    return {};
}

}  // namespace

namespace {

// A file holds one statement after the other, as hanse identity show --changes prints them.
base::Result<void> read_changes(std::vector<crypto::KeyChange>& all, const std::string& file) {
    const auto text = catalog::read_file_whole(file, 1 << 20);
    if (!text) return std::unexpected(text.error());
    constexpr std::string_view first_line = "hanse-key-change v1\n";
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(first_line, 1));
        auto change = crypto::KeyChange::parse(one);
        if (!change) return base::fail(change.error().kind, std::format("{}: {}", file, change.error().message));
        all.push_back(std::move(*change));
        rest.remove_prefix(one.size());
    }
    return {};
}

// The keys of each log as statements have them today, and those before.
base::Result<TrustedKeys> follow(std::vector<journal::NoteVerifier> known, std::span<const crypto::KeyChange> changes) {
    TrustedKeys trusted;
    while (!known.empty()) {
        const std::string name = known.front().name();
        std::vector<journal::NoteVerifier> rest;
        std::vector<crypto::PublicKey> keys;
        for (journal::NoteVerifier& each : known) {
            if (each.name() == name) keys.push_back(each.key());
            else rest.push_back(std::move(each));
        }
        const auto history = node::history_of(keys, changes);
        if (!history) return std::unexpected(history.error());
        if (history->revocation)
            return base::fail(base::ErrorKind::denied,
                              std::format("the keys of {} were revoked ({}): nothing that they signed is to be believed any more", name,
                                          history->revocation->reason.empty() ? "no reason given" : history->revocation->reason),
                              "keys_revoked");
        // What nothing is said of stays as it is: a witness's keys have the types of cosignatures.
        if (history->former.empty() && history->keys == keys) {
            for (auto& each : known)
                if (each.name() == name) trusted.keys.push_back(each);
        } else {
            auto now = node::log_verifiers(name, history->keys);
            if (!now) return std::unexpected(now.error());
            for (auto& each : *now) trusted.keys.push_back(std::move(each));
            for (const auto& set : history->former) {
                auto former = node::log_verifiers(name, set);
                if (!former) return std::unexpected(former.error());
                trusted.former.push_back(std::move(*former));
            }
        }
        known = std::move(rest);
    }
    return trusted;
}

}  // namespace

std::vector<journal::NoteVerifier> TrustedKeys::of(const journal::Note& note) const {
    const auto checkpoint = journal::Checkpoint::parse(note.text);
    if (!checkpoint) return keys;
    const auto signed_by = [&](const journal::NoteVerifier& key) {
        return std::ranges::any_of(note.signatures, [&](const journal::NoteSignature& each) { return key.made(each); });
    };
    for (const auto& set : former) {
        if (set.empty() || set.front().name() != checkpoint->origin || std::ranges::none_of(set, signed_by)) continue;
        std::vector<journal::NoteVerifier> then = set;
        for (const auto& key : keys)
            if (key.name() != checkpoint->origin) then.push_back(key);
        return then;
    }
    return keys;
}

base::Result<TrustedKeys> trusted_keys(const Context& context, const std::vector<std::string>& keys, const std::string& file, const std::vector<std::string>& changes) {
    std::vector<crypto::KeyChange> said;
    for (const std::string& each : changes)
        if (auto read = read_changes(said, each); !read) return std::unexpected(read.error());
    std::vector<journal::NoteVerifier> all;
    for (const std::string& key : keys)
        if (auto added = add(all, key, "--key"); !added) return std::unexpected(added.error());
    if (!file.empty()) {
        const auto text = catalog::read_file_whole(file, 1 << 20);
        if (!text) return std::unexpected(text.error());
        auto listed = journal::parse_key_list(*text);
        if (!listed) return base::fail(listed.error().kind, std::format("{}, {}", file, listed.error().message));
        for (auto& each : *listed) all.push_back(std::move(each));
    }
    if (!keys.empty() || !file.empty()) return follow(std::move(all), said);
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    auto own = node::shown_identity(*data);
    if (!own && own.error().kind == base::ErrorKind::not_found) return TrustedKeys{};
    if (!own) return std::unexpected(own.error());
    const auto statements = node::key_statements(*data);
    if (!statements) return std::unexpected(statements.error());
    for (const auto& each : *statements) said.push_back(each.change);
    return follow(std::move(own->log), said);
}

base::Result<std::optional<journal::WitnessPolicy>> witness_policy(const std::string& file) {
    if (file.empty()) return std::nullopt;
    const auto text = catalog::read_file_whole(file, 1 << 20);
    if (!text) return std::unexpected(text.error());
    auto policy = journal::WitnessPolicy::parse(*text);
    if (!policy) return base::fail(policy.error().kind, std::format("{}: {}", file, policy.error().message));
    return std::move(*policy);
}

}  // namespace hanse::cli
