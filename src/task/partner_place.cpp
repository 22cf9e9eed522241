// SPDX-License-Identifier: Apache-2.0
#include "task/partner_place.hpp"

#include <algorithm>
#include <format>

#include "federation/task_kinds.hpp"
#include "label/reasons.hpp"

namespace hanse::task {
namespace asio = boost::asio;
using base::ErrorKind;

PartnerPlace::PartnerPlace(federation::Partners& partners, base::Clock& clock, base::Random& random, std::shared_ptr<const federation::FederationView> view,
                           const federation::SignedOffers& offers)
    : partners_(partners), clock_(clock), random_(random), document_(offers.document), charter_version_(view->charter.charter().version) {
    const auto& words = *view->charter.words();
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count();
    spec_.name = offers.list.member;
    for (const federation::Offer& offer : offers.list.offers) {
        if (!offer.only.empty() && !std::ranges::contains(offer.only, view->member)) continue;
        spec_.models.emplace_back(spec_.name + "/" + offer.model, offer.model);
        offers_.push_back(offer);
        // The house's policy comes later, in its own words; here the member's own word bounds itself.
        const auto claimed = label::read_clearance(spec_.name, offer.clearance, words);
        const auto believed = claimed ? federation::believed_clearance(view->charter, view->federation, offers.list, offer, *claimed, federation::verify_with_keys(), now) : label::Clearance::none(spec_.name);
        clearances_.push_back(label::text(believed, words));
    }
}

bool PartnerPlace::healthy() const {
    const auto view = partners_.view();
    const auto* status = view->partner(spec_.name);
    return status != nullptr && status->may_ask && view->in_force;
}

asio::awaitable<base::Result<std::unique_ptr<net::ClientStream>>> PartnerPlace::post(std::string, net::Headers, std::string_view, base::Deadline) {
    co_return base::fail(ErrorKind::bug, "a partner was to get data without its label");
}

const federation::Offer* PartnerPlace::offer(std::string_view model) const {
    const auto found = std::ranges::find(offers_, model, &federation::Offer::model);
    return found == offers_.end() ? nullptr : &*found;
}

label::Clearance PartnerPlace::believed(std::string_view model, const label::Policy& policy) const {
    const auto found = std::ranges::find(offers_, model, &federation::Offer::model);
    if (found == offers_.end()) return label::Clearance::none(spec_.name);
    auto read = label::read_clearance(spec_.name, clearances_[static_cast<std::size_t>(found - offers_.begin())], policy.words());
    return read ? std::move(*read) : label::Clearance::none(spec_.name);
}

asio::awaitable<base::Result<std::unique_ptr<federation::PartnerStream>>> PartnerPlace::ask(Ask ask) {
    const auto kind = federation::kind_of_path(ask.path);
    if (kind.empty()) co_return base::fail(ErrorKind::not_found, std::format("partners do not answer {}", ask.path), "unknown_url");
    const auto clearance = believed(ask.model, *ask.policy);
    const auto& use = ask.permit.use();
    if (label::judge(ask.body.label(), clearance, use).outcome != label::Outcome::permit)
        co_return base::fail(ErrorKind::denied, label::refusal(ask.body.label(), clearance, use, ask.policy->words(), ask.language), "label_denied");
    federation::RemoteTask task{.kind = std::string(kind), .model = std::move(ask.model), .deadline = ask.deadline, .first_token_deadline = ask.first_token_deadline, .trace = std::move(ask.trace)};
    task.made_ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall().time_since_epoch()).count();
    random_.fill(task.key);
    for (bool again = true;; again = false) {
        auto stream = co_await partners_.ask({.member = spec_.name, .task = task, .body = ask.body, .permit = ask.permit, .place = ask.place, .words = ask.policy->shared_words()});
        if (stream || !again || stream.error().code != "partner_broken") co_return stream;
    }
}

std::vector<std::shared_ptr<engine::Upstream>> partner_places(federation::Partners& partners, base::Clock& clock, base::Random& random,
                                                              const std::vector<std::shared_ptr<engine::Upstream>>& before) {
    std::vector<std::shared_ptr<engine::Upstream>> places;
    const auto view = partners.view();
    for (const federation::SignedOffers& offers : view->offers) {
        if (offers.list.member == view->member) continue;
        const auto same = std::ranges::find_if(before, [&](const auto& place) {
            const auto* known = dynamic_cast<const PartnerPlace*>(place.get());
            return known != nullptr && known->document() == offers.document && known->charter_version() == view->charter.charter().version;
        });
        if (same != before.end()) places.push_back(*same);
        else places.push_back(std::make_shared<PartnerPlace>(partners, clock, random, view, offers));
    }
    return places;
}

}  // namespace hanse::task
