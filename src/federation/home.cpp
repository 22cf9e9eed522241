// SPDX-License-Identifier: Apache-2.0
#include "federation/home.hpp"

#include <algorithm>
#include <format>

#include "base/disk.hpp"
#include "crypto/key_file.hpp"

namespace hanse::federation {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
constexpr std::size_t file_max = 64U << 20;

}  // namespace

bool Home::in_federation() const {
    std::error_code error;
    return fs::exists(charter() / "000001", error);
}

bool Home::has_root_key() const {
    std::error_code error;
    return fs::exists(root_key(), error);
}

base::Result<std::string> read_file(const fs::path& file) {
    base::SystemDisk disk;
    const auto bytes = disk.read_whole(file, file_max);
    if (!bytes) return std::unexpected(bytes.error());
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

base::Result<void> write_file(const fs::path& file, std::string_view text) {
    base::SystemDisk disk;
    return disk.replace(file, base::bytes_of(text));
}

base::Result<void> prepare(const Home& home) {
    std::error_code error;
    for (const fs::path& folder : {home.root, home.charter(), home.invitations()}) {
        if (fs::exists(folder, error)) continue;
        fs::create_directories(folder, error);
        if (!error) fs::permissions(folder, fs::perms::owner_all, error);
        if (error) return base::fail(ErrorKind::denied, std::format("cannot make {}: {}", folder.string(), error.message()));
    }
    return {};
}

base::Result<crypto::IdentityKey> create_identity(const fs::path& file, std::string name, crypto::Profile profile,
                                                  const crypto::Secret& passphrase, base::Random& random) {
    const auto algorithms = crypto::algorithms_of(profile);
    const auto text = crypto::new_key_file(crypto::IdentityKey::purpose, name, algorithms, passphrase, random);
    if (!text) return std::unexpected(text.error());
    if (auto written = crypto::write_key_file(file, *text); !written) return std::unexpected(written.error());
    return read_identity(file, passphrase);
}

base::Result<crypto::IdentityKey> read_identity(const fs::path& file, const crypto::Secret& passphrase) {
    const auto text = crypto::read_key_file(file);
    if (!text) return std::unexpected(text.error());
    auto keys = text->unlock(passphrase);
    if (!keys) return std::unexpected(keys.error());
    return crypto::IdentityKey::from_keys(std::move(*keys));
}

base::Result<std::vector<CharterDocument>> read_versions(const Home& home) {
    std::vector<CharterDocument> versions;
    for (std::uint32_t number = 1;; ++number) {
        const auto text = read_file(home.charter() / std::format("{:06}", number));
        if (!text && text.error().kind == ErrorKind::not_found && number > 1) return versions;
        if (!text && text.error().kind == ErrorKind::not_found)
            return base::fail(ErrorKind::not_found,
                              "this house is in no federation yet; see: hanse federation create, hanse federation join", "no_federation");
        if (!text) return std::unexpected(text.error());
        auto document = CharterDocument::parse(*text);
        if (!document)
            return base::fail(document.error().kind, std::format("version {} of the charter: {}", number, document.error().message));
        versions.push_back(std::move(*document));
    }
}

base::Result<CharterChain> read_charter(const Home& home) {
    auto versions = read_versions(home);
    if (!versions) return std::unexpected(versions.error());
    return CharterChain::open(std::move(*versions), verify_with_keys());
}

base::Result<void> save_version(const Home& home, const CharterDocument& document) {
    if (auto made = prepare(home); !made) return made;
    return write_file(home.charter() / std::format("{:06}", document.charter().version), document.whole());
}

base::Result<void> cast_ballot(const Home& home, const CharterDocument& document) {
    const auto text = read_file(home.ballot());
    if (!text && text.error().kind != ErrorKind::not_found) return std::unexpected(text.error());
    auto ballot = text ? Ballot::parse(*text) : Ballot{};
    if (!ballot) return std::unexpected(ballot.error());
    const std::uint32_t version = document.charter().version;
    if (!ballot->sign(version, document.digest()))
        return base::fail(ErrorKind::denied, std::format("this member has signed another version {} of the charter", version),
                          "signed_another");
    return write_file(home.ballot(), ballot->text());
}

base::Result<Renewal> renew_certificate(const Home& home, const crypto::IdentityKey& node, const crypto::Identity& root,
                                        base::WallTime now) {
    const auto find_root = [&](std::string_view member) { return member == root.name() ? &root : nullptr; };
    if (const auto pem = read_file(home.certificate())) {
        const auto known = crypto::check_node_certificate_pem(*pem, find_root, now);
        const bool ours = known && known->identity.fingerprint() == node.identity().fingerprint();
        if (ours && known->validity.until - now > certificate_life / 3) return Renewal::good;
    }
    if (home.has_root_key()) {
        const auto key = read_identity(home.root_key());
        if (!key) return std::unexpected(key.error());
        if (key->identity().fingerprint() != root.fingerprint())
            return base::fail(ErrorKind::denied, "root.key is not the key that the charter has for this member");
        const auto pem = crypto::issue_node_certificate(*key, node.identity(), {now - crypto::clock_skew_max, now + certificate_life});
        if (!pem) return std::unexpected(pem.error());
        if (auto saved = write_file(home.certificate(), *pem); !saved) return std::unexpected(saved.error());
        return Renewal::renewed;
    }
    if (auto saved = write_file(home.request(), crypto::request_node_certificate(node)); !saved)
        return std::unexpected(saved.error());
    return Renewal::requested;
}

base::Result<void> take_certificate(const Home& home, const crypto::Identity& root, std::string_view pem, base::WallTime now) {
    const auto node = read_identity(home.node_key());
    if (!node) return std::unexpected(node.error());
    const auto find_root = [&](std::string_view member) { return member == root.name() ? &root : nullptr; };
    const auto known = crypto::check_node_certificate_pem(pem, find_root, now);
    if (!known) return std::unexpected(known.error());
    if (known->identity.fingerprint() != node->identity().fingerprint())
        return base::fail(ErrorKind::denied, "this certificate is for another node");
    if (auto saved = write_file(home.certificate(), pem); !saved) return saved;
    std::error_code gone;
    fs::remove(home.request(), gone);
    return {};
}

}  // namespace hanse::federation
