// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <array>
#include <filesystem>
#include <format>
#include <unistd.h>

#include "catalog/files.hpp"
#include "crypto/key_file.hpp"
#include "node/key_changes.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view credential = "hanse-passphrase";
constexpr std::string_view pin_credential = "hanse-token-pin";
constexpr std::string_view log_suffix = "/journal";
constexpr std::string_view witness_suffix = "/witness";

std::string machine_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || !crypto::is_key_name(name.data())) return "hanse";
    return name.data();
}

// A secret of one line: from a file that the configuration names, else from what the service manager gives, else none.
base::Result<crypto::Secret> secret_line(const std::string& named, std::string_view credential, std::string_view what, const base::Environment& environment) {
    fs::path file = named;
    if (file.empty()) {
        const auto folder = environment.find("CREDENTIALS_DIRECTORY");
        if (folder == environment.end()) return crypto::Secret();
        file = fs::path(folder->second) / credential;
        std::error_code error;
        if (!fs::exists(file, error)) return crypto::Secret();
    }
    auto text = catalog::read_file_whole(file, 64 << 10);
    if (!text) return base::fail(text.error().kind, std::format("{}: {}", what, text.error().message));
    std::string_view line = *text;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    auto secret = crypto::Secret::copy_of(line);
    crypto::wipe(std::as_writable_bytes(std::span(*text)));
    if (secret.empty()) return base::fail(base::ErrorKind::invalid, std::format("{} is empty", file.string()));
    return secret;
}

base::Result<bool> make(const fs::path& path, std::string_view purpose, const std::string& name, std::span<const crypto::Algorithm> algorithms,
                        const crypto::Secret& passphrase, base::Random& random) {
    std::error_code error;
    if (fs::exists(path, error)) return false;
    const auto text = crypto::new_key_file(purpose, name, algorithms, passphrase, random);
    if (!text) return std::unexpected(text.error());
    if (auto written = crypto::write_key_file(path, *text); !written) return std::unexpected(written.error());
    return true;
}

base::Result<crypto::KeySet> open(const fs::path& path, const crypto::Secret& passphrase, const crypto::TokenAccess* token = nullptr) {
    const auto file = crypto::read_key_file(path);
    if (!file) return std::unexpected(file.error());
    auto set = file->unlock(passphrase, token);
    if (!set) set.error().message = std::format("{}: {}", path.string(), set.error().message);
    return set;
}

}  // namespace

base::Result<crypto::Secret> identity_passphrase(const IdentityConfig& config, const base::Environment& environment) {
    return secret_line(config.passphrase_file, credential, "the passphrase of the node's keys", environment);
}

base::Result<std::optional<crypto::TokenAccess>> identity_token(const IdentityConfig& config, const base::Environment& environment) {
    if (config.token.empty() && config.token_module.empty() && config.token_pin_file.empty()) return std::nullopt;
    auto pin = secret_line(config.token_pin_file, pin_credential, "the PIN of the node's token", environment);
    if (!pin) return std::unexpected(pin.error());
    return crypto::TokenAccess{config.token_module, std::move(*pin)};
}

namespace {

// The classical key lies in the token already; the others are made.
base::Result<bool> make_with_token(const fs::path& path, const std::string& name, const IdentityConfig& config, std::span<const crypto::Algorithm> algorithms,
                                   const crypto::Secret& passphrase, base::Random& random, const crypto::TokenAccess& token) {
    std::error_code error;
    if (fs::exists(path, error)) return false;
    const auto key = crypto::key_in_token(algorithms.front(), config.token, token);
    if (!key) return base::fail(key.error().kind, "identity.token: " + key.error().message, key.error().code);
    const auto text = crypto::new_key_file_with_token(crypto::IdentityKey::purpose, name, *key, config.token, algorithms.subspan(1), passphrase, random);
    if (!text) return std::unexpected(text.error());
    if (auto written = crypto::write_key_file(path, *text); !written) return std::unexpected(written.error());
    return true;
}

}  // namespace

base::Result<bool> make_keys(const DataDirectory& data, const IdentityConfig& config, const crypto::Secret& passphrase, base::Random& random,
                             const crypto::TokenAccess* token) {
    std::string name = config.name.empty() ? machine_name() : config.name;
    // An identity that is there names the log too.
    if (const auto there = crypto::read_key_file(data.identity_key())) name = there->name;
    else if (there.error().kind != base::ErrorKind::not_found) return std::unexpected(there.error());
    const auto algorithms = crypto::algorithms_of(crypto::profile_named(config.profile).value_or(crypto::Profile::standard));
    const auto identity = token != nullptr && !config.token.empty()
                              ? make_with_token(data.identity_key(), name, config, algorithms, passphrase, random, *token)
                              : make(data.identity_key(), crypto::IdentityKey::purpose, name, algorithms, passphrase, random);
    if (!identity) return identity;
    const auto log = make(data.log_key(), journal::LogKeys::purpose, name + std::string(log_suffix), journal::LogKeys::algorithms, passphrase, random);
    if (!log) return log;
    const auto witness =
        make(data.witness_key(), journal::WitnessKeys::purpose, name + std::string(witness_suffix), journal::WitnessKeys::algorithms, passphrase, random);
    if (!witness) return witness;
    return *identity || *log;
}

base::Result<NodeKeys> open_keys(const DataDirectory& data, const crypto::Secret& passphrase, const crypto::TokenAccess* token) {
    auto identity_set = open(data.identity_key(), passphrase, token);
    if (!identity_set) return std::unexpected(identity_set.error());
    auto identity = crypto::IdentityKey::from_keys(std::move(*identity_set));
    if (!identity) return std::unexpected(identity.error());
    auto log_set = open(data.log_key(), passphrase);
    if (!log_set) return std::unexpected(log_set.error());
    auto log = journal::LogKeys::from_keys(std::move(*log_set));
    if (!log) return std::unexpected(log.error());
    return NodeKeys{std::move(*identity), std::move(*log)};
}

base::Result<journal::WitnessKeys> open_witness_keys(const DataDirectory& data, const crypto::Secret& passphrase) {
    auto set = open(data.witness_key(), passphrase);
    if (!set) return std::unexpected(set.error());
    return journal::WitnessKeys::from_keys(std::move(*set));
}

namespace {

base::Result<std::vector<journal::NoteVerifier>> verifiers_of(const std::string& name, const std::vector<crypto::PublicKey>& keys, journal::NoteType classical) {
    std::vector<journal::NoteVerifier> all;
    for (const crypto::PublicKey& key : keys) {
        const auto type = key.algorithm() == crypto::Algorithm::ed25519 ? classical : journal::NoteType::ml_dsa_44_cosignature;
        auto verifier = journal::NoteVerifier::from_key(name, type, key);
        if (!verifier) return std::unexpected(verifier.error());
        all.push_back(std::move(*verifier));
    }
    return all;
}

}  // namespace

base::Result<std::vector<journal::NoteVerifier>> log_verifiers(const std::string& name, const std::vector<crypto::PublicKey>& keys) {
    return verifiers_of(name, keys, journal::NoteType::ed25519);
}

base::Result<ShownIdentity> shown_identity(const DataDirectory& data) {
    const auto own = crypto::read_key_file(data.identity_key());
    if (!own) return std::unexpected(own.error());
    auto identity = crypto::Identity::from_keys(own->name, own->public_keys);
    if (!identity) return std::unexpected(identity.error());
    const auto file = crypto::read_key_file(data.log_key());
    if (!file) return std::unexpected(file.error());
    ShownIdentity shown{std::move(*identity), {}, {}, own->protection.has_value()};
    if (!own->tokens.empty()) shown.token = own->tokens.begin()->second;
    auto log = log_verifiers(file->name, file->public_keys);
    if (!log) return std::unexpected(log.error());
    shown.log = std::move(*log);
    const auto history = key_history(data, KeyPurpose::identity);
    if (!history) return std::unexpected(history.error());
    shown.replaced = history->former.size();
    shown.revoked = history->revocation.has_value();
    const auto of_log = key_history(data, KeyPurpose::log);
    if (!of_log) return std::unexpected(of_log.error());
    for (const auto& keys : of_log->former) {
        auto former = log_verifiers(file->name, keys);
        if (!former) return std::unexpected(former.error());
        shown.former_log.push_back(std::move(*former));
    }
    const auto witness_file = crypto::read_key_file(data.witness_key());
    if (!witness_file && witness_file.error().kind == base::ErrorKind::not_found) return shown;  // made with the next start
    if (!witness_file) return std::unexpected(witness_file.error());
    auto witness = verifiers_of(witness_file->name, witness_file->public_keys, journal::NoteType::ed25519_cosignature);
    if (!witness) return std::unexpected(witness.error());
    shown.witness = std::move(*witness);
    return shown;
}

}  // namespace hanse::node
