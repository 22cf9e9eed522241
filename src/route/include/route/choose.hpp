// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "label/decide.hpp"

// Where a question is answered. The rule filters first, and only what it lets through is ranked: no price and no speed
// can bring back what a label forbids. A snapshot goes in, a plan comes out; nobody is asked, so that no question leaves
// the house only to look for a model.
namespace hanse::route {

// One model at one place, as it is known here and now.
struct Candidate {
    std::string member = {};  // empty: this node
    std::string model = {};   // the name to ask for there
    std::vector<std::string> skills = {};
    std::vector<std::string> languages = {};  // empty: not said
    std::uint32_t context = 0;                // tokens; 0: not said
    std::uint64_t prompt_price = 0;           // micro-euro for a million tokens
    std::uint64_t answer_price = 0;
    // What was decided about this very label at this place, there and back; `reason` for a refusal, for the member's own users.
    label::Verdict verdict = {};
    std::string reason = {};
    // As PeerHealth has it.
    bool may_be_asked = true;
    double failure_share = 0;
    std::optional<std::chrono::milliseconds> latency = {};
    // How well it suits this very request, 0 to 1, by whoever can judge that (route/fit.hpp); not known at first.
    std::optional<double> fit = {};
    std::optional<double> nats_per_byte = {};  // of the request by the table that speaks for it (route/fit.hpp); the less the likelier

    std::string name() const { return member.empty() ? model : member + "/" + model; }
};

struct Question {
    std::string model;  // "hanse/auto", "hanse/SKILL", a model's name, or MEMBER/MODEL
    std::string language = {};
    std::uint32_t prompt_tokens = 0;
    std::uint32_t answer_tokens = 0;
    std::optional<std::uint64_t> price_max = {};  // micro-euro for the whole of it
};

// How much each score counts. Each is between 0 and 1, 1 the best.
struct Weights {
    double fit = 3.0;
    double language = 1.0;
    double reliability = 2.0;
    double latency = 1.0;
    double price = 1.0;
    double home = 1.0;       // asked here, nobody else sees it
    double untouched = 0.5;  // may go as it is, without a transformation
};

// Why a candidate is not asked; the first that holds, in this order.
enum class Exclusion : std::uint8_t { none, rule, other_model, lacks_skill, context_too_small, too_dear, unhealthy };
std::string_view name(Exclusion exclusion);

struct Score {
    std::string_view name;  // "fit", "language", …
    double value;
    double weight;
};
// A candidate, weighed or excluded: what POST /v1/hanse/route shows.
struct Weighed {
    std::size_t candidate = 0;  // in the snapshot
    Exclusion exclusion = Exclusion::none;
    std::string sentence = {};  // for an exclusion
    std::vector<Score> scores = {};
    double total = 0;                   // weighted mean
    label::Transformations after = {};  // what must be done to the data first
};
struct Plan {
    std::vector<Weighed> order = {};     // to be tried one after the other
    std::vector<Weighed> excluded = {};  // in the order of the snapshot
    bool empty() const { return order.empty(); }
    // Nothing is left, and somebody could answer if the label let it.
    bool refused_by_rule() const;
};

// The same snapshot gives the same plan. Of equals, this node comes first, then the order of names.
Plan choose(const std::vector<Candidate>& snapshot, const Question& question, const Weights& weights = {});

// The skill that "hanse/legal" asks for; empty for "hanse/auto", nothing for a plain name.
std::optional<std::string_view> skill_of(std::string_view model);

}  // namespace hanse::route
