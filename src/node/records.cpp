// SPDX-License-Identifier: Apache-2.0
#include "records.hpp"

#include <algorithm>
#include <format>
#include <future>
#include <glaze/glaze.hpp>
#include <map>
#include <optional>

#include "catalog/files.hpp"
#include "crypto/digest.hpp"
#include "energy_meter.hpp"
#include "node/key_changes.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
using base::Result;

// What the journal says already, by digest and key; in the global form that glaze can reflect.
struct Told {
    std::string config;
    std::string policy;
    std::map<std::string, bool> keys;  // id, revoked
    std::map<std::string, std::string> own_keys;  // what they are for, fingerprint
    bool files = true;                            // configuration and policy are known
};

namespace {

constexpr std::chrono::minutes sweep_every{10};
constexpr std::chrono::hours prune_every{24};
constexpr std::size_t ids_in_one_record = 1'000;

std::optional<Told> read_told(const fs::path& file) {
    const auto text = catalog::read_file_whole(file, 16U << 20);
    Told told;
    if (!text || glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(told, *text)) return std::nullopt;
    return told;
}

journal::CanonicalObject changed(const std::string& from, const std::string& to) {
    journal::CanonicalObject fields;
    fields.text_if_any("from", from).text_if_any("to", to);
    return fields;
}

journal::CanonicalObject about(const task::KeyFacts& key) {
    journal::CanonicalObject fields;
    fields.text("key", key.id).text("name", key.name).number("created", static_cast<std::uint64_t>(std::max<std::int64_t>(0, key.created)));
    fields.text_if_any("label", key.label).text_if_any("ceiling", key.ceiling).text_if_any("place", key.place);
    if (!key.models.empty()) fields.texts("models", key.models);
    return fields;
}

}  // namespace

Result<journal::Retention> retention_for(const JournalConfig& config, std::uint64_t days) {
    const auto promised = std::chrono::floor<std::chrono::days>(config.retention);
    const std::chrono::days asked(static_cast<std::int64_t>(std::min<std::uint64_t>(days, 1'000'000)));
    if (asked < promised)
        return base::fail(base::ErrorKind::denied, std::format("the configuration promises to keep records for {} days (journal.retention)", promised.count()));
    return journal::Retention::create(asked);
}

namespace {

// The witnesses of the configuration; nothing where none are named.
Result<std::optional<journal::WitnessPolicy>> witness_policy(const JournalConfig& config) {
    if (config.witnesses.empty()) return std::nullopt;
    const auto text = catalog::read_file_whole(config.witnesses, 1 << 20);
    if (!text) return base::fail(text.error().kind, "journal.witnesses: " + text.error().message);
    auto policy = journal::WitnessPolicy::parse(*text);
    if (!policy) return base::fail(policy.error().kind, std::format("{}: {}", config.witnesses, policy.error().message));
    return std::move(*policy);
}

}  // namespace

std::string file_digest(const fs::path& file) {
    auto digest = catalog::sha256_of_file(file);
    return digest ? "sha256:" + *digest : std::string();
}

Records::Records(Parts parts, crypto::IdentityKey identity)
    : parts_(std::move(parts)),
      identity_(std::move(identity)),
      digests_(parts_.data.digests()),
      texts_(disk_, parts_.random, parts_.data.kept(), std::chrono::floor<std::chrono::days>(parts_.journal.keep)),
      energy_(energy_meter(parts_.journal.watts_per_core)) {
    if (auto told = read_told(parts_.data.told())) told_ = std::make_unique<Told>(std::move(*told));
}

Records::~Records() = default;

Result<std::unique_ptr<Records>> Records::open(Parts parts) {
    const auto passphrase = identity_passphrase(parts.identity, parts.environment);
    if (!passphrase) return std::unexpected(passphrase.error());
    const auto token = identity_token(parts.identity, parts.environment);
    if (!token) return std::unexpected(token.error());
    const crypto::TokenAccess* const access = *token ? &**token : nullptr;
    if (auto done = finish_rotations(parts.data); !done) return std::unexpected(done.error());
    const auto made = make_keys(parts.data, parts.identity, *passphrase, parts.random, access);
    if (!made) return std::unexpected(made.error());
    for (const KeyPurpose purpose : {KeyPurpose::identity, KeyPurpose::log})
        if (auto fine = refuse_revoked(parts.data, purpose); !fine) return std::unexpected(fine.error());
    auto keys = open_keys(parts.data, *passphrase, access);
    if (!keys) return std::unexpected(keys.error());
    const auto shown = shown_identity(parts.data);
    if (!shown) return std::unexpected(shown.error());
    std::vector<journal::NoteVerifier> former;
    for (const auto& each : shown->former_log) former.insert(former.end(), each.begin(), each.end());
    auto policy = witness_policy(parts.journal);
    if (!policy) return std::unexpected(policy.error());
    if (*made) parts.log.info("identity_made", {{"name", keys->identity.identity().name()}, {"fingerprint", keys->identity.identity().fingerprint()}});
    std::unique_ptr<Records> records(new Records(std::move(parts), std::move(keys->identity)));
    auto journal = journal::Journal::open({.disk = records->disk_,
                                           .random = records->parts_.random,
                                           .clock = records->parts_.clock,
                                           .log = records->parts_.log,
                                           .keys = std::move(keys->log),
                                           .folder = records->parts_.data.journal(),
                                           .policy = std::move(*policy),
                                           .former = std::move(former)});
    if (!journal) return base::fail(journal.error().kind, "the journal: " + journal.error().message, journal.error().code);
    records->journal_ = std::move(*journal);
    records->scribe_ = std::make_unique<task::Scribe>(task::Scribe::Parts{.journal = *records->journal_,
                                                                          .clock = records->parts_.clock,
                                                                          .random = records->parts_.random,
                                                                          .profile = std::string(name(records->identity().profile())),
                                                                          .texts = records->parts_.journal.keep.count() > 0 ? &records->texts_ : nullptr});
    if (auto said = records->compare_own_keys(); !said) return std::unexpected(said.error());
    return records;
}

void Records::note(std::string_view kind, journal::CanonicalObject fields) {
    scribe_->event(scribe_->new_id(), kind, std::move(fields), [this, kind = std::string(kind)](const Result<void>& written) {
        if (!written) parts_.log.warning("event_not_recorded", {{"kind", std::string_view(kind)}, {"error", std::string_view(written.error().message)}});
    });
}

Result<void> Records::say(std::string_view kind, journal::CanonicalObject fields) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    auto written = promise->get_future();
    scribe_->event(scribe_->new_id(), kind, std::move(fields), [promise](Result<void> result) { promise->set_value(std::move(result)); });
    return written.get();
}

Result<void> Records::remember(Told told) {
    std::string json;
    if (glz::write_json(told, json)) return base::fail(base::ErrorKind::bug, "what was told cannot be written");
    if (auto written = catalog::write_file_whole(parts_.data.told(), json + "\n", 0600); !written) return written;
    told_ = std::make_unique<Told>(std::move(told));
    return {};
}

Result<void> Records::compare_files(const std::string& config_digest, const std::string& policy_digest) {
    const std::lock_guard lock(told_mutex_);
    // At the very first start the record of the start says what is in force.
    if (told_ && told_->files && told_->config != config_digest)
        if (auto said = say("config_changed", changed(told_->config, config_digest)); !said) return said;
    if (told_ && told_->files && told_->policy != policy_digest)
        if (auto said = say("policy_changed", changed(told_->policy, policy_digest)); !said) return said;
    if (told_ && told_->files && told_->config == config_digest && told_->policy == policy_digest) return {};
    Told told = told_ ? *told_ : Told{};
    told.config = config_digest;
    told.policy = policy_digest;
    told.files = true;
    return remember(std::move(told));
}

Result<void> Records::compare_keys(const std::vector<task::KeyFacts>& keys) {
    const std::lock_guard lock(told_mutex_);
    Told told = told_ ? *told_ : Told{};
    bool same = true;
    for (const task::KeyFacts& key : keys) {
        const auto known = told.keys.find(key.id);
        const bool made = known == told.keys.end();
        const bool revoked = key.revoked && (made || !known->second);
        if (made)
            if (auto said = say("key_made", about(key)); !said) return said;
        if (revoked) {
            journal::CanonicalObject fields;
            fields.text("key", key.id).number("revoked", static_cast<std::uint64_t>(std::max<std::int64_t>(0, *key.revoked)));
            if (auto said = say("key_revoked", std::move(fields)); !said) return said;
        }
        same = same && !made && !revoked;
        told.keys[key.id] = key.revoked.has_value();
    }
    return same ? Result<void>() : remember(std::move(told));
}

Result<void> Records::compare_own_keys() {
    const std::lock_guard lock(told_mutex_);
    Told told = told_ ? *told_ : Told{.files = false};
    bool same = true;
    for (const KeyPurpose purpose : {KeyPurpose::identity, KeyPurpose::log, KeyPurpose::witness}) {
        const auto file = crypto::read_key_file(key_file(parts_.data, purpose));
        if (!file) return std::unexpected(file.error());
        const std::string now = fingerprint_of(file->public_keys);
        std::string& before = told.own_keys[std::string(name(purpose))];
        if (before == now) continue;
        same = false;
        // The very first are in the record of the start.
        if (!before.empty()) {
            journal::CanonicalObject fields = changed(before, now);
            fields.text("keys", name(purpose));
            const auto statements = key_statements(parts_.data);
            if (!statements) return std::unexpected(statements.error());
            for (const KeyStatement& each : *statements)
                if (each.change.new_keys == file->public_keys) fields.text("statement", file_digest(each.file)).text_if_any("reason", each.change.reason);
            if (auto said = say("own_keys_changed", std::move(fields)); !said) return said;
        }
        before = now;
    }
    return same ? Result<void>() : remember(std::move(told));
}

std::shared_ptr<engine::Model> Records::watched(std::shared_ptr<engine::Model> model, const std::string& name) {
    engine::Model* const raw = model.get();
    return {raw, [this, model = std::move(model), name](engine::Model*) mutable {
                model.reset();
                if (stopped_) return;  // the end of all is on record
                journal::CanonicalObject fields;
                fields.text("model", name);
                scribe_->event(scribe_->new_id(), "model_unloaded", std::move(fields), {});
            }};
}

engine::ModelPool::Loader Records::recording(engine::ModelPool::Loader loader) {
    return [this, loader = std::move(loader)](const engine::ModelSpec& spec) -> Result<std::shared_ptr<engine::Model>> {
        engine::ModelSpec known = spec;
        journal::CanonicalObject fields;
        fields.text("model", spec.name);
        // A file that cannot be read is the loader's to refuse.
        if (const auto digest = digests_.of(spec.path)) known.digest = "sha256:" + *digest;
        fields.text_if_any("digest", known.digest);
        std::vector<journal::CanonicalObject> adapters;
        for (const auto& [name, path] : spec.adapters) {
            const auto digest = digests_.of(path);
            adapters.emplace_back().text("name", name).text_if_any("digest", digest ? "sha256:" + *digest : std::string());
        }
        if (!adapters.empty()) fields.objects("adapters", adapters);
        if (!spec.draft_path.empty())
            if (const auto digest = digests_.of(spec.draft_path)) fields.text("draft_digest", "sha256:" + *digest);
        auto model = loader(known);
        if (!model) return model;
        const engine::ModelFacts& facts = (*model)->facts();
        fields.text_if_any("description", facts.description).text_if_any("backend", facts.backend).number("parameters", facts.parameters);
        if (auto said = say("model_loaded", std::move(fields)); !said) return std::unexpected(said.error());
        return watched(std::move(*model), spec.name);
    };
}

void Records::chores() {
    std::error_code error;
    std::vector<fs::path> orders;
    for (const auto& entry : fs::directory_iterator(parts_.data.orders(), error))
        if (entry.path().extension() == order_extension) orders.push_back(entry.path());
    std::ranges::sort(orders);
    for (const fs::path& order : orders) answer_order(order);
    const auto now = parts_.clock.now();
    if (parts_.journal.retention.count() > 0 && (pruned_ == base::Instant{} || now - pruned_ >= prune_every)) {
        pruned_ = now;
        prune_old();
    }
    if (swept_ != base::Instant{} && now - swept_ < sweep_every) return;
    swept_ = now;
    erase_expired();
}

Result<std::uint64_t> Records::carry_out(const Order& order) {
    if (order.what == "erase") return erase(order.record, order.reason);
    if (order.what == "prune") return prune(order.days);
    return base::fail(base::ErrorKind::invalid, std::format("the node knows no order \"{}\"", order.what));
}

void Records::answer_order(const fs::path& file) {
    const auto order = read_order(file);
    auto done = order ? carry_out(*order) : std::unexpected(order.error());
    OrderAnswer answer;
    if (done) {
        answer.index = *done;
        parts_.log.info("order_carried_out", {{"order", std::string_view(order->what)}, {"record", std::string_view(order->record)}});
    } else {
        answer.error = done.error().message;
        answer.kind = static_cast<int>(done.error().kind);
    }
    // The order goes first: it must never be carried out twice.
    std::error_code error;
    fs::remove(file, error);
    if (auto written = write_answer(file, answer); !written) parts_.log.warning("order_unanswered", {{"error", written.error().message}});
}

void Records::erase_expired() {
    const auto gone = texts_.erase_expired(parts_.clock.wall());
    if (!gone) {
        parts_.log.warning("texts_not_erased", {{"error", gone.error().message}});
        return;
    }
    for (std::size_t begin = 0; begin < gone->size(); begin += ids_in_one_record) {
        std::vector<std::string> ids;
        for (std::size_t i = begin; i < std::min(gone->size(), begin + ids_in_one_record); ++i) ids.push_back(journal::text_of((*gone)[i]));
        journal::CanonicalObject fields;
        fields.texts("texts_of", ids).text("reason", "retention");
        if (auto said = say("erasure", std::move(fields)); !said) parts_.log.warning("erasure_not_recorded", {{"error", said.error().message}});
    }
}

Result<std::uint64_t> Records::erase(std::string_view record, std::string_view reason) {
    const auto id = journal::record_id_of(record);
    if (!id) return base::fail(base::ErrorKind::invalid, std::format("\"{}\" is no name of a record", record));
    journal::CanonicalObject why;
    why.text("reason", reason);
    auto promise = std::make_shared<std::promise<Result<std::uint64_t>>>();
    auto erased = promise->get_future();
    journal_->erase(*id, std::move(why), [promise](Result<std::uint64_t> index) { promise->set_value(std::move(index)); });
    auto index = erased.get();
    // A power cut may have come between the two; then the text is still there.
    if (!index && index.error().code != "erased_before") return index;
    const auto texts = texts_.erase(*id);
    if (!texts) return std::unexpected(texts.error());
    return index;
}

Result<std::uint64_t> Records::prune(std::uint64_t days) {
    const auto retention = retention_for(parts_.journal, days);
    if (!retention) return std::unexpected(retention.error());
    auto promise = std::make_shared<std::promise<Result<std::uint64_t>>>();
    auto pruned = promise->get_future();
    journal_->prune(*retention, [promise](Result<std::uint64_t> first) { promise->set_value(std::move(first)); });
    return pruned.get();
}

void Records::prune_old() {
    const std::uint64_t before = journal_->figures().pruned;
    const auto first = prune(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::days>(parts_.journal.retention).count()));
    if (!first) parts_.log.warning("journal_not_pruned", {{"error", std::string_view(first.error().message)}});
    else if (*first > before) parts_.log.info("journal_pruned", {{"minimum", static_cast<std::int64_t>(*first)}});
}

void Records::stop(bool drained) {
    if (stopped_.exchange(true)) return;
    journal::CanonicalObject fields;
    fields.text("drained", drained ? "yes" : "no");
    if (auto said = say("node_stopped", std::move(fields)); !said) parts_.log.warning("stop_not_recorded", {{"error", said.error().message}});
}

}  // namespace hanse::node
