// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/language.hpp"
#include "base/result.hpp"
#include "label/decide.hpp"
#include "label/policy.hpp"
#include "privacy/recogniser.hpp"
#include "task/keys.hpp"

namespace hanse::task {

// Where the data of a task goes, and where what comes back of it goes.
struct Way {
    std::string_view model;
    std::string_view upstream = {};  // the back end that has the model; empty: this machine
    std::string_view caller = {};    // the place of the policy that gets the answer; empty: "answer"
};

// What was decided about one label on one way. A value shared by all requests that are alike; never changes.
struct Passage {
    std::shared_ptr<const label::Policy> policy;
    std::string model;          // as the caller named it
    label::Label label;         // of what goes to the destination
    label::Label answer_label;  // of what comes back: that, and the destination's output floor
    std::string answer_text;    // the same as canonical text
    label::Clearance destination;
    label::Clearance caller;
    label::Use use;
    label::Decision there;         // label, to the destination
    label::Decision back;          // answer_label, to the caller
    std::string partition;         // the same for data that may be seen by the same in the same places
    bool outlives_request = true;  // no owner asks that nothing be kept
    std::int64_t holds_until = 0;  // Unix seconds: a release expires

    bool permitted() const { return there.permit() && back.permit(); }
    // Why not: `denied` with the code "label_denied", reason and remedy. For a passage that is not permitted. Whoever is not
    // of this house gets what is said of a model that does not exist, so that a refusal tells nothing.
    base::Error denial(base::Language language) const;
};

// What is said of a model that is not there, or that the caller may not know of.
base::Error no_such_model(std::string_view model);

// The decisions that were asked for of late, each once, without any content; what `hanse policy diff` compares.
// Thread-safe.
class DecisionRecord {
public:
    static constexpr std::size_t size_max = 1'000;
    void add(label::Asked asked);
    std::vector<label::Asked> all() const;
    // The record if it changed since the last call.
    std::optional<std::vector<label::Asked>> changed();

private:
    mutable std::mutex mutex_;
    std::deque<label::Asked> asked_;
    std::unordered_set<std::string> known_;
    bool changed_ = false;
};

// One policy in force, made ready for requests: what it has decided is remembered by label and way, so that a request
// like those before it costs a look-up. A reload makes new rules; a task keeps those that it entered with, since the
// numbers in its label are theirs. Thread-safe.
class Rules {
public:
    // Without a recogniser, a policy that looks into content or pseudonymises lets nothing of that sort pass.
    explicit Rules(std::shared_ptr<const label::Policy> policy, std::shared_ptr<DecisionRecord> record = {},
                   std::shared_ptr<const privacy::Recogniser> recogniser = {});
    // Whether a policy is of that sort: it has rules on content, or a kind whose owner accepts pseudonyms.
    static bool needs_recogniser(const label::Policy& policy);

    const label::Policy& policy() const { return *policy_; }

    // The label of what enters: the key's own, or the policy's standard, tightened by what the caller asks for (names
    // of kinds, or the canonical text; empty: nothing). `invalid` for a word of the caller's that is unknown, `denied`
    // above the key's ceiling, and where the policy does not know the words of the key.
    base::Result<label::Label> enter(const KeyFacts* key, std::string_view asked);

    // What is found in texts tightens the label of what entered, by the policy's rules on content; `denied` above the key's
    // ceiling.
    bool looks_into_content() const { return !policy_->content_rules().empty(); }
    base::Result<label::Label> tightened(const KeyFacts* key, const label::Label& label, std::span<const privacy::Kind> found) const;
    // Whether what is told at this place of callers (empty: "answer") stays among the house's own people.
    bool tells_own_people(std::string_view caller) const;
    // `unavailable` if there is none: then nothing may leave that would need it.
    base::Result<const privacy::Recogniser*> recogniser() const;

    // For a request that is under way: remembered, and put on record. `returns_as` is what the answer is made of for the caller
    // where that is more than what goes out: the names of a pseudonymised prompt are put in again.
    std::shared_ptr<const Passage> pass(const label::Label& label, const Way& way, std::int64_t now,
                                        const label::Label* returns_as = nullptr);
    // The same for somebody who only wants to know.
    std::shared_ptr<const Passage> preview(const label::Label& label, const Way& way, std::int64_t now,
                                           const label::Label* returns_as = nullptr) const;

private:
    static constexpr std::size_t remembered_max = 4'096;
    void put_on_record(const Passage& passage);
    base::Result<label::Label> read_entry(const KeyFacts* key, std::string_view asked) const;

    const std::shared_ptr<const label::Policy> policy_;
    const std::shared_ptr<DecisionRecord> record_;
    const std::shared_ptr<const privacy::Recogniser> recogniser_;
    const label::PurposeWord purpose_;
    std::mutex mutex_;
    std::unordered_map<std::string, label::Label> entries_;
    std::unordered_map<std::string, std::vector<std::shared_ptr<const Passage>>> passages_;  // by way
    std::size_t passage_count_ = 0;
};

}  // namespace hanse::task
