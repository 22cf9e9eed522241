// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <array>
#include <filesystem>
#include <format>
#include <unistd.h>

#include "catalog/files.hpp"
#include "crypto/key_file.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view credential = "hanse-passphrase";
constexpr std::string_view log_suffix = "/journal";

std::string machine_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || !crypto::is_key_name(name.data())) return "hanse";
    return name.data();
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

base::Result<crypto::KeySet> open(const fs::path& path, const crypto::Secret& passphrase) {
    const auto file = crypto::read_key_file(path);
    if (!file) return std::unexpected(file.error());
    auto set = file->unlock(passphrase);
    if (!set) set.error().message = std::format("{}: {}", path.string(), set.error().message);
    return set;
}

}  // namespace

base::Result<crypto::Secret> identity_passphrase(const IdentityConfig& config, const base::Environment& environment) {
    fs::path file = config.passphrase_file;
    if (file.empty()) {
        const auto folder = environment.find("CREDENTIALS_DIRECTORY");
        if (folder == environment.end()) return crypto::Secret();
        file = fs::path(folder->second) / credential;
        std::error_code error;
        if (!fs::exists(file, error)) return crypto::Secret();
    }
    auto text = catalog::read_file_whole(file, 64 << 10);
    if (!text) return base::fail(text.error().kind, "the passphrase of the node's keys: " + text.error().message);
    std::string_view line = *text;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    auto secret = crypto::Secret::copy_of(line);
    crypto::wipe(std::as_writable_bytes(std::span(*text)));
    if (secret.empty()) return base::fail(base::ErrorKind::invalid, std::format("{} holds no passphrase", file.string()));
    return secret;
}

base::Result<bool> make_keys(const DataDirectory& data, const IdentityConfig& config, const crypto::Secret& passphrase, base::Random& random) {
    std::string name = config.name.empty() ? machine_name() : config.name;
    // An identity that is there names the log too.
    if (const auto there = crypto::read_key_file(data.identity_key())) name = there->name;
    else if (there.error().kind != base::ErrorKind::not_found) return std::unexpected(there.error());
    const auto algorithms = crypto::algorithms_of(crypto::profile_named(config.profile).value_or(crypto::Profile::standard));
    const auto identity = make(data.identity_key(), crypto::IdentityKey::purpose, name, algorithms, passphrase, random);
    if (!identity) return identity;
    const auto log = make(data.log_key(), journal::LogKeys::purpose, name + std::string(log_suffix), journal::LogKeys::algorithms, passphrase, random);
    if (!log) return log;
    return *identity || *log;
}

base::Result<NodeKeys> open_keys(const DataDirectory& data, const crypto::Secret& passphrase) {
    auto identity_set = open(data.identity_key(), passphrase);
    if (!identity_set) return std::unexpected(identity_set.error());
    auto identity = crypto::IdentityKey::from_keys(std::move(*identity_set));
    if (!identity) return std::unexpected(identity.error());
    auto log_set = open(data.log_key(), passphrase);
    if (!log_set) return std::unexpected(log_set.error());
    auto log = journal::LogKeys::from_keys(std::move(*log_set));
    if (!log) return std::unexpected(log.error());
    return NodeKeys{std::move(*identity), std::move(*log)};
}

base::Result<ShownIdentity> shown_identity(const DataDirectory& data) {
    const auto own = crypto::read_key_file(data.identity_key());
    if (!own) return std::unexpected(own.error());
    auto identity = crypto::Identity::from_keys(own->name, own->public_keys);
    if (!identity) return std::unexpected(identity.error());
    const auto file = crypto::read_key_file(data.log_key());
    if (!file) return std::unexpected(file.error());
    ShownIdentity shown{std::move(*identity), {}, own->protection.has_value()};
    for (const crypto::PublicKey& key : file->public_keys) {
        const auto type = key.algorithm() == crypto::Algorithm::ed25519 ? journal::NoteType::ed25519 : journal::NoteType::ml_dsa_44_cosignature;
        auto verifier = journal::NoteVerifier::from_key(file->name, type, key);
        if (!verifier) return std::unexpected(verifier.error());
        shown.log.push_back(std::move(*verifier));
    }
    return shown;
}

}  // namespace hanse::node
