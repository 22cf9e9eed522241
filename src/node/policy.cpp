// SPDX-License-Identifier: Apache-2.0
#include "node/policy.hpp"

#include "catalog/files.hpp"
#include "federation/home.hpp"
#include "net/client.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t file_max = 1 << 20, directory_max = 64 << 20;

}  // namespace

fs::path policy_file(const Config& config, const fs::path& config_file) {
    if (!config.policy_file.empty()) return config.policy_file;
    std::error_code error;
    return fs::absolute(config_file, error).parent_path() / "policy.toml";
}

label::FederationTerms charter_terms(const DataDirectory& data) {
    const federation::Home home{data.root / "federation"};
    if (!home.in_federation()) return {};
    const auto chain = federation::read_charter(home);
    if (!chain) return {};
    return {.words = chain->charter().vocabulary()};
}

base::Result<std::shared_ptr<const label::Policy>> read_policy(const fs::path& file, const label::FederationTerms& terms, std::string* apart) {
    const auto text = catalog::read_file_whole(file, file_max);
    if (!text) return std::unexpected(text.error());
    auto policy = label::Policy::read(*text, file.string(), terms);
    if (policy || terms.words.members.empty()) return policy;
    auto alone = label::Policy::read(*text, file.string());
    if (alone && apart != nullptr) *apart = policy.error().message;
    return alone;
}

base::Result<std::shared_ptr<const label::Policy>> policy_in_force(const Config& config, const fs::path& file, const label::FederationTerms& terms,
                                                                   std::string* apart) {
    auto policy = read_policy(file, terms, apart);
    if (policy || policy.error().kind != base::ErrorKind::not_found || !config.policy_file.empty()) return policy;
    std::vector<std::string> here;
    for (const UpstreamConfig& upstream : config.upstreams)
        if (const auto url = net::Url::parse(upstream.url); url && is_loopback(url->host)) here.push_back(upstream.name);
    return label::Policy::read(label::policy_without_file(here), "the policy without a file");
}

base::Result<std::shared_ptr<const privacy::Recogniser>> recogniser_beside(const fs::path& policy_file) {
    const fs::path file = policy_file.parent_path() / "directory.toml";
    const auto text = catalog::read_file_whole(file, directory_max);
    if (!text && text.error().kind != base::ErrorKind::not_found) return std::unexpected(text.error());
    auto directory = text ? privacy::Directory::read(*text, file.string()) : privacy::Directory{};
    if (!directory) return std::unexpected(directory.error());
    return privacy::Recogniser::create({.directory = std::move(*directory)});
}

}  // namespace hanse::node
