// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_change.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <optional>

namespace hanse::crypto {
namespace {

constexpr std::string_view first_line = "hanse-key-change v1\n";
constexpr std::size_t text_max = 64 * 1024;
constexpr std::size_t keys_max = 8;
constexpr std::size_t reason_max = 200;

bool is_reason(std::string_view text) {
    return text.size() <= reason_max && base::is_valid_utf8(text) &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::string head(const KeyChange& change) {
    std::string text =
        std::format("{}kind {}\npurpose {}\nname {}\ntime {}\n", first_line,
                    change.kind == KeyChange::Kind::rotation ? "rotation" : "revocation", change.purpose, change.name, change.time);
    if (!change.reason.empty()) text += std::format("reason {}\n", change.reason);
    for (const PublicKey& key : change.old_keys) text += std::format("old {} {}\n", name(key.algorithm()), base::base64(key.bytes()));
    for (const PublicKey& key : change.new_keys) text += std::format("new {} {}\n", name(key.algorithm()), base::base64(key.bytes()));
    return text;
}

base::Result<void> sign(KeyChange& change, const KeySet& keys, bool by_new) {
    const std::string said = head(change);
    for (const SigningKey& key : keys.keys) {
        auto bytes = key.sign(base::bytes_of(said));
        if (bytes.empty()) return base::fail(base::ErrorKind::unavailable, "a key's token did not sign the change", "token_refused");
        change.signatures.push_back({by_new, key.algorithm(), std::move(bytes)});
    }
    return {};
}

std::vector<PublicKey> shown(const KeySet& set) {
    std::vector<PublicKey> keys;
    for (const SigningKey& key : set.keys) keys.push_back(key.public_key());
    return keys;
}

// "<algorithm> <base64>"
std::optional<std::pair<Algorithm, base::Bytes>> named_bytes(std::string_view text) {
    const auto space = text.find(' ');
    const auto algorithm = algorithm_named(text.substr(0, space));
    auto bytes = space == text.npos ? std::nullopt : base::from_base64(text.substr(space + 1));
    if (!algorithm || !bytes) return std::nullopt;
    return std::pair(*algorithm, std::move(*bytes));
}

// One line of the text into the change; false if it cannot be.
bool take(KeyChange& change, std::string_view line) {
    const auto space = line.find(' ');
    if (space == line.npos) return false;
    const std::string_view word = line.substr(0, space);
    const std::string_view rest = line.substr(space + 1);
    if (word == "kind") {
        change.kind = rest == "rotation" ? KeyChange::Kind::rotation : KeyChange::Kind::revocation;
    } else if (word == "purpose") {
        change.purpose = rest;
    } else if (word == "name") {
        change.name = rest;
    } else if (word == "time") {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), change.time);
        return error == std::errc() && end == rest.data() + rest.size();
    } else if (word == "reason") {
        change.reason = rest;
    } else if (word == "old" || word == "new") {
        const auto found = named_bytes(rest);
        auto& keys = word == "old" ? change.old_keys : change.new_keys;
        auto key =
            found && keys.size() < keys_max ? PublicKey::from_bytes(found->first, found->second) : base::fail(base::ErrorKind::corrupt, {});
        if (!key) return false;
        keys.push_back(std::move(*key));
    } else if (word == "by" && (rest.starts_with("old ") || rest.starts_with("new "))) {
        auto found = named_bytes(rest.substr(4));
        if (!found || change.signatures.size() >= 2 * keys_max) return false;
        change.signatures.push_back({rest.starts_with("new "), found->first, std::move(found->second)});
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::string KeyChange::text() const {
    std::string text = head(*this);
    for (const Signed& each : signatures)
        text += std::format("by {} {} {}\n", each.by_new ? "new" : "old", crypto::name(each.algorithm), base::base64(each.bytes));
    return text;
}

base::Result<KeyChange> KeyChange::parse(std::string_view text) {
    const auto refuse = [](int line) {
        return base::fail(base::ErrorKind::corrupt,
                          std::format("line {} of the change of keys is missing, unknown or of another form", line));
    };
    if (text.size() > text_max || !text.starts_with(first_line)) return refuse(1);
    KeyChange made;
    std::string_view rest = text.substr(first_line.size());
    int number = 2;
    for (; !rest.empty(); ++number) {
        const auto end = rest.find('\n');
        if (end == rest.npos || !take(made, rest.substr(0, end))) return refuse(number);
        rest.remove_prefix(end + 1);
    }
    // One form only: what was read must be what would be written.
    if (made.text() != text || !is_key_name(made.name) || made.purpose.empty() || !is_reason(made.reason) || made.old_keys.empty() ||
        made.new_keys.empty() != (made.kind == Kind::revocation))
        return refuse(number);
    return made;
}

bool KeyChange::holds() const {
    if (signatures.size() != old_keys.size() + new_keys.size()) return false;
    const std::string said = head(*this);
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        const bool by_new = i >= old_keys.size();
        const PublicKey& key = by_new ? new_keys[i - old_keys.size()] : old_keys[i];
        const Signed& each = signatures[i];
        if (each.by_new != by_new || each.algorithm != key.algorithm() || !key.verifies(base::bytes_of(said), each.bytes)) return false;
    }
    return true;
}

base::Result<KeyChange> rotate(const KeySet& before, const KeySet& after, std::uint64_t time, std::string_view reason) {
    if (before.purpose != after.purpose || before.name != after.name)
        return base::fail(base::ErrorKind::invalid, "keys are replaced by keys of the same purpose and name");
    if (!is_reason(reason)) return base::fail(base::ErrorKind::invalid, "a reason is one line of at most 200 bytes");
    KeyChange made{KeyChange::Kind::rotation, before.purpose, before.name, time, std::string(reason), shown(before), shown(after), {}};
    if (auto done = sign(made, before, false); !done) return std::unexpected(done.error());
    if (auto done = sign(made, after, true); !done) return std::unexpected(done.error());
    return made;
}

base::Result<KeyChange> revoke(const KeySet& keys, std::uint64_t time, std::string_view reason) {
    if (!is_reason(reason)) return base::fail(base::ErrorKind::invalid, "a reason is one line of at most 200 bytes");
    KeyChange made{KeyChange::Kind::revocation, keys.purpose, keys.name, time, std::string(reason), shown(keys), {}, {}};
    if (auto done = sign(made, keys, false); !done) return std::unexpected(done.error());
    return made;
}

base::Result<KeyStanding> standing_of(std::vector<PublicKey> trusted, std::span<const KeyChange> changes) {
    KeyStanding standing{std::move(trusted), false, 0, {}};
    std::vector<bool> used(changes.size());
    while (!standing.revoked) {
        const KeyChange* next = nullptr;
        for (std::size_t i = 0; i < changes.size(); ++i) {
            if (used[i] || changes[i].old_keys != standing.keys) continue;
            if (!changes[i].holds())
                return base::fail(base::ErrorKind::denied,
                                  std::format("a change of the keys of {} is not signed by all of them", changes[i].name));
            used[i] = true;
            // Two ways on are what a thief and an owner leave behind; that it is over may be said twice.
            if (next != nullptr && (next->kind != changes[i].kind || next->new_keys != changes[i].new_keys))
                return base::fail(base::ErrorKind::denied,
                                  std::format("two changes of the same keys of {} contradict each other", changes[i].name));
            next = &changes[i];
        }
        if (next == nullptr) break;
        standing.since = next->time;
        if (next->kind == KeyChange::Kind::revocation) {
            standing.revoked = true;
            break;
        }
        standing.former.push_back(std::exchange(standing.keys, next->new_keys));
    }
    return standing;
}

}  // namespace hanse::crypto
