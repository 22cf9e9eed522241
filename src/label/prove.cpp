// SPDX-License-Identifier: Apache-2.0
#include "label/prove.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <format>
#include <map>
#include <optional>

namespace hanse::label {
namespace {

constexpr std::int64_t before_every_expiry = INT64_MIN;

struct Variant {
    Label label;
    std::optional<Transformation> made_by = {};
};

// What the kind's data can be labelled without anybody's declassification.
std::vector<Variant> variants_of(const Label& label) {
    std::vector<Variant> all{{label}};
    if (Label changed = after(label, Transformation::pseudonymise); changed != label) all.push_back({std::move(changed), Transformation::pseudonymise});
    return all;
}

class Search {
public:
    Search(const Policy& policy, const Kind& kind, std::string_view goal) : policy_(policy), goal_(goal), variants_(variants_of(kind.label)) {
        for (const auto& place : policy.places()) clearances_.emplace_back(place.name, place.clearance);
        if (policy.place(goal) == nullptr) clearances_.emplace_back(goal, Clearance::none(std::string(goal)));
    }

    Proof run() {
        // First where a decision lets it go, then what those places do with it by themselves: breadth first.
        std::map<std::string, Step, std::less<>> reached;
        std::map<std::string, std::string, std::less<>> from;
        std::deque<std::string> open;
        for (const auto& variant : variants_)
            for (const auto& [place, clearance] : clearances_) {
                if (reached.contains(place)) continue;
                const auto purpose = permitted_for(variant, clearance);
                if (!purpose) continue;
                reached.emplace(place, Step{.place = place, .purpose = std::string(policy_.words().word(*purpose)), .after = variant.made_by});
                open.push_back(place);
            }
        while (!open.empty() && !reached.contains(goal_)) {
            const std::string here = open.front();
            open.pop_front();
            const PolicyPlace* place = policy_.place(here);
            if (place == nullptr) continue;
            for (const std::string& next : place->hands_on) {
                if (!reached.emplace(next, Step{.place = next, .handed_on_by = here}).second) continue;
                from.emplace(next, here);
                open.push_back(next);
            }
        }
        Proof proof{.labels = variants_.size(), .places = clearances_.size(), .decisions = decisions_};
        for (auto at = reached.find(goal_); at != reached.end();) {
            proof.path.insert(proof.path.begin(), at->second);
            const auto before = from.find(at->first);
            at = before == from.end() ? reached.end() : reached.find(before->second);
        }
        return proof;
    }

private:
    // The first purpose for which it may go there.
    std::optional<PurposeWord> permitted_for(const Variant& variant, const Clearance& clearance) {
        const std::size_t purposes = policy_.words().source().purposes.size();
        for (std::size_t i = 0; i < purposes; ++i) {
            ++decisions_;
            const auto purpose = static_cast<PurposeWord>(i);
            if (judge(variant.label, clearance, {.purpose = purpose, .now = before_every_expiry}).outcome == Outcome::permit) return purpose;
        }
        return {};
    }

    const Policy& policy_;
    std::string goal_;
    std::vector<Variant> variants_;
    std::vector<std::pair<std::string, Clearance>> clearances_;
    std::size_t decisions_ = 0;
};

}  // namespace

Proof prove(const Policy& policy, const Kind& kind, std::string_view place) { return Search(policy, kind, place).run(); }

std::string text(const Step& step, base::Language language) {
    const bool german = language == base::Language::german;
    if (!step.handed_on_by.empty()) return (german ? "weitergegeben von " : "handed on by ") + step.handed_on_by;
    std::string out = (german ? "für " : "for ") + step.purpose;
    if (step.after) out += std::format("{}{}", german ? ", nach " : ", after ", name(*step.after));
    return out;
}

std::string text(const Proof& proof, std::string_view kind, std::string_view place, base::Language language) {
    const bool german = language == base::Language::german;
    if (proof.holds()) {
        if (german)
            return std::format("bewiesen: Daten der Art {} erreichen {} nie ({} {}, {} Orte, {} Entscheidungen angesehen)", kind, place, proof.labels,
                               proof.labels == 1 ? "Etikett" : "Etiketten", proof.places, proof.decisions);
        return std::format("proved: data of kind {} never reaches {} ({} {}, {} places, {} decisions looked at)", kind, place, proof.labels,
                           proof.labels == 1 ? "label" : "labels", proof.places, proof.decisions);
    }
    std::string path;
    for (const Step& step : proof.path) path += std::format(" -> {} ({})", step.place, text(step, language));
    return std::format("{}{}{}", german ? "nicht so: " : "not so: ", kind, path);
}

}  // namespace hanse::label
