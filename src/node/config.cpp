// SPDX-License-Identifier: Apache-2.0
#include "node/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

#include "catalog/files.hpp"
#include "catalog/reference.hpp"
#include "crypto/identity.hpp"
#include "crypto/key_file.hpp"
#include "journal/retention.hpp"
#include "net/client.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

using base::ConfigTable;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds day = std::chrono::hours{24};

// A path of the file is relative to the file, not to wherever the process was started.
void path(ConfigTable& table, std::string_view key, std::string& out, const fs::path& folder) {
    table.text(key, out);
    if (!out.empty() && out != "-" && fs::path(out).is_relative()) out = (folder / out).lexically_normal().string();
}

void read_server(ConfigTable& table, ServerConfig& server, const fs::path& folder) {
    table.text("address", server.address);
    table.integer("port", server.port, 0, 65535);
    table.integer("threads", server.threads, 0, 256);
    path(table, "tls_certificate", server.tls_certificate, folder);
    path(table, "tls_key", server.tls_key, folder);
    table.boolean("allow_plain_http", server.allow_plain_http);
    table.boolean("allow_no_keys", server.allow_no_keys);
    table.texts("cors_origins", server.cors_origins);
    if (server.address.empty()) table.problem("address", "must not be empty");
    if (server.tls_certificate.empty() != server.tls_key.empty())
        table.problem(server.tls_certificate.empty() ? "tls_certificate" : "tls_key", "is missing: a certificate and its key go together");
    for (const std::string& origin : server.cors_origins) {
        const auto url = net::Url::parse(origin);
        if (origin != "*" && (!url || url->path != "/" || origin.ends_with('/'))) table.problem("cors_origins", "must hold origins such as \"https://chat.example.org\", or \"*\"");
    }
}

void read_limits(ConfigTable& table, LimitsConfig& limits) {
    table.bytes("body", limits.body, 1 << 10, 1ULL << 30);
    table.bytes("headers", limits.headers, 1 << 10, 1 << 20);
    table.integer("connections", limits.connections, 1, 1'000'000);
    table.integer("in_flight", limits.in_flight, 1, 100'000);
    table.duration("header_timeout", limits.header_timeout, 100ms, 1h);
    table.duration("body_timeout", limits.body_timeout, 100ms, 1h);
    table.duration("idle_timeout", limits.idle_timeout, 100ms, 1h);
    table.duration("write_timeout", limits.write_timeout, 100ms, 1h);
    table.duration("load_timeout", limits.load_timeout, 1s, day);
    table.duration("drain", limits.drain, 0ms, day);
}

void read_model(ConfigTable& table, ModelConfig& model, const fs::path& folder) {
    table.text("name", model.name);
    path(table, "file", model.file, folder);
    table.text("model", model.model);
    table.integer("context", model.context, 0, 1 << 24);
    table.integer("sequences", model.sequences, 0, 256);
    table.integer("cache_tokens", model.cache_tokens, 0, 1 << 26);
    table.integer("threads", model.threads, 0, 512);
    table.integer("queue", model.queue, 0, 100'000);
    table.duration("step_budget", model.step_budget, 0ms, 10s);
    table.bytes("host_cache", model.host_cache);
    table.text("draft", model.draft);
    table.map("adapters", model.adapters);
    path(table, "chat_template_file", model.chat_template_file, folder);
    path(table, "ngrams", model.ngrams, folder);
    table.boolean("embeddings", model.embeddings);
    table.boolean("preload", model.preload);
    if (!model.file.empty() && !model.model.empty()) table.problem("model", "and file exclude each other: the first names a model of the store, the second a file");
    if (model.draft.contains('/') && fs::path(model.draft).is_relative()) model.draft = (folder / model.draft).lexically_normal().string();
    for (auto& [name, file] : model.adapters)
        if (fs::path(file).is_relative()) file = (folder / file).lexically_normal().string();
    if (model.name.size() > 200 || std::ranges::any_of(model.name, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
        table.problem("name", "must have no blanks and at most 200 characters");
}

// A key is better not in the configuration, which people show one another.
void read_api_key(ConfigTable& table, UpstreamConfig& upstream, const fs::path& folder, const base::Environment& environment) {
    std::string file;
    std::string variable;
    table.text("api_key", upstream.api_key);
    path(table, "api_key_file", file, folder);
    table.text("api_key_env", variable);
    if (!file.empty()) {
        const auto content = catalog::read_file_whole(file, 64 << 10);
        if (!content) return table.problem("api_key_file", "names a file that cannot be read: " + content.error().message);
        upstream.api_key = *content;
        while (!upstream.api_key.empty() && static_cast<unsigned char>(upstream.api_key.back()) <= 0x20) upstream.api_key.pop_back();
    }
    if (!variable.empty()) {
        const auto found = environment.find(variable);
        if (found == environment.end() || found->second.empty()) return table.problem("api_key_env", std::format("names the variable {}, which is not set", variable));
        upstream.api_key = found->second;
    }
}

void read_upstream(ConfigTable& table, UpstreamConfig& upstream, const fs::path& folder, const base::Environment& environment) {
    table.text("name", upstream.name);
    table.text("url", upstream.url);
    read_api_key(table, upstream, folder, environment);
    table.texts("models", upstream.models);
    table.map("renamed", upstream.renamed);
    table.duration("connect_timeout", upstream.connect_timeout, 10ms, 10min);
    table.duration("head_timeout", upstream.head_timeout, 10ms, day);
    table.duration("idle_timeout", upstream.idle_timeout, 10ms, day);
    table.duration("health_interval", upstream.health_interval, 100ms, day);
    table.integer("retries", upstream.retries, 0, 20);
    table.integer("failures_to_open", upstream.failures_to_open, 1, 1000);
    table.duration("open_for", upstream.open_for, 10ms, day);
    path(table, "ca_file", upstream.ca_file, folder);
    if (const auto url = net::Url::parse(upstream.url); !url) table.problem("url", "must be an address such as \"http://127.0.0.1:8001/v1\"");
    if (upstream.models.empty() && upstream.renamed.empty()) table.problem("models", "must name at least one model that is asked there");
}

void read_identity(ConfigTable& table, IdentityConfig& identity, const fs::path& folder) {
    table.text("name", identity.name);
    table.text("profile", identity.profile);
    path(table, "passphrase_file", identity.passphrase_file, folder);
    table.text("token", identity.token);
    path(table, "token_module", identity.token_module, folder);
    path(table, "token_pin_file", identity.token_pin_file, folder);
    if (!identity.token.empty() && (!identity.token.starts_with("pkcs11:") || identity.token.contains("pin-")))
        table.problem("token", "must be a PKCS #11 URI such as \"pkcs11:token=hanse;object=identity\", without a PIN in it");
    if (!identity.name.empty() && !crypto::is_key_name(identity.name)) table.problem("name", "must have no blanks and no plus sign");
    if (!crypto::profile_named(identity.profile)) table.problem("profile", "must be \"default\" or \"bsi\"");
}

void read_journal(ConfigTable& table, JournalConfig& journal, const fs::path& folder) {
    table.boolean("record", journal.record);
    table.boolean("open", journal.open);
    table.duration("keep", journal.keep, 0ms, 36'500 * day);
    table.integer("watts_per_core", journal.watts_per_core, 0, 1000);
    path(table, "witnesses", journal.witnesses, folder);
    table.duration("witness_every", journal.witness_every, 100ms, day);
    path(table, "witness_ca_file", journal.witness_ca_file, folder);
    table.duration("retention", journal.retention, 0ms, 36'500 * day);
    const auto days = std::chrono::floor<std::chrono::days>(journal.retention);
    if (journal.retention.count() != 0 && !journal::Retention::create(days))
        table.problem("retention", "must be \"0s\" (nothing is ever pruned) or at least \"184d\": six months, as the AI Act asks for");
}

void read_logging(ConfigTable& table, Config& config, const fs::path& folder) {
    table.choice("level", config.log_level,
                 {{"debug", base::LogLevel::debug}, {"info", base::LogLevel::info}, {"warning", base::LogLevel::warning}, {"error", base::LogLevel::error}});
    path(table, "access_log", config.access_log, folder);
}

// What each key alone cannot show.
void check_together(ConfigTable& root, const Config& config) {
    if (!is_loopback(config.server.address)) {
        if (config.server.tls_certificate.empty() && !config.server.allow_plain_http)
            root.problem("server", std::format("listens on {}, beyond this machine, without TLS: set server.tls_certificate and server.tls_key, or server.allow_plain_http = true if "
                                               "something before it encrypts",
                                               config.server.address));
        if (config.keys_required == KeysRequired::never && !config.server.allow_no_keys)
            root.problem("keys", std::format("are never required, but server.address {} is beyond this machine: leave keys.required = \"auto\", or set server.allow_no_keys = true",
                                             config.server.address));
    }
    std::vector<std::string_view> names;
    const auto once = [&](std::string_view name, std::string_view where) {
        if (std::ranges::contains(names, name)) root.problem(where, std::format("name the model {} twice", name));
        else names.push_back(name);
    };
    for (const ModelConfig& model : config.models) once(model.name, "models");
    for (const UpstreamConfig& upstream : config.upstreams) {
        for (const std::string& name : upstream.models) once(name, "upstreams");
        for (const auto& [here, there] : upstream.renamed) once(here, "upstreams");
    }
}

}  // namespace

bool Config::needs_keys() const {
    switch (keys_required) {
        case KeysRequired::always: return true;
        case KeysRequired::never: return false;
        case KeysRequired::automatic: return !is_loopback(server.address) && !server.allow_no_keys;
    }
    return true;
}

bool is_loopback(std::string_view address) {
    if (address == "localhost" || address == "::1" || address == "[::1]") return true;
    // 127.0.0.0/8, RFC 1122 section 3.2.1.3
    unsigned parts = 0;
    std::string_view rest = address;
    while (true) {
        const std::string_view part = rest.substr(0, rest.find('.'));
        unsigned value = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc{} || end != part.data() + part.size() || value > 255 || (parts == 0 && value != 127)) return false;
        ++parts;
        if (part.size() == rest.size()) break;
        rest.remove_prefix(part.size() + 1);
    }
    return parts == 4;
}

base::Result<Config> parse_config(std::string_view text, std::string_view file, const fs::path& folder, const base::Environment& environment) {
    Config config;
    const auto read = [&](ConfigTable& root) {
        root.table("data", [&](ConfigTable& table) {
            path(table, "directory", config.data_directory, folder);
            table.boolean("serve_store", config.serve_store);
        });
        root.table("server", [&](ConfigTable& table) { read_server(table, config.server, folder); });
        root.table("limits", [&](ConfigTable& table) { read_limits(table, config.limits); });
        root.table("memory", [&](ConfigTable& table) { table.bytes("models", config.models_memory); });
        root.tables("models", "name", [&](ConfigTable& table) { read_model(table, config.models.emplace_back(), folder); });
        root.tables("upstreams", "name", [&](ConfigTable& table) { read_upstream(table, config.upstreams.emplace_back(), folder, environment); });
        root.table("route", [&](ConfigTable& table) { path(table, "ngrams", config.route_ngrams, folder); });
        root.table("keys", [&](ConfigTable& table) {
            table.choice("required", config.keys_required, {{"auto", KeysRequired::automatic}, {"always", KeysRequired::always}, {"never", KeysRequired::never}});
            table.boolean("open_metrics", config.open_metrics);
        });
        root.table("logging", [&](ConfigTable& table) { read_logging(table, config, folder); });
        root.table("telemetry", [&](ConfigTable& table) {
            table.text("otlp_endpoint", config.otlp_endpoint);
            if (!config.otlp_endpoint.empty() && !net::Url::parse(config.otlp_endpoint)) table.problem("otlp_endpoint", "must be an address such as \"http://127.0.0.1:4318\"");
        });
        root.table("identity", [&](ConfigTable& table) { read_identity(table, config.identity, folder); });
        root.table("journal", [&](ConfigTable& table) { read_journal(table, config.journal, folder); });
        root.table("witness", [&](ConfigTable& table) { path(table, "logs", config.witness.logs, folder); });
        root.table("policy", [&](ConfigTable& table) { path(table, "file", config.policy_file, folder); });
        check_together(root, config);
    };
    auto done = base::read_config(text, file, "HANSE", environment, read);
    if (!done) return std::unexpected(done.error());
    return config;
}

base::Result<Config> load_config(const fs::path& file, FileMust must, const base::Environment& environment) {
    auto text = catalog::read_file_whole(file, 1 << 20);
    if (!text && (text.error().kind != base::ErrorKind::not_found || must == FileMust::exist)) return std::unexpected(text.error());
    std::error_code error;
    const fs::path folder = fs::absolute(file, error).parent_path();
    return parse_config(text ? *text : "", file.string(), folder, environment);
}

std::vector<std::string> needs_restart(const Config& running, const Config& wanted) {
    std::vector<std::string> keys;
    if (running.server != wanted.server) keys.emplace_back("server");
    if (running.limits != wanted.limits) keys.emplace_back("limits");
    if (running.data_directory != wanted.data_directory) keys.emplace_back("data.directory");
    if (running.models_memory != wanted.models_memory) keys.emplace_back("memory.models");
    if (running.needs_keys() != wanted.needs_keys()) keys.emplace_back("keys.required");
    if (running.open_metrics != wanted.open_metrics) keys.emplace_back("keys.open_metrics");
    if (running.identity != wanted.identity) keys.emplace_back("identity");
    if (running.journal != wanted.journal) keys.emplace_back("journal");
    if (running.witness != wanted.witness) keys.emplace_back("witness");
    if (running.otlp_endpoint != wanted.otlp_endpoint) keys.emplace_back("telemetry.otlp_endpoint");
    return keys;
}

}  // namespace hanse::node
