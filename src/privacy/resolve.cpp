// SPDX-License-Identifier: Apache-2.0
#include "resolve.hpp"

#include <algorithm>

namespace hanse::privacy {
namespace {

bool of_names(Kind kind) { return kind == Kind::person || kind == Kind::name; }

// Whether a beats b where they overlap.
bool beats(const Finding& a, const Finding& b) {
    const auto size = [](const Finding& f) { return f.end - f.begin; };
    // A container that is whole (an address, an e-mail address, a secret) holds what is inside it.
    const bool a_holds = a.begin <= b.begin && b.end <= a.end && size(a) > size(b),
               b_holds = b.begin <= a.begin && a.end <= b.end && size(b) > size(a);
    // "Anna Kowalska", where the directory has an Anna: the whole name goes, not only Anna.
    if (of_names(a.kind) && of_names(b.kind)) {
        if (size(a) != size(b)) return size(a) > size(b);
        return a.ground < b.ground;
    }
    if (a_holds != b_holds)
        return a_holds ? (a.score >= 0.6F || b.ground != Ground::checked) : !(b.score >= 0.6F || a.ground != Ground::checked);
    if (a.ground != b.ground) return a.ground < b.ground;
    if (size(a) != size(b)) return size(a) > size(b);
    if (a.score != b.score) return a.score > b.score;
    return a.kind < b.kind;
}

}  // namespace

std::vector<Finding> resolve(std::vector<Finding> found, float threshold) {
    std::erase_if(found, [&](const Finding& f) { return f.score < threshold || f.begin >= f.end; });
    std::ranges::sort(found, [](const Finding& a, const Finding& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    std::vector<Finding> kept;
    kept.reserve(found.size());
    for (const Finding& next : found) {
        bool lost = false;
        while (!kept.empty() && kept.back().end > next.begin) {
            if (beats(kept.back(), next)) {
                lost = true;
                break;
            }
            kept.pop_back();
        }
        if (!lost) kept.push_back(next);
    }
    return kept;
}

}  // namespace hanse::privacy
