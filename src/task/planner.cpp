// SPDX-License-Identifier: Apache-2.0
#include "task/planner.hpp"

#include <algorithm>
#include <format>

#include "label/reasons.hpp"
#include "route/fit.hpp"
#include "task/partner_place.hpp"

namespace hanse::task {

using base::ErrorKind;

namespace {

// What this node says of its own models, as its partners hear it; nothing outside a federation.
std::vector<federation::Offer> own_offers(const Desk& desk) {
    for (const ModelStatus& status : desk.models()) {
        const auto place = status.upstream.empty() ? std::nullopt : desk.find(status.name);
        const auto* partner = place ? dynamic_cast<const PartnerPlace*>(place->upstream.get()) : nullptr;
        if (partner == nullptr) continue;
        const auto view = partner->view();
        const auto own = std::ranges::find(view->offers, view->member, [](const auto& offers) { return offers.list.member; });
        return own == view->offers.end() ? std::vector<federation::Offer>() : own->list.offers;
    }
    return {};
}

}  // namespace

bool is_planned(std::string_view model) { return model.starts_with("hanse/"); }

base::Error Planned::refusal(std::string_view model, const Task& task) const {
    const bool german = task.language == base::Language::german;
    if (plan.refused_by_rule()) {
        if (!task.rules->tells_own_people(task.key ? std::string_view(task.key->facts().place) : "")) return no_such_model(model);
        // The reasons of those who could answer; each names what would help.
        std::string reasons;
        for (const route::Weighed& each : plan.excluded) {
            if (each.exclusion != route::Exclusion::rule) continue;
            const auto& candidate = candidates[each.candidate];
            if (!reasons.empty()) reasons += "; ";
            reasons += std::format("{}: {}", candidate.name(), candidate.reason);
            if (reasons.size() > 2'000) break;
        }
        return {
            ErrorKind::denied, (german ? "kein Modell darf dies sehen: " : "no model may see this: ") + reasons, "label_denied", {}, {}};
    }
    const bool somebody =
        std::ranges::any_of(plan.excluded, [](const auto& each) { return each.exclusion == route::Exclusion::unhealthy; });
    if (somebody)
        return {ErrorKind::unavailable,
                german ? "wer dies beantworten könnte, ist gerade nicht erreichbar" : "whoever could answer this is not reached now",
                "partner_unavailable",
                {},
                std::chrono::milliseconds(2'000)};
    return no_such_model(model);
}

Planned plan_for(const Desk& desk, const Task& task, const route::Question& question, base::WallTime now, std::string_view text) {
    Planned planned;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const std::string_view caller = task.key ? std::string_view(task.key->facts().place) : "";
    const auto own = own_offers(desk);
    for (const ModelStatus& status : desk.models()) {
        if (task.key && !task.key->may_use(status.name)) continue;
        const auto place = desk.find(status.name);
        if (!place) continue;
        if (status.facts && !status.facts->can_generate) continue;
        route::Candidate candidate{.model = status.name, .may_be_asked = status.healthy};
        Way way{.model = status.name, .upstream = status.upstream, .caller = caller};
        std::optional<label::Clearance> believed;
        if (const auto* partner = dynamic_cast<const PartnerPlace*>(place->upstream.get())) {
            const federation::Offer* offer = partner->offer(place->name_there);
            if (offer == nullptr) continue;
            candidate.member = status.upstream;
            candidate.model = offer->model;
            candidate.skills = offer->skills;
            candidate.languages = offer->languages;
            candidate.context = offer->context;
            candidate.prompt_price = offer->prompt_price;
            candidate.answer_price = offer->answer_price;
            if (const auto view = partner->view(); const auto* known = view->partner(status.upstream)) candidate.latency = known->latency;
            believed = partner->believed(place->name_there, task.rules->policy());
        } else if (const auto said = std::ranges::find(own, status.name, &federation::Offer::model); said != own.end()) {
            candidate.skills = said->skills;
            candidate.languages = said->languages;
            candidate.context = said->context;
        }
        if (status.facts) candidate.context = status.facts->context;
        const auto passage = task.rules->preview(task.label, way, seconds);
        const auto refusal = [&](const label::Label& label, const label::Clearance& where) {
            return label::refusal(label, where, passage->use, passage->policy->words(), task.language);
        };
        candidate.verdict = passage->there.verdict();
        if (candidate.verdict.outcome == label::Outcome::deny) candidate.reason = refusal(passage->label, passage->destination);
        // By this house's policy it may; by what the member and the charter say of itself it must, too.
        if (believed && candidate.reason.empty()) {
            const label::Label& sent = candidate.verdict.outcome == label::Outcome::permit_after
                                           ? label::after(passage->label, label::Transformation::pseudonymise)
                                           : passage->label;
            const auto verdict = label::judge(sent, *believed, passage->use);
            if (verdict.outcome != label::Outcome::permit) {
                candidate.verdict = {.outcome = label::Outcome::deny, .obstacle = verdict.obstacle};
                candidate.reason = refusal(sent, *believed);
            }
        }
        if (candidate.reason.empty() && passage->back.verdict().outcome == label::Outcome::deny) {
            candidate.verdict = passage->back.verdict();
            candidate.reason = refusal(passage->answer_label, passage->caller);
        }
        planned.candidates.push_back(std::move(candidate));
        planned.names.push_back(status.name);
    }
    if (const auto fit = desk.fit()) fit->weigh(planned.candidates, text);
    planned.plan = route::choose(planned.candidates, question);
    return planned;
}

}  // namespace hanse::task
