// SPDX-License-Identifier: Apache-2.0
#include "label/clearance.hpp"

#include <algorithm>

namespace hanse::label {

Clearance::Clearance(ClearanceTerms terms) {
    if (terms.receivers.empty()) terms.receivers = Readers::full();
    if (terms.place == Place::nowhere()) terms.place = Place::world();
    if (terms.control == Place::nowhere()) terms.control = Place::world();
    terms_ = std::make_shared<const ClearanceTerms>(std::move(terms));
}

Clearance weaker(const Clearance& a, const Clearance& b) {
    ClearanceTerms both = a.terms();
    const ClearanceTerms& other = b.terms();
    both.receivers = both.receivers | other.receivers;
    both.place = both.place.around(other.place);
    both.control = both.control.around(other.control);
    std::vector<Release> releases;
    for (const Release& release : both.releases) {
        const auto same = std::ranges::find(other.releases, release.word, &Release::word);
        if (same != other.releases.end()) releases.push_back({release.word, std::min(release.valid_until, same->valid_until)});
    }
    both.releases = std::move(releases);
    both.contents = both.contents & other.contents;
    both.retention = std::max(both.retention, other.retention);
    both.learning = std::max(both.learning, other.learning);
    both.acts_on = std::max(both.acts_on, other.acts_on);
    both.bars.insert(both.bars.end(), other.bars.begin(), other.bars.end());
    return Clearance(std::move(both));
}

}  // namespace hanse::label
