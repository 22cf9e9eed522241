// SPDX-License-Identifier: Apache-2.0
#include "node/partner_config.hpp"

#include "base/config.hpp"
#include "catalog/files.hpp"
#include "net/client.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

using base::ConfigTable;

void read_offer(ConfigTable& table, OfferConfig& offer) {
    table.text("model", offer.model);
    table.texts("skills", offer.skills);
    table.texts("languages", offer.languages);
    table.integer("context", offer.context, 0, 1 << 24);
    table.integer("prompt_price", offer.prompt_price, 0, std::int64_t{1} << 50);
    table.integer("answer_price", offer.answer_price, 0, std::int64_t{1} << 50);
    table.texts("only", offer.only);
}

void read_device(ConfigTable& table, QkdConfig& device, const fs::path& folder) {
    table.text("url", device.url);
    for (const auto& [key, out] : {std::pair{"ca_file", &device.ca_file}, {"certificate", &device.certificate}, {"key", &device.key}}) {
        table.text(key, *out);
        if (!out->empty() && fs::path(*out).is_relative()) *out = (folder / *out).lexically_normal().string();
    }
    table.choice("method", device.get, {{"post", false}, {"get", true}});
    table.map("members", device.members);
    table.texts("demanded", device.demanded);
    const auto url = net::Url::parse(device.url);
    if (!url || !url->secure) table.problem("url", "must be an https address such as \"https://kme.example\"");
    if (device.certificate.empty() || device.key.empty())
        table.problem("certificate", "is missing, or its key: the device knows its applications by that");
}

}  // namespace

fs::path partner_file(const fs::path& config_file) {
    std::error_code error;
    return fs::absolute(config_file, error).parent_path() / "federation.toml";
}

base::Result<PartnerConfig> parse_partner_config(std::string_view text, const fs::path& file) {
    PartnerConfig config;
    // Like the policy: what partners may use is said in the file alone.
    const base::Environment nothing;
    auto done = base::read_config(text, file.string(), "HANSE_FEDERATION", nothing, [&](ConfigTable& root) {
        root.text("address", config.address);
        root.integer("port", config.port, 0, 65535);
        root.tables("offers", "model", [&](ConfigTable& table) { read_offer(table, config.offers.emplace_back()); });
        if (root.has("qkd")) root.table("qkd", [&](ConfigTable& table) { read_device(table, config.qkd, file.parent_path()); });
        if (config.address.empty()) root.problem("address", "must not be empty");
    });
    if (!done) return std::unexpected(done.error());
    return config;
}

base::Result<PartnerConfig> read_partner_config(const fs::path& config_file) {
    const fs::path file = partner_file(config_file);
    const auto text = catalog::read_file_whole(file, 1U << 20);
    if (!text && text.error().kind == base::ErrorKind::not_found) return PartnerConfig{};
    if (!text) return std::unexpected(text.error());
    return parse_partner_config(*text, file);
}

}  // namespace hanse::node
