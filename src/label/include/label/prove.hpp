// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/language.hpp"
#include "label/policy.hpp"

namespace hanse::label {

// The way of data to a place: under which decision, after what was done to it, or handed on by whom without asking.
struct Step {
    std::string place;
    std::string purpose = {};                    // of the decision that lets it go there
    std::optional<Transformation> after = {};
    std::string handed_on_by = {};               // instead of a decision
};

// The answer to "can data of this kind ever reach that place?"
struct Proof {
    std::vector<Step> path = {};  // the shortest, if there is one
    std::size_t labels = 0;     // what was looked at
    std::size_t places = 0;
    std::size_t decisions = 0;
    bool holds() const { return path.empty(); }
};

// Looks at every label that the kind can have under this policy (as it is, and after each transformation its owner
// accepts), at every place, purpose and way of handing on. Nothing more has to be looked at, because everything else only
// forbids more: what is derived from the data together with other data has a stricter label (join), learning and
// effects are further conditions, and releases are taken as valid for ever. An owner's signed declassification is not
// of the policy and stays outside. `place` may be one that the policy does not declare.
Proof prove(const Policy& policy, const Kind& kind, std::string_view place);

// "for answer", "for answer, after pseudonymise", "handed on by cloud".
std::string text(const Step& step, base::Language language);
// "proved: …" or "not so: personnel -> cloud (for answer) -> cloud-logs (handed on by cloud)".
std::string text(const Proof& proof, std::string_view kind, std::string_view place, base::Language language = base::Language::english);

}  // namespace hanse::label
