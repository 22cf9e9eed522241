// SPDX-License-Identifier: Apache-2.0
#include "metrics.hpp"

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <mutex>

#include "api/service.hpp"

namespace hanse::api {
namespace {

// Label values: backslash, quote and newline escaped.
std::string label(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') out += "\\n";
        else out += c;
    }
    return out;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    std::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <typename T>
void line(std::string& out, std::string_view name, std::string_view labels, T value) {
    if (labels.empty()) std::format_to(std::back_inserter(out), "{} {}\n", name, value);
    else std::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
}

void write_process(std::string& out, std::int64_t started) {
    if (std::ifstream statm("/proc/self/statm"); statm) {
        std::uint64_t pages = 0;
        std::uint64_t resident = 0;
        statm >> pages >> resident;
        const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
        head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
        line(out, "process_resident_memory_bytes", "", resident * page);
        head(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
        line(out, "process_virtual_memory_bytes", "", pages * page);
    }
    std::error_code error;
    std::uint64_t open = 0;
    for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error); !error && entry != std::filesystem::directory_iterator();
         entry.increment(error))
        ++open;
    head(out, "process_open_fds", "gauge", "Open file descriptors.");
    line(out, "process_open_fds", "", open);
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    head(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    line(out, "process_cpu_seconds_total", "", static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9);
    head(out, "process_start_time_seconds", "gauge", "Start of the process, Unix time.");
    line(out, "process_start_time_seconds", "", started);
}

struct Gauge {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    double (*of)(const engine::ModelLoad&);
};

constexpr std::array<Gauge, 8> load_gauges{{
    {"hanse_running", "gauge", "Sequences being generated.", [](const auto& l) { return static_cast<double>(l.running); }},
    {"hanse_queue_depth", "gauge", "Requests waiting in the engine.", [](const auto& l) { return static_cast<double>(l.waiting); }},
    {"hanse_kv_cache_tokens", "gauge", "Tokens in the KV cache.", [](const auto& l) { return static_cast<double>(l.cache_tokens); }},
    {"hanse_kv_cache_tokens_max", "gauge", "Size of the KV cache in tokens.",
     [](const auto& l) { return static_cast<double>(l.cache_tokens_max); }},
    {"hanse_decode_tokens_per_second", "gauge", "Measured decoding speed.", [](const auto& l) { return l.decode_tokens_per_second; }},
    {"hanse_prefill_tokens_per_second", "gauge", "Measured prefill speed.", [](const auto& l) { return l.prefill_tokens_per_second; }},
    {"hanse_tokens_reused_total", "counter", "Prompt tokens taken from cached prefixes.",
     [](const auto& l) { return static_cast<double>(l.tokens_reused); }},
    {"hanse_preempted_total", "counter", "Sequences set aside for others.", [](const auto& l) { return static_cast<double>(l.preempted); }},
}};

void write_models(std::string& out, const std::vector<task::ModelStatus>& models) {
    head(out, "hanse_in_flight", "gauge", "Requests under way by model, running and waiting.");
    for (const auto& model : models) line(out, "hanse_in_flight", std::format("model=\"{}\"", label(model.name)), model.in_flight);
    head(out, "hanse_model_loaded", "gauge", "Whether a model of this node is in memory.");
    for (const auto& model : models)
        if (model.upstream.empty()) line(out, "hanse_model_loaded", std::format("model=\"{}\"", label(model.name)), model.loaded ? 1 : 0);
    head(out, "hanse_upstream_healthy", "gauge", "Whether an upstream answers.");
    std::map<std::string_view, bool> upstreams;
    for (const auto& model : models)
        if (!model.upstream.empty()) upstreams.emplace(model.upstream, model.healthy);
    for (const auto& [name, healthy] : upstreams)
        line(out, "hanse_upstream_healthy", std::format("upstream=\"{}\"", label(name)), healthy ? 1 : 0);
}

void write_loads(std::string& out, const std::vector<task::ModelStatus>& models) {
    for (const auto& gauge : load_gauges) {
        head(out, gauge.name, gauge.type, gauge.help);
        for (const auto& model : models)
            if (model.load) line(out, gauge.name, std::format("model=\"{}\"", label(model.name)), gauge.of(*model.load));
    }
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds span) {
    const double seconds = std::chrono::duration<double>(span).count();
    const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin());
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, span.count() / 1000)), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
    std::uint64_t sum = 0;
    for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
    return sum;
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
    const std::string_view comma = labels.empty() ? "" : ",";
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        below += buckets_[i].load(std::memory_order_relaxed);
        std::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bounds[i], below);
    }
    below += buckets_.back().load(std::memory_order_relaxed);
    std::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, below);
    line(out, std::string(name) + "_sum", labels, static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6);
    line(out, std::string(name) + "_count", labels, below);
}

Metrics::Metrics(base::WallTime started) : started_(std::chrono::duration_cast<std::chrono::seconds>(started.time_since_epoch()).count()) {}

void Metrics::request(Route route, unsigned status, std::chrono::nanoseconds took) {
    const auto index = static_cast<std::size_t>(std::ranges::find(statuses.begin(), statuses.end() - 1, status) - statuses.begin());
    requests_[static_cast<std::size_t>(route)][index].fetch_add(1, std::memory_order_relaxed);
    took_[static_cast<std::size_t>(route)].observe(took);
}

ModelMetrics& Metrics::model(std::string_view name) {
    {
        const std::shared_lock lock(mutex_);
        const auto found = models_.find(name);
        if (found != models_.end()) return *found->second;
    }
    const std::unique_lock lock(mutex_);
    auto& entry = models_[std::string(name)];
    if (!entry) entry = std::make_unique<ModelMetrics>();
    return *entry;
}

void Metrics::write(std::string& out, const task::Desk& desk, std::string_view version, For whom) const {
    head(out, "hanse_build_info", "gauge", "This build.");
    line(out, "hanse_build_info", std::format("version=\"{}\"", label(version)), 1);
    const auto models = desk.models();
    write_models(out, models);
    if (whom == For::everyone) return;
    head(out, "hanse_requests_total", "counter", "Requests answered.");
    for (std::size_t route = 0; route < route_count; ++route)
        for (std::size_t i = 0; i < statuses.size(); ++i)
            if (const auto count = requests_[route][i].load(std::memory_order_relaxed); count != 0) {
                const auto status = statuses[i] == 0 ? std::string("other") : std::to_string(statuses[i]);
                line(out, "hanse_requests_total", std::format("route=\"{}\",status=\"{}\"", name(static_cast<Route>(route)), status),
                     count);
            }
    head(out, "hanse_request_seconds", "histogram", "From the request's arrival to the end of its answer.");
    for (std::size_t route = 0; route < route_count; ++route)
        if (took_[route].count() != 0)
            took_[route].write(out, "hanse_request_seconds", std::format("route=\"{}\"", name(static_cast<Route>(route))));
    head(out, "hanse_streams_open", "gauge", "Answers being streamed.");
    line(out, "hanse_streams_open", "", streams_open.load(std::memory_order_relaxed));
    head(out, "hanse_access_log_dropped_total", "counter", "Access log lines that found no room.");
    line(out, "hanse_access_log_dropped_total", "", access_lines_dropped.load(std::memory_order_relaxed));
    {
        const std::shared_lock lock(mutex_);
        head(out, "hanse_first_token_seconds", "histogram", "From the request's arrival to the first token.");
        for (const auto& [model, metrics] : models_)
            metrics->first_token.write(out, "hanse_first_token_seconds", std::format("model=\"{}\"", label(model)));
        head(out, "hanse_token_gap_seconds", "histogram", "Between two pieces of one answer.");
        for (const auto& [model, metrics] : models_)
            metrics->gap.write(out, "hanse_token_gap_seconds", std::format("model=\"{}\"", label(model)));
        const auto counter = [&](std::string_view name, std::string_view help, auto member) {
            head(out, name, "counter", help);
            for (const auto& [model, metrics] : models_)
                line(out, name, std::format("model=\"{}\"", label(model)), ((*metrics).*member).load(std::memory_order_relaxed));
        };
        counter("hanse_prompt_tokens_total", "Tokens of prompts.", &ModelMetrics::prompt_tokens);
        counter("hanse_cached_tokens_total", "Tokens of prompts that were not computed again.", &ModelMetrics::cached_tokens);
        counter("hanse_completion_tokens_total", "Tokens of answers.", &ModelMetrics::completion_tokens);
        counter("hanse_cancelled_total", "Answers whose client went away.", &ModelMetrics::cancelled);
    }
    head(out, "hanse_partner_receipts_total", "counter", "Answers of partners, and whether this node could verify their receipts.");
    for (const auto& [member, count] : desk.partner_receipts()) {
        line(out, "hanse_partner_receipts_total", std::format("member=\"{}\",verified=\"yes\"", label(member)), count.verified);
        line(out, "hanse_partner_receipts_total", std::format("member=\"{}\",verified=\"no\"", label(member)), count.unverified);
    }
    write_loads(out, models);
    write_process(out, started_);
}

void write_figures(std::string& out, const JournalFigures& figures) {
    const auto one = [&](std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
        head(out, name, type, help);
        line(out, name, "", value);
    };
    one("hanse_journal_entries", "gauge", "Entries of the journal.", figures.entries);
    one("hanse_journal_witnessed_entries", "gauge", "Entries that enough witnesses have co-signed.", figures.witnessed);
    one("hanse_journal_pruned_entries", "gauge", "Entries whose records were removed on purpose.", figures.pruned);
    if (!figures.asked.empty()) head(out, "hanse_journal_witness_signs", "gauge", "Whether a witness co-signed when it was asked last.");
    for (const auto& each : figures.asked)
        line(out, "hanse_journal_witness_signs", std::format("witness=\"{}\"", label(each.witness)), each.signs ? 1 : 0);
    if (!figures.witness) return;
    one("hanse_witness_cosigned_total", "counter", "Checkpoints of other logs that this node co-signed.", figures.witness->cosigned);
    one("hanse_witness_refused_total", "counter", "Requests to co-sign that this node refused.", figures.witness->refused);
    one("hanse_witness_split_views_total", "counter", "Logs that showed two trees of one size.", figures.witness->split_views);
}

}  // namespace hanse::api
