// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/language.hpp"
#include "label/decide.hpp"

namespace hanse::label {

using base::Language;

// One thing that stands in the way, for people: what it is, and what would have to change. They name owners, places
// and words of the vocabulary, never anything of the data.
struct Reason {
    Obstacle obstacle;
    std::string has;       // what the place or use brings, in words
    std::string needs;     // what the owner's term asks for
    std::string sentence;
    std::string remedy;
};

// For every obstacle, in order. For the member's own users; towards outsiders a refusal looks like "not found".
std::vector<Reason> reasons(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language);

// The whole answer as lines of text: the outcome, then each reason and its remedy.
std::string explanation(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language);

// One line for whoever asked: that it may not go there, the reason that decided, and what would help; or after what it
// might go. For decisions that do not permit.
std::string refusal(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language);

// The same for programs: {"outcome":"deny","after":[],"label":"…","place":"…","obstacles":[{"owner":…,"term":…,"has":…,
// "needs":…,"cure":…,"reason":…,"remedy":…}]}; owner and cure are null where there is none.
std::string explanation_json(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language);

// A text as a JSON string with its quotes.
std::string json_text(std::string_view text);

}  // namespace hanse::label
