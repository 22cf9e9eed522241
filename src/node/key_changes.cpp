// SPDX-License-Identifier: Apache-2.0
#include "node/key_changes.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <format>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "catalog/files.hpp"
#include "crypto/digest.hpp"
#include "node/identity.hpp"
#include "records.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;
using crypto::KeyChange;

namespace {

constexpr std::array<std::string_view, 3> names{"identity", "log", "witness"};
constexpr std::array purposes{KeyPurpose::identity, KeyPurpose::log, KeyPurpose::witness};
constexpr std::size_t statement_max = 64 << 10;

fs::path next_of(fs::path file) { return file += ".next"; }

// The new name is durable when this returns.
Result<void> take_place(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    const int folder = error ? -1 : ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool durable = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    if (!durable) return base::fail(ErrorKind::unavailable, std::format("{} cannot take the place of {}", from.string(), to.string()));
    return {};
}

Result<DataLock> alone(const DataDirectory& data) {
    auto lock = DataLock::take(data);
    if (!lock && lock.error().code == "already_running")
        return base::fail(ErrorKind::unavailable, lock.error().message + "; its keys are changed while it does not run: stop it first",
                          "already_running");
    return lock;
}

// What somebody needs to sign with the keys of a file.
struct Opened {
    crypto::KeyFile file;
    crypto::KeySet set;
    crypto::Secret passphrase;
    std::optional<crypto::TokenAccess> token;
};
Result<Opened> open_keys_of(const KeyChangeParts& parts, const fs::path& path) {
    auto passphrase = identity_passphrase(parts.config.identity, parts.environment);
    if (!passphrase) return std::unexpected(passphrase.error());
    auto token = identity_token(parts.config.identity, parts.environment);
    if (!token) return std::unexpected(token.error());
    auto file = crypto::read_key_file(path);
    if (!file) return std::unexpected(file.error());
    auto set = file->unlock(*passphrase, *token ? &**token : nullptr);
    if (!set) return base::fail(set.error().kind, std::format("{}: {}", path.string(), set.error().message), set.error().code);
    return Opened{std::move(*file), std::move(*set), std::move(*passphrase), std::move(*token)};
}

std::uint64_t seconds(base::WallTime now) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

Result<fs::path> write_statement(const DataDirectory& data, const KeyChange& change) {
    std::error_code error;
    fs::create_directories(data.key_changes(), error);
    if (error) return base::fail(ErrorKind::denied, std::format("cannot make {}: {}", data.key_changes().string(), error.message()));
    const std::string_view kind = change.kind == KeyChange::Kind::rotation ? "rotation" : "revocation";
    const std::string digest = base::hex(crypto::sha256(base::bytes_of(change.text()))).substr(0, 8);
    const fs::path file = data.key_changes() / std::format("{}-{}-{}-{}.txt", change.time, change.purpose, kind, digest);
    if (auto written = catalog::write_file_whole(file, change.text(), 0644); !written) return std::unexpected(written.error());
    return file;
}

// The journal as the command's own, for what it has to say; null where none is kept.
Result<std::unique_ptr<Records>> records_of(const KeyChangeParts& parts) {
    if (!parts.config.journal.record) return nullptr;
    return Records::open({.data = parts.data,
                          .identity = parts.config.identity,
                          .journal = parts.config.journal,
                          .environment = parts.environment,
                          .clock = parts.clock,
                          .random = parts.random,
                          .log = base::silent_log()});
}

Result<crypto::Secret> next_key_file(const KeyChangeParts& parts, const Opened& old, const std::string& token) {
    std::vector<crypto::Algorithm> algorithms;
    for (const crypto::PublicKey& key : old.file.public_keys) algorithms.push_back(key.algorithm());
    if (token.empty()) {
        if (!old.file.tokens.empty())
            return base::fail(ErrorKind::invalid, "the key lies in a token: make the next one there and name it with --token");
        return crypto::new_key_file(old.file.purpose, old.file.name, algorithms, old.passphrase, parts.random);
    }
    if (old.file.purpose != crypto::IdentityKey::purpose)
        return base::fail(ErrorKind::invalid, "only the keys of an identity can lie in a token");
    const crypto::TokenAccess none;  // what p11-kit knows, without a PIN
    const auto in_token = crypto::key_in_token(algorithms.front(), token, old.token ? *old.token : none);
    if (!in_token) return std::unexpected(in_token.error());
    return crypto::new_key_file_with_token(old.file.purpose, old.file.name, *in_token, token, std::span(algorithms).subspan(1),
                                           old.passphrase, parts.random);
}

}  // namespace

std::string_view name(KeyPurpose purpose) { return names[static_cast<std::size_t>(purpose)]; }
std::optional<KeyPurpose> key_purpose_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<KeyPurpose>(found - names.begin());
}
fs::path key_file(const DataDirectory& data, KeyPurpose purpose) {
    switch (purpose) {
        case KeyPurpose::identity: return data.identity_key();
        case KeyPurpose::log: return data.log_key();
        case KeyPurpose::witness: break;
    }
    return data.witness_key();
}

std::string fingerprint_of(std::span<const crypto::PublicKey> keys) {
    crypto::Sha256 digest;
    for (const crypto::PublicKey& key : keys) {
        digest.update(base::bytes_of(std::format("{} {}\n", crypto::name(key.algorithm()), key.bytes().size())));
        digest.update(key.bytes());
    }
    return base::hex(digest.finish());
}

Result<KeyHistory> history_of(std::vector<crypto::PublicKey> known, std::span<const KeyChange> changes) {
    auto standing = crypto::standing_of(known, changes);
    if (!standing) return std::unexpected(standing.error());
    KeyHistory history{.keys = std::move(standing->keys)};
    history.former.assign(std::make_move_iterator(standing->former.rbegin()), std::make_move_iterator(standing->former.rend()));
    if (standing->revoked)
        for (const KeyChange& change : changes)
            if (change.kind == KeyChange::Kind::revocation && change.old_keys == history.keys) history.revocation = change;
    // And back to those that the known ones replaced, as they themselves have signed.
    for (std::size_t step = 0; step < changes.size(); ++step) {
        const auto before = std::ranges::find_if(changes, [&](const KeyChange& change) {
            return change.kind == KeyChange::Kind::rotation && change.new_keys == known && change.holds();
        });
        if (before == changes.end()) break;
        known = before->old_keys;
        history.former.push_back(known);
    }
    return history;
}

Result<std::vector<KeyStatement>> key_statements(const DataDirectory& data) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(data.key_changes(), error))
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<KeyStatement> all;
    for (const fs::path& file : files) {
        const auto text = catalog::read_file_whole(file, statement_max);
        if (!text) return std::unexpected(text.error());
        auto change = KeyChange::parse(*text);
        if (!change) return base::fail(change.error().kind, std::format("{}: {}", file.string(), change.error().message));
        all.push_back({file, std::move(*change)});
    }
    std::ranges::stable_sort(all, {}, [](const KeyStatement& each) { return each.change.time; });
    return all;
}

Result<KeyHistory> key_history(const DataDirectory& data, KeyPurpose purpose) {
    const auto file = crypto::read_key_file(key_file(data, purpose));
    if (!file) return std::unexpected(file.error());
    const auto statements = key_statements(data);
    if (!statements) return std::unexpected(statements.error());
    std::vector<KeyChange> changes;
    for (const KeyStatement& each : *statements) changes.push_back(each.change);
    return history_of(file->public_keys, changes);
}

Result<void> refuse_revoked(const DataDirectory& data, KeyPurpose purpose) {
    const auto history = key_history(data, purpose);
    if (!history) return std::unexpected(history.error());
    if (!history->revocation) return {};
    const std::string& reason = history->revocation->reason;
    return base::fail(ErrorKind::denied,
                      std::format("the keys in {} were revoked ({}): move the file away{}, and new keys are made with the next start",
                                  key_file(data, purpose).string(), reason.empty() ? "no reason given" : reason,
                                  purpose == KeyPurpose::log ? " with the journal that they signed" : ""),
                      "keys_revoked");
}

Result<void> finish_rotations(const DataDirectory& data) {
    for (const KeyPurpose purpose : purposes) {
        const fs::path file = key_file(data, purpose);
        std::error_code error;
        if (!fs::exists(next_of(file), error)) continue;
        const auto next = crypto::read_key_file(next_of(file));
        const auto now = crypto::read_key_file(file);
        const auto statements = key_statements(data);
        if (!statements) return std::unexpected(statements.error());
        const bool said =
            next && now && std::ranges::any_of(*statements, [&](const KeyStatement& each) {
                return each.change.old_keys == now->public_keys && each.change.new_keys == next->public_keys && each.change.holds();
            });
        if (said) {
            if (auto done = take_place(next_of(file), file); !done) return done;
        } else {
            fs::remove(next_of(file), error);  // nobody was told of these
        }
    }
    return {};
}

Result<ChangedKeys> rotate_keys(const KeyChangeParts& parts, KeyPurpose purpose, std::string_view reason, const std::string& token) {
    const auto lock = alone(parts.data);
    if (!lock) return std::unexpected(lock.error());
    if (auto done = finish_rotations(parts.data); !done) return std::unexpected(done.error());
    if (auto fine = refuse_revoked(parts.data, purpose); !fine) return std::unexpected(fine.error());
    const fs::path file = key_file(parts.data, purpose);
    {
        // Before: what is on record of the keys that go. After a rotation the journal knows them by it.
        const auto records = records_of(parts);
        if (!records) return std::unexpected(records.error());
    }
    const auto old = open_keys_of(parts, file);
    if (!old) return std::unexpected(old.error());
    const auto text = next_key_file(parts, *old, token);
    if (!text) return std::unexpected(text.error());
    if (auto written = crypto::write_key_file(next_of(file), *text); !written) return std::unexpected(written.error());
    const auto next = open_keys_of(parts, next_of(file));
    if (!next) return std::unexpected(next.error());
    const auto change = crypto::rotate(old->set, next->set, seconds(parts.clock.wall()), reason);
    if (!change) return std::unexpected(change.error());
    const auto statement = write_statement(parts.data, *change);
    if (!statement) return std::unexpected(statement.error());
    if (auto done = take_place(next_of(file), file); !done) return std::unexpected(done.error());
    const auto records = records_of(parts);
    if (!records) return std::unexpected(records.error());
    return ChangedKeys{file, *statement, fingerprint_of(next->file.public_keys)};
}

Result<ChangedKeys> revoke_keys(const KeyChangeParts& parts, KeyPurpose purpose, std::string_view reason) {
    const auto lock = alone(parts.data);
    if (!lock) return std::unexpected(lock.error());
    if (auto done = finish_rotations(parts.data); !done) return std::unexpected(done.error());
    if (auto fine = refuse_revoked(parts.data, purpose); !fine) return std::unexpected(fine.error());
    const fs::path file = key_file(parts.data, purpose);
    const auto keys = open_keys_of(parts, file);
    if (!keys) return std::unexpected(keys.error());
    const auto change = crypto::revoke(keys->set, seconds(parts.clock.wall()), reason);
    if (!change) return std::unexpected(change.error());
    const std::string fingerprint = fingerprint_of(keys->file.public_keys);
    {
        // Said before it is so: afterwards nothing is signed with these keys any more.
        const auto records = records_of(parts);
        if (!records) return std::unexpected(records.error());
        journal::CanonicalObject fields;
        fields.text("keys", name(purpose)).text("from", fingerprint).text_if_any("reason", reason);
        if (*records)
            if (auto said = (*records)->say("own_keys_revoked", std::move(fields)); !said) return std::unexpected(said.error());
    }
    const auto statement = write_statement(parts.data, *change);
    if (!statement) return std::unexpected(statement.error());
    return ChangedKeys{file, *statement, fingerprint};
}

}  // namespace hanse::node
