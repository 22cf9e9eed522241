// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "label/policy.hpp"

namespace hanse::label {

// The way of data to a place: what was done to it on the way there, and under which decision.
struct Step {
    std::string place;
    std::string how;  // "for answer", "for answer, after pseudonymise", "handed on by cloud"
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

// "proved: …" or "not so: personnel goes to cloud for answer, …, handed on by cloud to cloud-logs".
std::string text(const Proof& proof, std::string_view kind, std::string_view place);

}  // namespace hanse::label
