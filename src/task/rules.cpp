// SPDX-License-Identifier: Apache-2.0
#include "task/rules.hpp"

#include <algorithm>
#include <format>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"
#include "label/reasons.hpp"

namespace hanse::task {
namespace {

using base::ErrorKind;
using label::Label;

constexpr std::string_view answering = "answer";
constexpr std::string_view models_here = "local";
constexpr std::string_view own_people = "answer";

std::string joined(std::string_view a, std::string_view b, std::string_view c) {
    std::string key;
    key.reserve(a.size() + b.size() + c.size() + 2);
    return key.append(a).append(1, '\0').append(b).append(1, '\0').append(c);
}

// Whoever may see the one may see the other: all terms count, since each can keep data from a place; what may be done to
// it instead, and where it comes from, cannot.
std::string readability(const Label& label, const label::Vocabulary& words) {
    std::vector<Label::Owned> owners(label.owners().begin(), label.owners().end());
    for (auto& owned : owners) owned.terms.accepts = {};
    const auto digest = crypto::sha256(label::binary(label.is_top() ? label : Label::of(std::move(owners), label::Integrity::own), words));
    return base::hex(std::span(digest).first(16));
}

bool outlives_request(const Label& label) {
    return !label.is_top() && std::ranges::none_of(label.owners(), [](const Label::Owned& owned) {
        return owned.terms.retention == label::Retention::none();
    });
}

std::int64_t next_expiry(const label::Clearance& place, std::int64_t now, std::int64_t soonest) {
    for (const label::Release& release : place.terms().releases)
        if (release.valid_until > now) soonest = std::min(soonest, release.valid_until);
    return soonest;
}

bool of_this_house(const label::Clearance& caller, const label::Policy& policy) {
    const auto own = policy.words().readers(policy.words().name(policy.house()));
    return own && caller.terms().receivers.within(*own);
}

// A decision that would permit after something that this node does not do by itself here.
std::string_view not_done(base::Language language) {
    if (language == base::Language::german)
        return "; das tut dieser Knoten hier nicht von selbst (er pseudonymisiert nur auf dem Weg zu einem Dienst), darum geht nichts hin";
    return "; this node does not do that by itself here (it pseudonymises on the way to a back end, and nothing else), so nothing goes "
           "there";
}

}  // namespace

base::Error no_such_model(std::string_view model) {
    return {ErrorKind::not_found, std::format("there is no model {} here", model), "model_not_found", "model", {}};
}

base::Error Passage::denial(base::Language language) const {
    if (!of_this_house(caller, *policy)) return no_such_model(model);
    const bool on_the_way_there = !there.permit();
    std::string why = on_the_way_there ? label::refusal(label, destination, use, policy->words(), language)
                                       : label::refusal(answer_label, caller, use, policy->words(), language);
    if ((on_the_way_there ? there : back).outcome() == label::Outcome::permit_after) why += not_done(language);
    return {ErrorKind::denied, std::move(why), "label_denied", {}, {}};
}

bool Rules::tells_own_people(std::string_view caller) const {
    return of_this_house(policy_->clearance(caller.empty() ? own_people : caller), *policy_);
}

void DecisionRecord::add(label::Asked asked) {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(joined(asked.label, asked.place, asked.use)).second) return;
    asked_.push_back(std::move(asked));
    changed_ = true;
    if (asked_.size() <= size_max) return;
    const auto& oldest = asked_.front();
    known_.erase(joined(oldest.label, oldest.place, oldest.use));
    asked_.pop_front();
}

std::vector<label::Asked> DecisionRecord::all() const {
    const std::lock_guard lock(mutex_);
    return {asked_.begin(), asked_.end()};
}

std::optional<std::vector<label::Asked>> DecisionRecord::changed() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(changed_, false)) return {};
    return std::vector(asked_.begin(), asked_.end());
}

// "answer" is one of the built-in purposes, which every vocabulary has.
Rules::Rules(std::shared_ptr<const label::Policy> policy, std::shared_ptr<DecisionRecord> record,
             std::shared_ptr<const privacy::Recogniser> recogniser)
    : policy_(std::move(policy)),
      record_(std::move(record)),
      recogniser_(std::move(recogniser)),
      purpose_(policy_->words().purpose(answering).value()) {}

base::Result<Label> Rules::enter(const KeyFacts* key, std::string_view asked) {
    if (asked.empty() && (key == nullptr || (key->label.empty() && key->ceiling.empty()))) return policy_->standard().label;
    std::string entry = key == nullptr ? joined("", "", asked) : joined(key->label, key->ceiling, asked);
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = entries_.find(entry); found != entries_.end()) return found->second;
    }
    auto read = read_entry(key, asked);
    if (!read) return read;
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= remembered_max) entries_.clear();
    entries_.emplace(std::move(entry), *read);
    return read;
}

base::Result<Label> Rules::read_entry(const KeyFacts* key, std::string_view asked) const {
    const auto of_key = [&](std::string_view text, std::string_view what, const Label& otherwise) -> base::Result<Label> {
        if (text.empty()) return otherwise;
        auto read = policy_->label(text);
        if (read) return read;
        return base::fail(ErrorKind::denied,
                          std::format("the {} of this key means nothing under the policy in force: {}", what, read.error().message),
                          "label_denied");
    };
    const auto standard = of_key(key == nullptr ? "" : std::string_view(key->label), "label", policy_->standard().label);
    if (!standard) return standard;
    const auto ceiling = of_key(key == nullptr ? "" : std::string_view(key->ceiling), "ceiling", Label::top());
    if (!ceiling) return ceiling;
    auto wanted = asked.empty() ? base::Result<Label>(Label::bottom()) : policy_->label(asked);
    if (!wanted) return base::fail(ErrorKind::invalid, "Hanse-Label: " + wanted.error().message, wanted.error().code, "Hanse-Label");
    return label::entry_label(*standard, *wanted, *ceiling);
}

bool Rules::needs_recogniser(const label::Policy& policy) {
    const auto accepts = [](const label::Kind& kind) {
        return label::after(kind.label, label::Transformation::pseudonymise) != kind.label;
    };
    return !policy.content_rules().empty() || std::ranges::any_of(policy.kinds(), accepts);
}

base::Result<const privacy::Recogniser*> Rules::recogniser() const {
    if (recogniser_) return recogniser_.get();
    return base::fail(ErrorKind::unavailable, "there is no recogniser of personal data, and the policy needs one", "no_recogniser");
}

base::Result<Label> Rules::tightened(const KeyFacts* key, const Label& label, std::span<const privacy::Kind> found) const {
    Label all = label;
    for (const label::ContentRule& rule : policy_->content_rules()) {
        const auto named = [&](privacy::Kind kind) { return std::ranges::contains(rule.finds, privacy::name(kind)); };
        if (std::ranges::any_of(found, named)) all = label::join(all, rule.label);
    }
    if (all == label || key == nullptr || key->ceiling.empty()) return all;
    const auto ceiling = policy_->label(key->ceiling);
    if (!ceiling || !label::flows_to(all, *ceiling))
        return base::fail(ErrorKind::denied, "what this text holds is above the ceiling of the key", "label_denied");
    return all;
}

std::shared_ptr<const Passage> Rules::pass(const Label& label, const Way& way, std::int64_t now, const Label* returns_as) {
    // Seldom the same twice; decided anew each time.
    if (returns_as != nullptr) {
        auto fresh = preview(label, way, now, returns_as);
        put_on_record(*fresh);
        return fresh;
    }
    std::string key = joined(way.model, way.upstream, way.caller);
    const auto fits = [&](const std::shared_ptr<const Passage>& known) { return known->label == label; };
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = passages_.find(key); found != passages_.end()) {
            const auto known = std::ranges::find_if(found->second, fits);
            if (known != found->second.end() && now >= (*known)->use.now && now < (*known)->holds_until) return *known;
        }
    }
    auto fresh = preview(label, way, now);
    put_on_record(*fresh);
    const std::lock_guard lock(mutex_);
    if (passage_count_ >= remembered_max) {
        passages_.clear();
        passage_count_ = 0;
    }
    auto& of_way = passages_[std::move(key)];
    passage_count_ += 1 - std::erase_if(of_way, fits);
    of_way.push_back(fresh);
    return fresh;
}

void Rules::put_on_record(const Passage& passage) {
    if (!record_) return;
    record_->add({label::text(passage.label, policy_->words()), passage.destination.name(), std::string(answering)});
    record_->add({passage.answer_text, passage.caller.name(), std::string(answering)});
}

std::shared_ptr<const Passage> Rules::preview(const Label& label, const Way& way, std::int64_t now, const Label* returns_as) const {
    // A model here may have a clearance of its own; the other ones are of the place "local".
    const label::PolicyPlace* own = way.upstream.empty() ? policy_->place(way.model) : nullptr;
    if (own != nullptr && own->sort != label::PlaceSort::model) own = nullptr;
    const std::string_view name = own != nullptr ? way.model : way.upstream.empty() ? models_here : way.upstream;
    const label::PolicyPlace* declared = policy_->place(name);
    const label::Use use{.purpose = purpose_, .now = now};
    const label::Clearance destination = policy_->clearance(name),
                           caller = policy_->clearance(way.caller.empty() ? own_people : way.caller);
    const Label& source = returns_as == nullptr ? label : *returns_as;
    Label answer_label = declared == nullptr ? source : label::join(source, declared->floor);
    const auto& words = policy_->words();
    return std::make_shared<const Passage>(Passage{.policy = policy_,
                                                   .model = std::string(way.model),
                                                   .label = label,
                                                   .answer_label = answer_label,
                                                   .answer_text = label::text(answer_label, words),
                                                   .destination = destination,
                                                   .caller = caller,
                                                   .use = use,
                                                   .there = label::decide(label, destination, use),
                                                   .back = label::decide(answer_label, caller, use),
                                                   .partition = readability(label, words),
                                                   .outlives_request = outlives_request(answer_label),
                                                   .holds_until = next_expiry(caller, now, next_expiry(destination, now, INT64_MAX))});
}

}  // namespace hanse::task
