// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace hanse::node {

// What partners may use here.
struct OfferConfig {
    std::string model;
    std::vector<std::string> skills = {};
    std::vector<std::string> languages = {};
    std::uint32_t context = 0;
    std::uint64_t prompt_price = 0;  // micro-euro for a million tokens
    std::uint64_t answer_price = 0;
    std::vector<std::string> only = {};  // members; empty: all
    bool operator==(const OfferConfig&) const = default;
};

// Keys from a quantum key distribution device of the house (ETSI GS QKD 014), added to what protects connections.
struct QkdConfig {
    std::string url = {};  // of the key management entity, https; empty: no device
    std::string ca_file = {};
    std::string certificate = {};  // of this node as an application (SAE)
    std::string key = {};
    bool get = false;                                               // ask by GET; otherwise by POST
    std::vector<std::pair<std::string, std::string>> members = {};  // partner, its SAE
    std::vector<std::string> demanded = {};                         // partners with whom there is no connection without
    bool operator==(const QkdConfig&) const = default;
};

// This node among partners, from federation.toml beside the configuration file; every key may be missing:
//
//   address = "127.0.0.1"     # where partners' nodes connect
//   port = 8421
//   [[offers]]
//   model = "eurollm-9b"      # of this node or of one of its model servers
//   skills = ["translation"]
//   languages = ["de", "en"]
//   only = ["bolt"]           # for these members; without it for all
//   [qkd]
//   url = "https://kme.example"
//   ca_file, certificate, key = paths, relative to the file
//   method = "post"           # or "get"
//   members = { bolt = "sae-bolt" }
//   demanded = ["bolt"]
struct PartnerConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8421;  // 0: chosen by the system
    std::vector<OfferConfig> offers = {};
    QkdConfig qkd = {};
    bool operator==(const PartnerConfig&) const = default;
};

std::filesystem::path partner_file(const std::filesystem::path& config_file);
// `invalid` with one sentence a line; the defaults if there is no such file.
base::Result<PartnerConfig> read_partner_config(const std::filesystem::path& config_file);
base::Result<PartnerConfig> parse_partner_config(std::string_view text, const std::filesystem::path& file);

}  // namespace hanse::node
