// SPDX-License-Identifier: Apache-2.0
//
// One walk over the terms serves the verdict and its explanation, so the two cannot disagree. script/mutate
// deletes and inverts each condition of this file in turn; the tests must notice every one.
#include "label/decide.hpp"

#include <algorithm>

namespace hanse::label {

std::string_view name(Outcome outcome) {
    switch (outcome) {
        case Outcome::permit: return "permit";
        case Outcome::permit_after: return "permit after";
        case Outcome::deny: break;
    }
    return "deny";
}

namespace {

bool everyone_accepts(const Label& label, Transformation transformation) {
    return std::ranges::all_of(label.owners(), [&](const Label::Owned& owned) { return owned.terms.accepts.has(bit(transformation)); });
}

bool holds_releases(const ClearanceTerms& place, const Handling& needed, std::int64_t now) {
    Handling missing = needed;
    for (const Release& release : place.releases)
        if (release.valid_until > now) missing.remove(bit(release.word));
    return missing.empty();
}

// What pseudonymising would take away: nothing but "personal" is in the way, and its successor is cleared.
std::optional<Transformation> cure_of_content(const Terms& terms, const ClearanceTerms& place) {
    if (terms.content - place.contents != Contents::of(bit(personal))) return {};
    if (!place.contents.has(bit(pseudonymous))) return {};
    if (!terms.accepts.has(bit(Transformation::pseudonymise))) return {};
    return Transformation::pseudonymise;
}

// Integrity does not count: who says so changes nothing about what it is.
bool at_least(const Label& label, const Label& kind) {
    if (kind.is_top()) return false;
    return std::ranges::all_of(kind.owners(), [&](const Label::Owned& owned) {
        const Terms* terms = label.terms_of(owned.owner);
        return terms != nullptr && flows_to(owned.terms, *terms);
    });
}

bool stops(const Bar& bar, const Label& label) {
    return at_least(label, bar.kind) || std::ranges::any_of(label.owners(), [&](const Label::Owned& owned) { return !(owned.terms.content & bar.contents).empty(); });
}

// Hands every obstacle to `visit`, in order.
template <typename Visit>
void walk(const Label& label, const Clearance& clearance, const Use& use, Visit visit) {
    const ClearanceTerms& place = clearance.terms();
    if (label.is_top()) return visit(Obstacle{Term::label});
    if (use.effect == Effect::acts && label.integrity() < place.acts_on)
        visit(Obstacle{Term::integrity, {}, everyone_accepts(label, Transformation::branch) ? std::optional(Transformation::branch) : std::nullopt});
    const Learning learning = std::max(use.learning, place.learning);
    for (const auto& [owner, terms] : label.owners()) {
        if (!place.receivers.within(terms.readers)) visit(Obstacle{Term::readers, owner});
        if (!place.place.inside(terms.place)) visit(Obstacle{Term::place, owner});
        if (!place.control.inside(terms.control)) visit(Obstacle{Term::control, owner});
        if (!holds_releases(place, terms.handling, use.now)) visit(Obstacle{Term::handling, owner});
        if (!terms.content.within(place.contents)) visit(Obstacle{Term::content, owner, cure_of_content(terms, place)});
        if (!terms.purpose.has(bit(use.purpose))) visit(Obstacle{Term::purpose, owner});
        if (place.retention > terms.retention) visit(Obstacle{Term::retention, owner});
        if (learning > terms.learning) visit(Obstacle{Term::learning, owner});
    }
    if (std::ranges::any_of(place.bars, [&](const Bar& bar) { return stops(bar, label); })) visit(Obstacle{Term::rule});
}

}  // namespace

Verdict judge(const Label& label, const Clearance& clearance, const Use& use) {
    Transformations cures;
    std::optional<Obstacle> incurable;
    walk(label, clearance, use, [&](const Obstacle& obstacle) {
        if (obstacle.cure) cures.add(bit(*obstacle.cure));
        else if (!incurable) incurable = obstacle;
    });
    if (!incurable) return {cures.empty() ? Outcome::permit : Outcome::permit_after, cures};
    // Left out, a piece reaches nobody; its owners say whether an answer without it is still one.
    if (!label.owners().empty() && everyone_accepts(label, Transformation::drop))
        return {Outcome::permit_after, Transformations::of(bit(Transformation::drop))};
    return {Outcome::deny, {}, *incurable};
}

Decision decide(const Label& label, const Clearance& clearance, const Use& use) {
    const Verdict verdict = judge(label, clearance, use);
    if (verdict.outcome != Outcome::permit) return {verdict, std::nullopt};
    return {verdict, Permit(label, clearance, use)};
}

std::vector<Obstacle> obstacles(const Label& label, const Clearance& clearance, const Use& use) {
    std::vector<Obstacle> all;
    walk(label, clearance, use, [&](const Obstacle& obstacle) { all.push_back(obstacle); });
    return all;
}

Label after(const Label& label, Transformation transformation) {
    if (label.is_top() || transformation != Transformation::pseudonymise) return label;
    std::vector<Label::Owned> owners(label.owners().begin(), label.owners().end());
    for (auto& [owner, terms] : owners) {
        if (!terms.accepts.has(bit(transformation)) || !terms.content.has(bit(personal))) continue;
        terms.content.remove(bit(personal));
        terms.content.add(bit(pseudonymous));
    }
    return Label::of(std::move(owners), label.integrity());
}

Selection select_pieces(std::span<const Label> pieces, const Clearance& clearance, const Use& use) {
    Selection selection;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        selection.pieces.push_back(judge(pieces[i], clearance, use));
        if (selection.pieces.back().outcome != Outcome::permit) continue;
        selection.going.push_back(i);
        selection.joined = join(selection.joined, pieces[i]);
    }
    return selection;
}

}  // namespace hanse::label
