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
#include "order_file.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
using base::Result;

// What the journal says already, by digest and key; in the global form that glaze can reflect.
struct Told {
    std::string config;
    std::string policy;
    std::map<std::string, bool> keys;  // id, revoked
};

namespace {

constexpr std::chrono::minutes sweep_every{10};
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
    const auto made = make_keys(parts.data, parts.identity, *passphrase, parts.random);
    if (!made) return std::unexpected(made.error());
    auto keys = open_keys(parts.data, *passphrase);
    if (!keys) return std::unexpected(keys.error());
    if (*made) parts.log.info("identity_made", {{"name", keys->identity.identity().name()}, {"fingerprint", keys->identity.identity().fingerprint()}});
    std::unique_ptr<Records> records(new Records(std::move(parts), std::move(keys->identity)));
    auto journal = journal::Journal::open({.disk = records->disk_,
                                           .random = records->parts_.random,
                                           .clock = records->parts_.clock,
                                           .log = records->parts_.log,
                                           .keys = std::move(keys->log),
                                           .folder = records->parts_.data.journal()});
    if (!journal) return base::fail(journal.error().kind, "the journal: " + journal.error().message, journal.error().code);
    records->journal_ = std::move(*journal);
    records->scribe_ = std::make_unique<task::Scribe>(task::Scribe::Parts{.journal = *records->journal_,
                                                                          .clock = records->parts_.clock,
                                                                          .random = records->parts_.random,
                                                                          .profile = std::string(name(records->identity().profile())),
                                                                          .texts = records->parts_.journal.keep.count() > 0 ? &records->texts_ : nullptr});
    return records;
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
    if (told_ && told_->config != config_digest)
        if (auto said = say("config_changed", changed(told_->config, config_digest)); !said) return said;
    if (told_ && told_->policy != policy_digest)
        if (auto said = say("policy_changed", changed(told_->policy, policy_digest)); !said) return said;
    if (told_ && told_->config == config_digest && told_->policy == policy_digest) return {};
    Told told = told_ ? *told_ : Told{};
    told.config = config_digest;
    told.policy = policy_digest;
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
    for (const fs::path& order : orders) carry_out(order);
    const auto now = parts_.clock.now();
    if (swept_ != base::Instant{} && now - swept_ < sweep_every) return;
    swept_ = now;
    erase_expired();
}

void Records::carry_out(const fs::path& file) {
    const auto order = read_order(file);
    auto done = order ? erase(order->record, order->reason) : std::unexpected(order.error());
    OrderAnswer answer;
    if (done) {
        answer.index = *done;
        parts_.log.info("order_carried_out", {{"order", "erase"}, {"record", order->record}});
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

void Records::stop(bool drained) {
    if (stopped_.exchange(true)) return;
    journal::CanonicalObject fields;
    fields.text("drained", drained ? "yes" : "no");
    if (auto said = say("node_stopped", std::move(fields)); !said) parts_.log.warning("stop_not_recorded", {{"error", said.error().message}});
}

}  // namespace hanse::node
