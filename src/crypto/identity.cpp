// SPDX-License-Identifier: Apache-2.0
#include "crypto/identity.hpp"

#include <algorithm>
#include <format>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"
#include "openssl.hpp"

namespace hanse::crypto {
namespace {

struct ProfileFacts {
    std::string_view name;
    std::array<Algorithm, 2> algorithms;
};
constexpr std::array<ProfileFacts, 2> profiles{
    {{"default", {Algorithm::ed25519, Algorithm::ml_dsa_65}}, {"bsi", {Algorithm::ecdsa_p256, Algorithm::ml_dsa_65}}}};

base::Bytes signed_bytes(const std::array<Algorithm, 2>& algorithms, std::string_view context, std::span<const std::byte> message) {
    const std::string head = std::format("hanse-signature v1\n{} {}\n{}\n", name(algorithms[0]), name(algorithms[1]), context);
    base::Bytes all;
    all.reserve(head.size() + message.size());
    std::ranges::copy(base::bytes_of(head), std::back_inserter(all));
    std::ranges::copy(message, std::back_inserter(all));
    return all;
}

bool is_context(std::string_view context) { return !context.empty() && !context.contains('\n'); }

base::Result<HybridSignature::Part> parse_part(std::string_view text) {
    const auto colon = text.find(':');
    const auto algorithm = colon == text.npos ? std::nullopt : algorithm_named(text.substr(0, colon));
    if (!algorithm) return base::fail(base::ErrorKind::corrupt, "the signature names no algorithm that is known");
    auto bytes = base::from_base64(text.substr(colon + 1));
    if (!bytes || bytes->empty()) return base::fail(base::ErrorKind::corrupt, "the signature is no base64");
    return HybridSignature::Part{*algorithm, std::move(*bytes)};
}

}  // namespace

std::string_view name(Profile profile) { return profiles[static_cast<std::size_t>(profile)].name; }
std::array<Algorithm, 2> algorithms_of(Profile profile) { return profiles[static_cast<std::size_t>(profile)].algorithms; }
std::optional<Profile> profile_named(std::string_view name) {
    const auto found = std::ranges::find(profiles, name, &ProfileFacts::name);
    if (found == profiles.end()) return std::nullopt;
    return static_cast<Profile>(found - profiles.begin());
}

std::string HybridSignature::text() const {
    return std::format("{}:{} {}:{}", name(parts[0].algorithm), base::base64(parts[0].bytes), name(parts[1].algorithm),
                       base::base64(parts[1].bytes));
}

base::Result<HybridSignature> HybridSignature::parse(std::string_view text) {
    const auto space = text.find(' ');
    if (text.size() > 16 * 1024 || space == text.npos)
        return base::fail(base::ErrorKind::corrupt, "a signature has two halves, with a space between");
    auto first = parse_part(text.substr(0, space));
    if (!first) return std::unexpected(first.error());
    auto second = parse_part(text.substr(space + 1));
    if (!second) return std::unexpected(second.error());
    return HybridSignature{{std::move(*first), std::move(*second)}};
}

base::Result<Identity> Identity::from_keys(std::string name, std::vector<PublicKey> keys) {
    if (!is_key_name(name)) return base::fail(base::ErrorKind::invalid, "an identity's name has no spaces and no plus sign", {}, "name");
    for (std::size_t i = 0; i < profiles.size(); ++i)
        if (std::ranges::equal(keys, profiles[i].algorithms, {}, &PublicKey::algorithm))
            return Identity(std::move(name), static_cast<Profile>(i), std::move(keys));
    return base::fail(base::ErrorKind::invalid, "the algorithms of these keys are no profile: default and bsi are known");
}

std::string Identity::fingerprint() const {
    Sha256 digest;
    for (const PublicKey& key : keys_) {
        digest.update(base::bytes_of(std::format("{} {}\n", crypto::name(key.algorithm()), key.bytes().size())));
        digest.update(key.bytes());
    }
    return base::hex(digest.finish());
}

bool Identity::verifies(std::string_view context, std::span<const std::byte> message, const HybridSignature& signature) const {
    const auto algorithms = algorithms_of(profile_);
    if (!is_context(context) || !std::ranges::equal(signature.parts, algorithms, {}, &HybridSignature::Part::algorithm)) return false;
    const auto bytes = signed_bytes(algorithms, context, message);
    // Both are always computed: nothing is learned from the time about which half was wrong.
    const bool first = keys_[0].verifies(bytes, signature.parts[0].bytes);
    const bool second = keys_[1].verifies(bytes, signature.parts[1].bytes);
    return first && second;
}

base::Result<IdentityKey> IdentityKey::from_keys(KeySet set) {
    if (set.purpose != purpose) return base::fail(base::ErrorKind::invalid, "these keys are for " + set.purpose + ", not for an identity");
    std::vector<PublicKey> shown;
    for (const SigningKey& key : set.keys) shown.push_back(key.public_key());
    auto identity = Identity::from_keys(std::move(set.name), std::move(shown));
    if (!identity) return std::unexpected(identity.error());
    return IdentityKey(std::move(*identity), std::move(set.keys));
}

HybridSignature IdentityKey::sign(std::string_view context, std::span<const std::byte> message, Signing how) const {
    require(is_context(context));
    const auto algorithms = algorithms_of(identity_.profile());
    const auto bytes = signed_bytes(algorithms, context, message);
    return {{HybridSignature::Part{algorithms[0], keys_[0].sign(bytes, {}, how)},
             HybridSignature::Part{algorithms[1], keys_[1].sign(bytes, {}, how)}}};
}

}  // namespace hanse::crypto
