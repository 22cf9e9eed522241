// SPDX-License-Identifier: Apache-2.0
#include "wiring.hpp"

#include <algorithm>
#include <format>
#include <thread>

#include "catalog/files.hpp"
#include "catalog/known_models.hpp"
#include "net/client.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

// A path, or the name of a model in the store.
base::Result<std::string> file_of(const std::string& text, const catalog::Store& store) {
    if (text.contains('/')) {
        std::error_code error;
        if (!fs::is_regular_file(text, error)) return base::fail(base::ErrorKind::not_found, std::format("there is no file {}", text), "model_not_found");
        return text;
    }
    const auto found = store.path(text);
    if (!found) return std::unexpected(found.error());
    return found->string();
}

base::Result<engine::ModelSpec> spec_of(const ModelConfig& model, const catalog::Store& store) {
    const auto wrong = [&](const base::Error& error) {
        const std::string& name = model.model.empty() ? model.name : model.model;
        const bool missing = error.kind == base::ErrorKind::not_found && model.file.empty();
        const std::string hint = !missing ? "" : catalog::find_known_model(name) != nullptr ? std::format("; fetch it with: hanse model pull {}", name) : "; see: hanse model list";
        return base::fail(error.kind, std::format("models.{}: {}{}", model.name, error.message, hint), error.code);
    };
    engine::ModelSpec spec{.name = model.name, .path = {}};
    auto path = model.file.empty() ? file_of(model.model.empty() ? model.name : model.model, store) : file_of(model.file, store);
    if (!path) return wrong(path.error());
    spec.path = std::move(*path);
    spec.context = model.context;
    spec.sequences = model.sequences;
    spec.cache_tokens = model.cache_tokens;
    spec.threads = model.threads;
    spec.queue_max = model.queue;
    spec.step_budget = model.step_budget;
    spec.host_cache_bytes = model.host_cache;
    spec.embeddings = model.embeddings;
    if (!model.draft.empty()) {
        auto draft = file_of(model.draft, store);
        if (!draft) return wrong(draft.error());
        spec.draft_path = std::move(*draft);
    }
    for (const auto& [name, file] : model.adapters) {
        auto adapter = file_of(file, store);
        if (!adapter) return wrong(adapter.error());
        spec.adapters.emplace_back(name, std::move(*adapter));
    }
    if (!model.chat_template_file.empty()) {
        auto text = catalog::read_file_whole(model.chat_template_file, 1 << 20);
        if (!text) return wrong(text.error());
        spec.chat_template = std::move(*text);
    }
    return spec;
}

}  // namespace

net::ListenOptions listen_options(const Config& config) {
    net::ListenOptions options;
    options.address = config.server.address == "localhost" ? "127.0.0.1" : config.server.address;
    if (options.address.starts_with('[') && options.address.ends_with(']')) options.address = options.address.substr(1, options.address.size() - 2);
    options.port = config.server.port;
    if (!config.server.tls_certificate.empty()) options.tls = net::TlsFiles{config.server.tls_certificate, config.server.tls_key};
    options.body_max = config.limits.body;
    options.header_max = config.limits.headers;
    options.connections_max = config.limits.connections;
    options.header_timeout = config.limits.header_timeout;
    options.body_timeout = config.limits.body_timeout;
    options.idle_timeout = config.limits.idle_timeout;
    options.write_timeout = config.limits.write_timeout;
    // One listener thread moves tens of thousands of requests a second; the cores belong to the models.
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    options.threads = config.server.threads != 0 ? config.server.threads : std::clamp(cores / 8, 1U, 8U);
    return options;
}

base::Result<std::vector<engine::ModelSpec>> model_specs(const Config& config, const catalog::Store& store) {
    std::vector<engine::ModelSpec> specs;
    for (const ModelConfig& model : config.models) {
        auto spec = spec_of(model, store);
        if (!spec) return std::unexpected(spec.error());
        specs.push_back(std::move(*spec));
    }
    if (!config.serve_store) return specs;
    for (const catalog::Manifest& manifest : store.list()) {
        const std::string path = (store.folder(manifest.name) / manifest.files.front().name).string();
        const bool named = std::ranges::any_of(specs, [&](const engine::ModelSpec& spec) { return spec.name == manifest.name || spec.path == path; });
        const bool upstream = std::ranges::any_of(config.upstreams, [&](const UpstreamConfig& each) {
            return std::ranges::contains(each.models, manifest.name) || std::ranges::any_of(each.renamed, [&](const auto& pair) { return pair.first == manifest.name; });
        });
        if (!named && !upstream) specs.push_back({.name = manifest.name, .path = path});
    }
    return specs;
}

base::Result<std::shared_ptr<const route::Fit>> fit_of(const Config& config) {
    const auto read = [](const std::string& key, const std::string& file) -> base::Result<catalog::NgramTable> {
        const auto bytes = catalog::read_file_whole(file, 1U << 30U);
        if (!bytes) return base::fail(bytes.error().kind, std::format("{}: {}", key, bytes.error().message), bytes.error().code);
        auto table = catalog::NgramTable::parse(base::bytes_of(*bytes));
        if (!table) return base::fail(table.error().kind, std::format("{}: {}: {}", key, file, table.error().message), table.error().code);
        return table;
    };
    auto fit = std::make_shared<route::Fit>();
    for (const ModelConfig& model : config.models) {
        if (model.ngrams.empty()) continue;
        const auto table = read(std::format("models.{}.ngrams", model.name), model.ngrams);
        if (!table) return std::unexpected(table.error());
        if (auto added = fit->speak_for(model.name, *table); !added) return std::unexpected(added.error());
    }
    if (!config.route_ngrams.empty()) {
        const auto table = read("route.ngrams", config.route_ngrams);
        if (!table) return std::unexpected(table.error());
        if (auto added = fit->add(*table); !added) return std::unexpected(added.error());
    }
    if (fit->empty()) return std::shared_ptr<const route::Fit>();
    return std::shared_ptr<const route::Fit>(std::move(fit));
}

std::vector<engine::UpstreamSpec> upstream_specs(const Config& config) {
    std::vector<engine::UpstreamSpec> specs;
    for (const UpstreamConfig& upstream : config.upstreams) {
        engine::UpstreamSpec spec{.name = upstream.name, .url = upstream.url, .api_key = upstream.api_key, .models = {}};
        for (const std::string& name : upstream.models) spec.models.emplace_back(name, name);
        for (const auto& pair : upstream.renamed) spec.models.push_back(pair);
        spec.connect_timeout = upstream.connect_timeout;
        spec.head_timeout = upstream.head_timeout;
        spec.idle_timeout = upstream.idle_timeout;
        spec.health_interval = upstream.health_interval;
        spec.retries = upstream.retries;
        spec.failures_to_open = upstream.failures_to_open;
        spec.open_for = upstream.open_for;
        spec.ca_file = upstream.ca_file;
        specs.push_back(std::move(spec));
    }
    return specs;
}

std::string local_url(const Config& config, std::uint16_t port) {
    std::string host = listen_options(config).address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    if (host.contains(':')) host = "[" + host + "]";
    return std::format("{}://{}:{}", config.server.tls_certificate.empty() ? "http" : "https", host, port);
}

std::string traces_url(const std::string& endpoint) {
    const auto url = net::Url::parse(endpoint);
    if (!url || url->path != "/") return endpoint;
    return endpoint + (endpoint.ends_with('/') ? "v1/traces" : "/v1/traces");
}

}  // namespace hanse::node
