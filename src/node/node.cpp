// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <format>
#include <mutex>
#include <ranges>
#include <thread>

#include "api/service.hpp"
#include "catalog/files.hpp"
#include "level_log.hpp"
#include "own_witness.hpp"
#include "node/key_changes.hpp"
#include "node/policy.hpp"
#include "partnership.hpp"
#include "node/version.hpp"
#include "records.hpp"
#include "service_manager.hpp"
#include "task/declassifications.hpp"
#include "task/otlp.hpp"
#include "wiring.hpp"
#include "witness_rounds.hpp"

namespace hanse::node {
namespace asio = boost::asio;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::chrono::seconds keys_interval{1};

// A file that this process appends to, or a standard stream that it does not own.
class Appended {
public:
    static Result<Appended> open(const std::string& path) {
        if (path.empty()) return Appended(-1, false);
        if (path == "-") return Appended(1, false);
        const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (descriptor < 0)
            return base::fail(ErrorKind::invalid, std::format("logging.access_log: cannot write to {}: {}", path, std::strerror(errno)));
        return Appended(descriptor, true);
    }
    Appended(Appended&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), owned_(std::exchange(other.owned_, false)) {}
    Appended& operator=(Appended&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(owned_, other.owned_);
        return *this;
    }
    ~Appended() {
        if (owned_) ::close(descriptor_);
    }
    int descriptor() const { return descriptor_; }

private:
    Appended(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {}
    int descriptor_;
    bool owned_;
};

asio::awaitable<void> keep_probing(std::weak_ptr<engine::Upstream> watched) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (true) {
        std::shared_ptr<engine::Upstream> upstream = watched.lock();
        if (!upstream) co_return;  // a reload dropped it
        co_await upstream->probe();
        timer.expires_after(upstream->spec().health_interval);
        upstream.reset();
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace

// In the order of use: what stands below may use what stands above, and goes first.
// Taken before anybody can find the node: whoever reads node.json may send one, and by default it would end the process.
struct Signals {
    asio::io_context context{1};
    asio::signal_set ending{context, SIGTERM, SIGINT};
    asio::signal_set reloading{context, SIGHUP};
};

struct Node::State {
    Parts parts;
    DataLock lock;
    Config config;
    LevelLog log;
    catalog::Store store;
    ServiceManager manager;
    Appended access_log;
    std::string url = {};
    std::shared_ptr<task::OtlpExporter> traces = {};
    std::unique_ptr<Records> records = {};  // null: no journal is kept
    std::unique_ptr<OwnWitness> witness = {};        // null: no log is co-signed
    std::shared_ptr<WitnessRounds> rounds = {};      // null: nobody is asked to
    std::unique_ptr<engine::ModelPool> pool = {};
    std::vector<std::shared_ptr<engine::Upstream>> upstreams = {};
    std::unique_ptr<task::KeyRing> keys = {};
    std::shared_ptr<task::DecisionRecord> decisions = std::make_shared<task::DecisionRecord>();
    base::SystemDisk disk = {};
    std::shared_ptr<task::Declassifications> declassifications = {};
    std::unique_ptr<task::Desk> desk = {};
    std::unique_ptr<api::Service> service = {};
    std::unique_ptr<Partnership> partnership = {};
    std::unique_ptr<net::Server> server = {};
    std::mutex reading;                             // of the policy: by a reload, or since the charter changed
    std::atomic<std::uint64_t> words_version = 0;  // of the charter whose words the policy has
    std::mutex places;  // upstreams, and what the desk has been told of
    // Probes, key reloads and traces; nothing of a request runs here.
    asio::io_context chores{1};
    asio::executor_work_guard<asio::io_context::executor_type> chores_wanted = asio::make_work_guard(chores);
    std::jthread keeper = {};
    std::atomic<bool> stopped = false;
    std::unique_ptr<Signals> signals = {};

    Result<void> build();
    Result<void> open_upstreams(const Config& wanted, std::vector<std::shared_ptr<engine::Upstream>>& opened);
    Result<void> open_journal();
    Result<void> open_witness();
    api::JournalFigures journal_figures() const;
    void preload();
    void start_chores();
    asio::awaitable<void> keep_keys();
    void save_decisions();
    void tell_differences(const label::Policy& wanted);
    Result<std::shared_ptr<task::Rules>> read_rules(const Config& wanted);
    // Puts on record what differs from what the journal says is in force; before it takes effect.
    Result<void> record_changes(const Config& wanted);
    Result<void> record_start();
    Result<void> apply(Config wanted);
    void places_changed();
    void follow_charter();
};

namespace {

Result<Config> read(const Node::Parts& parts) {
    auto config = load_config(parts.config_file, parts.config_must, parts.environment);
    if (!config) return std::unexpected(config.error());
    if (parts.adjust) parts.adjust(*config);
    return config;
}

}  // namespace

Result<void> Node::State::open_upstreams(const Config& wanted, std::vector<std::shared_ptr<engine::Upstream>>& opened) {
    const auto specs = upstream_specs(wanted);
    for (std::size_t i = 0; i < specs.size(); ++i) {
        // An unchanged entry keeps its object: connections, health and circuit go on.
        const auto same = std::ranges::find(config.upstreams, wanted.upstreams[i]);
        const auto index = static_cast<std::size_t>(same - config.upstreams.begin());
        if (same != config.upstreams.end() && index < upstreams.size()) {
            opened.push_back(upstreams[index]);
            continue;
        }
        auto upstream = engine::Upstream::open({.spec = specs[i], .clock = parts.clock, .random = parts.random, .log = log});
        if (!upstream) return base::fail(upstream.error().kind, std::format("upstreams.{}: {}", specs[i].name, upstream.error().message));
        opened.push_back(std::move(*upstream));
    }
    return {};
}

// Model servers of the house and partners together; told by the thread of either.
void Node::State::places_changed() {
    const std::lock_guard lock(places);
    auto all = upstreams;
    const auto partners = partnership->places();
    all.insert(all.end(), partners.begin(), partners.end());
    desk->reload(std::move(all));
}

void Node::State::preload() {
    for (const ModelConfig& model : config.models) {
        if (!model.preload) continue;
        pool->get(model.name, [this, name = model.name](Result<std::shared_ptr<engine::Model>> loaded) {
            if (!loaded) log.warning("preload_failed", {{"model", name}, {"error", loaded.error().message}});
        });
    }
}

asio::awaitable<void> Node::State::keep_keys() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (true) {
        timer.expires_after(keys_interval);
        co_await timer.async_wait(asio::use_awaitable);
        const auto changed = keys->reload_if_changed();
        save_decisions();
        (void)partnership->look();  // tells by itself why it cannot begin
        follow_charter();
        if (records) {
            records->chores();
            if (witness) witness->look([this](std::string_view kind, journal::CanonicalObject fields) { records->note(kind, std::move(fields)); });
            // Files that were changed take effect, and go on record, with a reload; keys by themselves.
            if (const auto said = records->compare_keys(keys->list()); !said) log.warning("changes_not_recorded", {{"error", said.error().message}});
        }
        if (!changed) log.warning("keys_unreadable", {{"error", changed.error().message}});
        else if (*changed) log.info("keys_reloaded", {{"keys", static_cast<std::int64_t>(keys->size())}});
    }
}

// New words of the charter are words of the policy within a second.
void Node::State::follow_charter() {
    const auto version = partnership->charter_version();
    if (version == 0 || version == words_version) return;
    const std::lock_guard alone(reading);
    auto rules = read_rules(config);
    words_version = version;  // a policy that cannot be read now is not tried again every second
    if (!rules) return log.warning("policy_not_read_anew", {{"reason", std::string_view(rules.error().message)}});
    tell_differences((*rules)->policy());
    desk->rules(std::move(*rules));
    log.info("charter_words_taken", {{"version", static_cast<std::int64_t>(version)}});
}

Result<void> Node::State::record_changes(const Config& wanted) {
    if (!records) return {};
    if (auto said = records->compare_files(file_digest(parts.config_file), file_digest(policy_file(wanted, parts.config_file))); !said) return said;
    return records->compare_keys(keys->list());
}

Result<void> Node::State::record_start() {
    if (!records) return {};
    journal::CanonicalObject fields;
    fields.text("version", version()).text_if_any("commit", commit()).text("fingerprint", records->identity().fingerprint());
    fields.text("profile", name(records->identity().profile())).text("keys_required", config.needs_keys() ? "yes" : "no");
    fields.text_if_any("config", file_digest(parts.config_file)).text_if_any("policy", file_digest(policy_file(config, parts.config_file)));
    fields.texts("models", pool->names());
    if (auto said = records->say("node_started", std::move(fields)); !said) return said;
    return record_changes(config);
}

void Node::State::save_decisions() {
    const auto changed = decisions->changed();
    if (!changed) return;
    if (auto saved = catalog::write_file_whole(parts.data.decisions(), label::record_text(*changed), 0600); !saved)
        log.warning("decisions_not_saved", {{"error", saved.error().message}});
}

// Before a change takes effect: which of the decisions of late would turn out differently, as hanse policy diff shows them.
void Node::State::tell_differences(const label::Policy& wanted) {
    constexpr std::size_t told_max = 20;
    const auto record = decisions->all();
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(parts.clock.wall().time_since_epoch()).count();
    const auto differing = label::differences(desk->rules()->policy(), wanted, record, now);
    for (const auto& each : differing | std::views::take(told_max))
        log.warning("decision_changes", {{"label", each.asked.label},
                                         {"place", each.asked.place},
                                         {"use", each.asked.use},
                                         {"before", each.before},
                                         {"after", each.after}});
    log.info("policy_changes",
             {{"recorded", static_cast<std::int64_t>(record.size())}, {"differing", static_cast<std::int64_t>(differing.size())}});
}

Result<std::shared_ptr<task::Rules>> Node::State::read_rules(const Config& wanted) {
    const auto file = policy_file(wanted, parts.config_file);
    std::string apart;
    const auto terms = charter_terms(parts.data);
    auto policy = policy_in_force(wanted, file, terms, &apart);
    if (!policy) return std::unexpected(policy.error());
    if (!apart.empty()) log.warning("policy_apart_from_charter", {{"file", file.string()}, {"reason", std::string_view(apart)}});
    words_version = terms.words.members.empty() ? 0 : terms.words.version;
    std::error_code error;
    if (std::filesystem::exists(file, error))
        log.info("policy_read", {{"file", file.string()}, {"places", static_cast<std::int64_t>((*policy)->places().size())}});
    else log.warning("no_policy_file", {{"file", file.string()}});
    std::shared_ptr<const privacy::Recogniser> recogniser;
    if (task::Rules::needs_recogniser(**policy)) {
        auto made = recogniser_beside(file);
        if (!made) return std::unexpected(made.error());
        recogniser = std::move(*made);
    }
    return std::make_shared<task::Rules>(std::move(*policy), decisions, std::move(recogniser));
}

void Node::State::start_chores() {
    for (const auto& upstream : upstreams) asio::co_spawn(chores, keep_probing(upstream), asio::detached);
    asio::co_spawn(chores, keep_keys(), asio::detached);
    if (traces) asio::co_spawn(chores, traces->run(), asio::detached);
    if (rounds) asio::co_spawn(chores, rounds->run(), asio::detached);
    keeper = std::jthread([this] {
        while (true) {
            try {
                chores.run();
                return;
            } catch (const std::exception& thrown) {
                log.error("chore_failed", {{"error", thrown.what()}});
            }
        }
    });
}

Result<void> Node::State::open_journal() {
    if (!config.journal.record) {
        log.warning("no_journal");
        return {};
    }
    auto opened = Records::open({.data = parts.data, .identity = config.identity, .journal = config.journal, .environment = parts.environment,
                                 .clock = parts.clock, .random = parts.random, .log = log});
    if (!opened) return std::unexpected(opened.error());
    records = std::move(*opened);
    if (config.journal.witnesses.empty()) return {};
    auto asking = WitnessRounds::create(
        {.journal = records->journal(),
         .clock = parts.clock,
         .log = log,
         .record = [this](std::string_view kind, journal::CanonicalObject fields) { records->note(kind, std::move(fields)); },
         .every = config.journal.witness_every,
         .client = {.ca_file = config.journal.witness_ca_file}});
    if (!asking) return base::fail(asking.error().kind, "journal.witnesses: " + asking.error().message);
    rounds = std::move(*asking);
    return {};
}

Result<void> Node::State::open_witness() {
    if (config.witness.logs.empty()) return {};
    const auto passphrase = identity_passphrase(config.identity, parts.environment);
    if (!passphrase) return std::unexpected(passphrase.error());
    if (!records) {
        const auto token = identity_token(config.identity, parts.environment);
        if (!token) return std::unexpected(token.error());
        const auto made = make_keys(parts.data, config.identity, *passphrase, parts.random, *token ? &**token : nullptr);
        if (!made) return std::unexpected(made.error());
    }
    if (auto fine = refuse_revoked(parts.data, KeyPurpose::witness); !fine) return fine;
    auto opened = OwnWitness::open({.data = parts.data, .config = config.witness, .passphrase = *passphrase, .clock = parts.clock, .log = log});
    if (!opened) return std::unexpected(opened.error());
    witness = std::move(*opened);
    return {};
}

api::JournalFigures Node::State::journal_figures() const {
    api::JournalFigures all;
    if (records) {
        const auto figures = records->journal().figures();
        all.entries = figures.size;
        all.witnessed = figures.witnessed;
        all.pruned = figures.pruned;
    }
    if (rounds)
        for (auto& each : rounds->standing()) all.asked.push_back({std::move(each.witness), each.signs});
    if (witness) {
        const auto figures = witness->figures();
        all.witness = {figures.cosigned, figures.refused, figures.proven_splits};
    }
    return all;
}

Result<void> Node::State::build() {
    auto specs = model_specs(config, store);
    if (!specs) return std::unexpected(specs.error());
    auto fit = fit_of(config);
    if (!fit) return std::unexpected(fit.error());
    if (!config.otlp_endpoint.empty()) {
        auto exporter = task::OtlpExporter::open({.endpoint = traces_url(config.otlp_endpoint), .service_version = std::string(version())},
                                                 parts.clock, log);
        if (!exporter) return base::fail(exporter.error().kind, "telemetry.otlp_endpoint: " + exporter.error().message);
        traces = std::move(*exporter);
    }
    if (auto opened = open_journal(); !opened) return opened;
    if (auto opened = open_witness(); !opened) return opened;
    engine::ModelPool::Loader loader = parts.loader ? parts.loader : [](const engine::ModelSpec& spec) { return engine::load_model(spec); };
    if (records) loader = records->recording(std::move(loader));
    pool = std::make_unique<engine::ModelPool>(engine::ModelPool::Parts{
        .specs = std::move(*specs), .memory_max = config.models_memory, .clock = parts.clock, .log = log, .loader = std::move(loader)});
    std::vector<UpstreamConfig> entries;
    std::swap(entries, config.upstreams);  // none is open yet, so none can be kept
    Config wanted = config;
    wanted.upstreams = std::move(entries);
    if (auto opened = open_upstreams(wanted, upstreams); !opened) return std::unexpected(opened.error());
    config = std::move(wanted);

    auto ring = task::KeyRing::open({.path = parts.data.keys().string(),
                                     .usage_path = parts.data.usage().string(),
                                     .clock = parts.clock,
                                     .random = parts.random,
                                     .log = log});
    if (!ring) return std::unexpected(ring.error());
    keys = std::move(*ring);
    auto rules = read_rules(config);
    if (!rules) return std::unexpected(rules.error());
    auto book = task::Declassifications::open({.disk = disk, .used_up = parts.data.declassified()});
    if (!book) return std::unexpected(book.error());
    declassifications = std::move(*book);
    // What earlier runs decided stays on record; a record that cannot be read begins anew.
    if (const auto text = catalog::read_file_whole(parts.data.decisions(), 16U << 20))
        for (auto& asked : label::read_record(*text, "decisions").value_or({})) decisions->add(std::move(asked));
    desk = std::make_unique<task::Desk>(
        task::Desk::Parts{.models = *pool,
                          .upstreams = upstreams,
                          .clock = parts.clock,
                          .log = log,
                          .traces = traces.get(),
                          .rules = std::move(*rules),
                          .declassifications = declassifications,
                          .recorder = records ? &records->recorder() : nullptr,
                          .energy = records ? &records->energy() : nullptr,
                          .options = {.in_flight_max = config.limits.in_flight, .load_timeout = config.limits.load_timeout}});
    desk->fit(std::move(*fit));
    auto journal_folder = records ? records->folder() : api::Service::Parts::JournalFolder{};
    if (records || witness) journal_folder.figures = [this] { return journal_figures(); };
    service = std::make_unique<api::Service>(api::Service::Parts{.desk = *desk,
                                                                 .keys = *keys,
                                                                 .clock = parts.clock,
                                                                 .random = parts.random,
                                                                 .log = log,
                                                                 .options = {.version = std::string(version()),
                                                                             .require_keys = config.needs_keys(),
                                                                             .open_metrics = config.open_metrics,
                                                                             .cors_origins = config.server.cors_origins,
                                                                             .access_log = access_log.descriptor(),
                                                                             .open_journal = config.journal.open},
                                                                 .journal = std::move(journal_folder)});
    partnership = std::make_unique<Partnership>(Partnership::Parts{.data = parts.data,
                                                                   .clock = parts.clock,
                                                                   .random = parts.random,
                                                                   .log = log,
                                                                   .serve = service->handler(),
                                                                   .journal = records ? &records->journal() : nullptr,
                                                                   .places_changed = [this] { places_changed(); },
                                                                   .software = std::string(version())});
    if (auto said = partnership->apply(parts.config_file, config, desk->rules()->policy()); !said) return said;
    if (auto started = record_start(); !started) return std::unexpected(started.error());
    net::Handler handler = witness ? witness->before(service->handler()) : service->handler();
    auto listening = net::Server::start({.options = listen_options(config), .handler = std::move(handler), .on_error = service->on_error(), .log = log});
    if (!listening) return std::unexpected(listening.error());
    server = std::move(*listening);
    url = local_url(config, server->port());
    return {};
}

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Node>> Node::start(Parts parts) {
    const base::Instant began = parts.clock.now();
    auto config = read(parts);
    if (!config) return std::unexpected(config.error());
    if (!config->data_directory.empty()) parts.data.root = config->data_directory;
    auto lock = DataLock::take(parts.data);
    if (!lock) return std::unexpected(lock.error());
    auto access_log = Appended::open(config->access_log);
    if (!access_log) return std::unexpected(access_log.error());
    const auto socket = parts.environment.find("NOTIFY_SOCKET");
    const base::LogLevel level = config->log_level;
    const int log_descriptor = parts.log_descriptor;
    const auto models = parts.data.models();
    ServiceManager manager(socket == parts.environment.end() ? "" : socket->second);
    std::unique_ptr<State> state(new State{.parts = std::move(parts),
                                           .lock = std::move(*lock),
                                           .config = std::move(*config),
                                           .log = LevelLog(log_descriptor, level),
                                           .store = catalog::Store(models),
                                           .manager = std::move(manager),
                                           .access_log = std::move(*access_log)});
    // A client that goes away must cost its connection, not the process.
    std::signal(SIGPIPE, SIG_IGN);
    if (auto built = state->build(); !built) return std::unexpected(built.error());
    std::unique_ptr<Node> node(new Node(std::move(state)));
    State& made = *node->state_;
    const RunningNode self{.pid = ::getpid(),
                           .url = made.url,
                           .version = std::string(version()),
                           .started_at = std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(made.parts.clock.wall())),
                           .keys_required = made.config.needs_keys()};
    made.signals = std::make_unique<Signals>();
    if (auto announced = announce(made.parts.data, self); !announced) return std::unexpected(announced.error());
    (void)made.partnership->look();
    made.start_chores();
    made.preload();
    const std::string address = std::format("{}:{}", made.config.server.address, made.server->port());
    made.log.info("node_started", {{"address", address},
                                   {"version", version()},
                                   {"models", static_cast<std::int64_t>(node->models().size())},
                                   {"keys_required", made.config.needs_keys()},
                                   {"milliseconds", std::chrono::duration<double, std::milli>(made.parts.clock.now() - began).count()}});
    if (!is_loopback(made.config.server.address) && !made.config.needs_keys()) made.log.warning("open_to_everyone", {{"address", address}});
    made.manager.ready(std::format("listening on {}", address));
    return node;
}

Node::~Node() {
    if (state_ && !state_->stopped) (void)stop();
}

std::uint16_t Node::port() const { return state_->server->port(); }
const std::string& Node::url() const { return state_->url; }
const Config& Node::config() const { return state_->config; }

std::vector<std::string> Node::models() const {
    std::vector<std::string> names = state_->pool->names();
    for (const auto& upstream : state_->upstreams)
        for (const auto& [here, there] : upstream->spec().models) names.push_back(here);
    return names;
}

// Everything that can fail comes first; then it is applied in one go.
Result<void> Node::State::apply(Config wanted) {
    const std::lock_guard alone(reading);
    auto specs = model_specs(wanted, store);
    if (!specs) return std::unexpected(specs.error());
    auto fit = fit_of(wanted);
    if (!fit) return std::unexpected(fit.error());
    std::vector<std::shared_ptr<engine::Upstream>> opened;
    if (auto done = open_upstreams(wanted, opened); !done) return std::unexpected(done.error());
    auto rules = read_rules(wanted);
    if (!rules) return std::unexpected(rules.error());
    auto appended = Appended::open(wanted.access_log);
    if (!appended) return std::unexpected(appended.error());
    if (auto changed = keys->reload_if_changed(); !changed) return std::unexpected(changed.error());

    if (auto said = record_changes(wanted); !said) return std::unexpected(said.error());

    for (const std::string& key : needs_restart(config, wanted)) log.warning("restart_needed", {{"key", key}});
    log.level(wanted.log_level);
    service->access_log(appended->descriptor());
    std::swap(access_log, *appended);
    pool->specs(std::move(*specs));
    for (const auto& upstream : opened)
        if (!std::ranges::contains(upstreams, upstream)) asio::co_spawn(chores, keep_probing(upstream), asio::detached);
    {
        const std::lock_guard lock(places);
        upstreams = std::move(opened);
    }
    tell_differences((*rules)->policy());
    if (auto said = partnership->apply(parts.config_file, wanted, (*rules)->policy()); !said) log.warning("offers_not_told", {{"error", said.error().message}});
    // The stricter of two orders: no back end of the new configuration is asked under the old policy.
    desk->rules(std::move(*rules));
    desk->fit(std::move(*fit));
    places_changed();
    // What needs a restart stays as it runs, and is told again at the next reload.
    config.models = wanted.models;
    config.upstreams = wanted.upstreams;
    config.route_ngrams = wanted.route_ngrams;
    config.serve_store = wanted.serve_store;
    config.log_level = wanted.log_level;
    config.access_log = wanted.access_log;
    config.policy_file = wanted.policy_file;
    preload();
    return {};
}

Result<void> Node::reload() {
    State& state = *state_;
    state.manager.reloading();
    auto wanted = read(state.parts);
    auto applied = wanted ? state.apply(std::move(*wanted)) : Result<void>(std::unexpected(wanted.error()));
    if (applied) state.log.info("reloaded", {{"models", static_cast<std::int64_t>(models().size())}});
    else state.log.error("reload_refused", {{"error", applied.error().message}});
    state.manager.ready(applied ? "reloaded" : "reload refused: the configuration before is in force");
    return applied;
}

Node::Ended Node::stop() {
    State& state = *state_;
    if (state.stopped.exchange(true)) return Ended::drained;
    state.manager.stopping();
    withdraw(state.parts.data);  // nobody new shall find it
    state.log.info("draining", {{"in_flight", static_cast<std::int64_t>(state.desk->in_flight())}});
    state.desk->drain();
    const bool whole = state.server->drain(state.config.limits.drain);
    state.partnership->stop(state.config.limits.drain);
    if (state.traces) state.traces->stop();
    state.chores.stop();
    if (state.keeper.joinable()) state.keeper.join();
    if (state.rounds) state.rounds->settle();
    state.service->flush();
    state.save_decisions();
    if (auto saved = state.keys->save_usage(); !saved) state.log.error("usage_not_saved", {{"error", saved.error().message}});
    if (state.records) state.records->stop(whole);
    state.log.info("stopped", {{"drained", whole}});
    return whole ? Ended::drained : Ended::cut;
}

Node::Ended Node::run() {
    auto& [signals, ending, reloading] = *state_->signals;
    Ended ended = Ended::drained;
    std::jthread drainer;
    std::function<void()> await_reload = [&] {
        reloading.async_wait([&](const boost::system::error_code& error, int) {
            if (error || state_->stopped) return;
            (void)reload();
            await_reload();
        });
    };
    await_reload();
    ending.async_wait([&](const boost::system::error_code& error, int) {
        if (error) return;
        boost::system::error_code ignored;
        reloading.cancel(ignored);
        // Draining blocks; this thread stays free for the second signal.
        drainer = std::jthread([&] {
            ended = stop();
            asio::post(signals, [&] { ending.cancel(); });
        });
        ending.async_wait([](const boost::system::error_code& again, int) {
            if (!again) ::_exit(130);  // somebody is in a hurry: no destructor may delay it
        });
    });
    signals.run();
    if (drainer.joinable()) drainer.join();
    return ended;
}

}  // namespace hanse::node
