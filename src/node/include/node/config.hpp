// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace hanse::node {

struct ServerConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8420;
    unsigned threads = 0;  // 0: chosen
    std::string tls_certificate = {};
    std::string tls_key = {};
    bool allow_plain_http = false;  // beyond loopback without TLS, for instance behind a proxy that has it
    bool allow_no_keys = false;     // beyond loopback for everyone who reaches it
    std::vector<std::string> cors_origins = {};
    bool operator==(const ServerConfig&) const = default;
};

struct LimitsConfig {
    std::uint64_t body = 16ULL << 20;
    std::uint64_t headers = 16ULL << 10;
    std::uint32_t connections = 4096;
    std::uint32_t in_flight = 512;  // requests of one model, running and waiting together
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{60'000};
    std::chrono::milliseconds idle_timeout{75'000};
    std::chrono::milliseconds write_timeout{30'000};
    std::chrono::milliseconds load_timeout{300'000};
    std::chrono::milliseconds drain{30'000};
    bool operator==(const LimitsConfig&) const = default;
};

struct ModelConfig {
    std::string name;
    std::string file = {};   // path; relative to the configuration file
    std::string model = {};  // name in the store; empty: `name`
    std::uint32_t context = 0;
    std::uint32_t sequences = 0;
    std::uint32_t cache_tokens = 0;
    std::uint32_t threads = 0;
    std::uint32_t queue = 256;
    std::chrono::milliseconds step_budget{0};
    std::uint64_t host_cache = 256ULL << 20;
    std::string draft = {};  // path, or name in the store
    std::vector<std::pair<std::string, std::string>> adapters = {};  // name, path
    std::string chat_template_file = {};
    std::string ngrams = {};  // path of a table whose owners this model answers for (hanse forge ngrams)
    bool embeddings = false;
    bool preload = false;
    bool operator==(const ModelConfig&) const = default;
};

struct UpstreamConfig {
    std::string name;
    std::string url;
    std::string api_key = {};       // read from one of the three ways to give it
    std::vector<std::string> models = {};                            // same name here and there
    std::vector<std::pair<std::string, std::string>> renamed = {};   // name here, name there
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds head_timeout{600'000};
    std::chrono::milliseconds idle_timeout{120'000};
    std::chrono::milliseconds health_interval{5'000};
    unsigned retries = 2;
    unsigned failures_to_open = 5;
    std::chrono::milliseconds open_for{10'000};
    std::string ca_file = {};
    bool operator==(const UpstreamConfig&) const = default;
};

// Who the node is, to whoever reads its receipts; takes effect when its keys are made (node/identity.hpp).
struct IdentityConfig {
    std::string name = {};             // empty: the machine's
    std::string profile = "default";   // crypto/identity.hpp
    std::string passphrase_file = {};  // empty: the service manager's credential hanse-passphrase, if there is one, else none
    std::string token = {};            // pkcs11: URI of the classical key, made there before; empty: it is made here, in the file
    std::string token_module = {};     // of the token's vendor; empty: what p11-kit knows
    std::string token_pin_file = {};   // empty: the service manager's credential hanse-token-pin
    bool operator==(const IdentityConfig&) const = default;
};

struct JournalConfig {
    bool record = true;                // off: nothing is written down, and no receipt given
    bool open = false;                 // /journal/ for everybody, as witnesses and mirrors need it
    std::chrono::milliseconds keep{0};  // texts of tasks at most so long, and no longer than their labels allow; 0: not at all
    std::uint32_t watts_per_core = 8;  // of a busy one; where the machine has no meter that can be read
    std::string witnesses = {};        // file: whom to ask to co-sign, and how many a receipt needs (C2SP tlog-policy); empty: nobody
    std::chrono::milliseconds witness_every{2'000};
    std::string witness_ca_file = {};        // for their addresses; empty: the system's
    std::chrono::milliseconds retention{0};  // older records are pruned; 0: none ever is, else six months at least
    bool operator==(const JournalConfig&) const = default;
};

// This node as a witness of others.
struct WitnessConfig {
    std::string logs = {};  // file with the keys of the logs that it co-signs; empty: none
    bool operator==(const WitnessConfig&) const = default;
};

enum class KeysRequired { automatic, always, never };

struct Config {
    std::string data_directory = {};  // empty: as the command line or XDG says
    bool serve_store = true;          // models in the store that no entry names
    ServerConfig server = {};
    LimitsConfig limits = {};
    std::uint64_t models_memory = 0;  // bytes, 0: no limit
    std::vector<ModelConfig> models = {};
    std::vector<UpstreamConfig> upstreams = {};
    std::string route_ngrams = {};  // path of a table whose owners are named as the models that answer for them, as "law" or "clinic/law"
    KeysRequired keys_required = KeysRequired::automatic;
    bool open_metrics = true;
    base::LogLevel log_level = base::LogLevel::info;
    std::string access_log = {};     // empty: off, "-": standard output, else a file
    std::string otlp_endpoint = {};  // empty: no traces
    IdentityConfig identity = {};
    JournalConfig journal = {};
    WitnessConfig witness = {};
    std::string policy_file = {};    // empty: policy.toml beside the configuration file, if it is there
    bool operator==(const Config&) const = default;

    bool needs_keys() const;
};

// Whether only this machine can reach the address.
bool is_loopback(std::string_view address);

// The whole configuration from TOML text and the variables that override it. `invalid` with one sentence a
// line otherwise: unknown keys, wrong types, values out of range, and what does not go together, such as an
// address beyond loopback without TLS. `folder` is where relative paths begin.
base::Result<Config> parse_config(std::string_view text, std::string_view file, const std::filesystem::path& folder, const base::Environment& environment);

// The same from a file; a file that does not exist is an empty one if `must_exist` is not asked for.
enum class FileMust { exist, may_miss };
base::Result<Config> load_config(const std::filesystem::path& file, FileMust must, const base::Environment& environment);

// What a restart is needed for, by key: the reload of a running node does not change it.
std::vector<std::string> needs_restart(const Config& running, const Config& wanted);

}  // namespace hanse::node
