// SPDX-License-Identifier: Apache-2.0
#include "partnership.hpp"

#include <algorithm>
#include <format>

#include "federation/home.hpp"
#include "federation/qkd_client.hpp"
#include "task/partner_place.hpp"

namespace hanse::node {
namespace {

base::Result<std::unique_ptr<federation::QkdSource>> device_of(const QkdConfig& config, const base::Clock& clock) {
    if (config.url.empty()) return nullptr;
    auto client = federation::QkdClient::open({.url = config.url,
                                               .ca_file = config.ca_file,
                                               .certificate = config.certificate,
                                               .key = config.key,
                                               .method = config.get ? federation::QkdMethod::get : federation::QkdMethod::post,
                                               .clock = &clock});
    if (!client) return base::fail(client.error().kind, "federation.toml: qkd: " + client.error().message);
    return federation::qkd_source(std::move(*client), config.members);
}

}  // namespace

std::vector<federation::Offer> offers_of(const PartnerConfig& partners, const Config& config, const label::Policy& policy) {
    std::vector<federation::Offer> offers;
    for (const OfferConfig& each : partners.offers) {
        // As the desk decides: a model's own place, that of its model server, or that of this node's models.
        std::string place = "local";
        for (const UpstreamConfig& upstream : config.upstreams)
            if (std::ranges::contains(upstream.models, each.model) ||
                std::ranges::contains(upstream.renamed, each.model, &std::pair<std::string, std::string>::first))
                place = upstream.name;
        if (const auto* own = policy.place(each.model); own != nullptr && own->sort == label::PlaceSort::model) place = each.model;
        offers.push_back({.model = each.model,
                          .skills = each.skills,
                          .languages = each.languages,
                          .context = each.context,
                          .prompt_price = each.prompt_price,
                          .answer_price = each.answer_price,
                          .clearance = label::text(policy.clearance(place), policy.words()),
                          .only = each.only});
    }
    return offers;
}

base::Result<void> Partnership::apply(const std::filesystem::path& config_file, const Config& config, const label::Policy& policy) {
    auto read = read_partner_config(config_file);
    if (!read) return std::unexpected(read.error());
    // Where it listens is for the next start; what it offers is for now.
    config_ = std::move(*read);
    offers_ = offers_of(config_, config, policy);
    if (partners_) partners_->offers(offers_);
    return {};
}

base::Result<void> Partnership::look() {
    const federation::Home home{parts_.data.root / "federation"};
    if (partners_ || !home.in_federation()) return {};
    auto device = device_of(config_.qkd, parts_.clock);
    if (!device) return std::unexpected(device.error());
    federation::Partners::Parts wanted{
         .home = home,
         .options = {.address = config_.address, .port = config_.port, .qkd_demanded = config_.qkd.demanded, .software = parts_.software},
         .offers = offers_,
         .clock = parts_.clock,
         .random = parts_.random,
         .log = parts_.log,
         .serve = parts_.serve,
         .qkd = std::move(*device)};
    if (auto* const journal = parts_.journal) {
        wanted.receipt = [journal](std::string text, auto done) {
            if (const auto id = journal::record_id_of(text)) journal->receipt(*id, std::move(done));
            else done(base::fail(base::ErrorKind::not_found, "that is no name of a record"));
        };
        wanted.checkpoint = [journal] { return journal->published().whole(); };
        wanted.consistency = [journal](std::uint64_t from, std::uint64_t to, auto done) { journal->consistency(from, to, std::move(done)); };
    }
    auto started = federation::Partners::start(std::move(wanted));
    if (!started) {
        if (std::exchange(said_, started.error().message) != started.error().message)
            parts_.log.warning("federation_not_started", {{"error", std::string_view(started.error().message)}});
        return std::unexpected(started.error());
    }
    said_.clear();
    partners_ = std::move(*started);
    parts_.log.info("federation_started", {{"federation", std::string_view(partners_->view()->charter.charter().federation)},
                                           {"member", std::string_view(partners_->view()->member)},
                                           {"address", std::format("{}:{}", config_.address, partners_->port())}});
    compare_log_keys();
    partners_->on_change([this] { changed(); });
    return {};
}

// Partners can check no receipt by keys that the charter does not have.
void Partnership::compare_log_keys() const {
    if (parts_.journal == nullptr) return;
    const auto view = partners_->view();
    const auto* self = view->charter.charter().member(view->member);
    const auto verifiers = parts_.journal->keys().verifiers();
    const bool there = self != nullptr && std::ranges::all_of(verifiers, [&](const auto& key) { return std::ranges::contains(self->log_keys, key.vkey()); });
    if (!there) parts_.log.warning("log_keys_not_in_charter", {{"member", std::string_view(view->member)}, {"remedy", "hanse federation update"}});
}

void Partnership::changed() {
    {
        const std::lock_guard lock(mutex_);
        auto fresh = task::partner_places(*partners_, parts_.clock, parts_.random, places_);
        if (fresh == places_) return;
        places_ = std::move(fresh);
    }
    parts_.places_changed();
}

std::vector<std::shared_ptr<engine::Upstream>> Partnership::places() const {
    const std::lock_guard lock(mutex_);
    return places_;
}

std::uint64_t Partnership::charter_version() const { return partners_ ? partners_->view()->charter.charter().version : 0; }

void Partnership::stop(std::chrono::milliseconds limit) {
    if (partners_) partners_->drain(limit);
}

}  // namespace hanse::node
