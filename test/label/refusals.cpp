// SPDX-License-Identifier: Apache-2.0
// Compiled once for each REFUSAL; see CMakeLists.txt for what the compiler has to say.
#include <format>
#include <ostream>
#include <string>

#include "label/labelled.hpp"

using namespace hanse::label;

std::string way_of_a_prompt(const Labelled<std::string>& prompt, const Clearance& place, const Use& use, std::ostream& log) {
    const Decision decision = decide(prompt.label(), place, use);
    if (!decision.permit()) return "";
    auto opened = prompt.open(*decision.permit(), place);
    if (!opened) return opened.error().message;
    log << place.name();
#if REFUSAL == 0
    return opened->plaintext(PlaintextAccess::at_boundary());
#elif REFUSAL == 1
    const Permit permit;
    return prompt.open(permit, place)->plaintext(PlaintextAccess::at_boundary());
#elif REFUSAL == 2
    return prompt.open(Permit(prompt.label(), place, use), place)->plaintext(PlaintextAccess::at_boundary());
#elif REFUSAL == 3
    return prompt.open(place)->plaintext(PlaintextAccess::at_boundary());
#elif REFUSAL == 4
    return prompt.value_;
#elif REFUSAL == 5
    return std::format("{}", prompt);
#elif REFUSAL == 6
    return std::format("{}", *opened);
#elif REFUSAL == 7
    log << *opened;
    return "";
#elif REFUSAL == 8
    return hanse::base::Error{hanse::base::ErrorKind::bug, *opened}.message;
#elif REFUSAL == 9
    auto copy = *opened;
    return copy.plaintext(PlaintextAccess::at_boundary());
#elif REFUSAL == 10
    return opened->plaintext();
#elif REFUSAL == 11
    return opened->plaintext(PlaintextAccess());
#elif REFUSAL == 12
    return prompt;
#elif REFUSAL == 13
    return prompt.open(*Decision(Verdict{Outcome::permit}, std::nullopt).permit(), place)->plaintext(PlaintextAccess::at_boundary());
#endif
}
