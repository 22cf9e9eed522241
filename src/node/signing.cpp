// SPDX-License-Identifier: Apache-2.0
#include "node/signing.hpp"

#include <algorithm>
#include <format>

#include "base/random.hpp"
#include "crypto/identity.hpp"
#include "crypto/key_file.hpp"
#include "task/declassifications.hpp"

namespace hanse::node {
namespace {

using base::ErrorKind;
using base::Result;

crypto::Secret secret_of(std::string_view text) { return crypto::Secret::copy_of(base::bytes_of(text)); }

Result<crypto::IdentityKey> open_key(const std::filesystem::path& file, std::string_view passphrase) {
    const auto read = crypto::read_key_file(file);
    if (!read) return std::unexpected(read.error());
    auto unlocked = read->unlock(secret_of(passphrase));
    if (!unlocked) return base::fail(unlocked.error().kind, std::format("{}: {}", file.string(), unlocked.error().message));
    return crypto::IdentityKey::from_keys(std::move(*unlocked));
}

}  // namespace

Result<SignerKey> signer_key(const std::filesystem::path& file, std::string_view name, std::string_view passphrase) {
    std::error_code error;
    const bool fresh = !std::filesystem::exists(file, error);
    if (fresh) {
        base::SystemRandom random;
        const auto text = crypto::new_key_file(crypto::IdentityKey::purpose, name, crypto::algorithms_of(crypto::Profile::standard),
                                               secret_of(passphrase), random);
        if (!text) return std::unexpected(text.error());
        if (auto written = crypto::write_key_file(file, *text); !written) return std::unexpected(written.error());
    }
    const auto read = crypto::read_key_file(file);
    if (!read) return std::unexpected(read.error());
    if (read->purpose != crypto::IdentityKey::purpose)
        return base::fail(ErrorKind::invalid, std::format("{} holds keys for {}, not those of a signer", file.string(), read->purpose));
    const auto identity = crypto::Identity::from_keys(read->name, read->public_keys);
    if (!identity) return std::unexpected(identity.error());
    return SignerKey{identity->name(), identity->fingerprint(), fresh};
}

Result<label::SignedDeclassification> sign(label::SignedDeclassification declassification, const label::Policy& policy,
                                           std::string_view person, const std::filesystem::path& key_file, std::string_view passphrase) {
    const auto& words = policy.words();
    auto who = words.principal(std::format("{}/{}", words.name(declassification.statement.signer), person));
    if (!who) who = words.principal(person);
    if (!who) return base::fail(ErrorKind::invalid, std::format("the policy knows nobody of the name {}", person), "unknown_word");
    if (std::ranges::contains(declassification.signatures, *who, &label::OwnerSignature::person))
        return base::fail(ErrorKind::denied, std::format("{} has signed already", words.name(*who)), "declassification_refused");
    const auto key = open_key(key_file, passphrase);
    if (!key) return std::unexpected(key.error());
    const std::string fingerprint = key->identity().fingerprint();
    const bool known = std::ranges::any_of(
        policy.signers(), [&](const label::Signer& signer) { return signer.person == *who && signer.fingerprint == fingerprint; });
    if (!known)
        return base::fail(ErrorKind::denied,
                          std::format("the policy's signers do not have {} with the key {}", words.name(*who), fingerprint),
                          "declassification_refused");
    const std::string line = task::signature_of(*key, label::signed_bytes(declassification.statement, words));
    const auto bytes = base::bytes_of(line);
    declassification.signatures.push_back({*who, base::Bytes(bytes.begin(), bytes.end())});
    return declassification;
}

label::PayloadDigest payload_digest(std::string_view payload) { return task::digest_of(payload); }

}  // namespace hanse::node
