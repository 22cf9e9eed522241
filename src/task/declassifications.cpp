// SPDX-License-Identifier: Apache-2.0
#include "task/declassifications.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"

namespace hanse::task {
namespace {

using base::ErrorKind;
using base::Result;

constexpr std::string_view context = "declassification";
constexpr std::size_t file_max = 16U << 20U;

auto refused(std::string why) { return base::fail(ErrorKind::denied, std::move(why), "declassification_refused"); }

// "ed25519:…" as a public key.
std::optional<crypto::PublicKey> public_key(std::string_view word) {
    const auto colon = word.find(':');
    const auto algorithm = colon == std::string_view::npos ? std::nullopt : crypto::algorithm_named(word.substr(0, colon));
    const auto bytes = algorithm ? base::from_base64(word.substr(colon + 1)) : std::nullopt;
    if (!bytes) return {};
    auto key = crypto::PublicKey::from_bytes(*algorithm, *bytes);
    if (!key) return {};
    return *key;
}

bool good(std::string_view fingerprint, std::string_view line, std::span<const std::byte> message) {
    const auto first = line.find(' '), second = line.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return false;
    const auto one = public_key(line.substr(0, first)), other = public_key(line.substr(first + 1, second - first - 1));
    if (!one || !other) return false;
    const auto identity = crypto::Identity::from_keys("signer", {*one, *other});
    const auto signature = crypto::HybridSignature::parse(line.substr(second + 1));
    return identity && signature && identity->fingerprint() == fingerprint && identity->verifies(context, message, *signature);
}

std::string id_of(std::span<const std::byte> message) {
    const auto digest = crypto::sha256(message);
    return "dcl_" + base::hex(std::span(digest).first(16));
}

Result<std::map<std::string, std::int64_t, std::less<>>> read_used_up(std::string_view text) {
    std::map<std::string, std::int64_t, std::less<>> all;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const auto tab = line.find('\t');
        std::int64_t expiry = 0;
        if (end == std::string_view::npos || tab == std::string_view::npos ||
            std::from_chars(line.data() + tab + 1, line.data() + line.size(), expiry).ptr != line.data() + line.size())
            return base::fail(ErrorKind::corrupt, "the file of used-up declassifications has a line that is none");
        all.emplace(line.substr(0, tab), expiry);
        text.remove_prefix(end + 1);
    }
    return all;
}

}  // namespace

std::string signature_of(const crypto::IdentityKey& key, std::span<const std::byte> message) {
    std::string line;
    for (const auto& each : key.identity().keys())
        line += std::format("{}:{} ", crypto::name(each.algorithm()), base::base64(each.bytes()));
    return line + key.sign(context, message).text();
}

label::VerifySignature verify_by(const label::Policy& policy) {
    return [&policy](label::Principal person, std::span<const std::byte> message, std::span<const std::byte> signature) {
        const std::string_view line(reinterpret_cast<const char*>(signature.data()), signature.size());
        return std::ranges::any_of(policy.signers(), [&](const label::Signer& signer) {
            return signer.person == person && good(signer.fingerprint, line, message);
        });
    };
}

label::PayloadDigest digest_of(std::string_view payload) { return crypto::sha256(base::bytes_of(payload)); }

Result<std::unique_ptr<Declassifications>> Declassifications::open(Parts parts) {
    std::unique_ptr<Declassifications> made(new Declassifications(std::move(parts)));
    const auto bytes = made->parts_.disk.read_whole(made->parts_.used_up, file_max);
    if (!bytes && bytes.error().kind == ErrorKind::not_found) return made;
    if (!bytes) return std::unexpected(bytes.error());
    auto read = read_used_up({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!read) return base::fail(read.error().kind, std::format("{}: {}", made->parts_.used_up.string(), read.error().message));
    made->used_up_ = std::move(*read);
    return made;
}

Result<Declassified> Declassifications::present(std::string_view text, const label::Policy& policy, std::int64_t now) {
    const auto read = label::read_declassification(text, policy.words());
    if (!read) return std::unexpected(read.error());
    const label::Declassification& statement = read->statement;
    // An answer's form would have to be held against the answer before it leaves; nobody here does that.
    if (statement.scope == label::Scope::form)
        return refused("a declassification for answers of a form is not carried out by this node; \"once\" and \"standing\" are");
    const auto holds =
        label::declassified(statement, read->signatures, statement.digest, statement.from, now, policy.words(), verify_by(policy));
    if (!holds) return std::unexpected(holds.error());
    Declassified one{id_of(label::signed_bytes(statement, policy.words())), std::string(text), statement.scope, statement.expiry};
    const std::lock_guard lock(mutex_);
    if (used_up_.contains(one.id)) return refused("the declassification was for one answer and has been used");
    std::erase_if(held_, [&](const auto& each) { return now >= each.second.expiry; });
    if (held_.size() >= held_max && !held_.contains(one.id))
        return base::fail(ErrorKind::overloaded, "too many declassifications are held here", "too_many_declassifications");
    held_.insert_or_assign(one.id, one);
    return one;
}

Result<Declassifications::Loosened> Declassifications::loosen(std::string_view id, const label::PayloadDigest& payload,
                                                              const label::Label& at_hand, const label::Policy& policy,
                                                              std::int64_t now) const {
    Declassified by;
    {
        const std::lock_guard lock(mutex_);
        if (used_up_.contains(id)) return refused("the declassification was for one answer and has been used");
        const auto found = held_.find(id);
        if (found == held_.end())
            return base::fail(ErrorKind::not_found, "there is no such declassification here; present it with hanse policy present",
                              "declassification_unknown", "Hanse-Declassification");
        by = found->second;
    }
    const auto read = label::read_declassification(by.text, policy.words());
    if (!read) return std::unexpected(read.error());
    auto loosened = label::declassified(read->statement, read->signatures, payload, at_hand, now, policy.words(), verify_by(policy));
    if (!loosened) return std::unexpected(loosened.error());
    return Loosened{std::move(*loosened), std::move(by)};
}

Result<void> Declassifications::use_up(std::span<const Declassified> all, std::int64_t now) {
    const auto is_once = [](const Declassified& one) { return one.scope == label::Scope::once; };
    if (std::ranges::none_of(all, is_once)) return {};
    const std::lock_guard lock(mutex_);
    auto fresh = used_up_;
    std::erase_if(fresh, [&](const auto& each) { return now >= each.second; });
    for (const Declassified& one : all)
        if (is_once(one) && !fresh.emplace(one.id, one.expiry).second)
            return refused("the declassification was for one answer and has been used");
    std::string lines;
    for (const auto& [id, expiry] : fresh) lines += std::format("{}\t{}\n", id, expiry);
    if (auto written = parts_.disk.replace(parts_.used_up, base::bytes_of(lines)); !written)
        return base::fail(ErrorKind::unavailable, "the use of a declassification cannot be written down: " + written.error().message,
                          "declassification_not_recorded");
    used_up_ = std::move(fresh);
    for (const Declassified& one : all)
        if (is_once(one)) held_.erase(one.id);
    return {};
}

}  // namespace hanse::task
