// SPDX-License-Identifier: Apache-2.0
#include "label/label.hpp"

#include <algorithm>

namespace hanse::label {

Terms join(const Terms& a, const Terms& b) {
    return {.readers = a.readers & b.readers,
            .place = a.place.common(b.place),
            .control = a.control.common(b.control),
            .handling = a.handling | b.handling,
            .content = a.content | b.content,
            .purpose = a.purpose & b.purpose,
            .retention = std::min(a.retention, b.retention),
            .learning = std::min(a.learning, b.learning),
            .accepts = a.accepts & b.accepts};
}

bool flows_to(const Terms& a, const Terms& b) {
    if (!b.readers.within(a.readers)) return false;
    if (!b.place.inside(a.place)) return false;
    if (!b.control.inside(a.control)) return false;
    if (!a.handling.within(b.handling)) return false;
    if (!a.content.within(b.content)) return false;
    if (!b.purpose.within(a.purpose)) return false;
    if (b.retention > a.retention) return false;
    if (b.learning > a.learning) return false;
    return b.accepts.within(a.accepts);
}

Label Label::open_data(Integrity integrity) { return {nullptr, integrity}; }

Label Label::of(Principal owner, const Terms& terms, Integrity integrity) {
    if (terms == Terms{}) return open_data(integrity);
    return {std::make_shared<const std::vector<Owned>>(1, Owned{owner, terms}), integrity};
}

Label Label::of(std::vector<Owned> owners, Integrity integrity) {
    Label all = open_data(integrity);
    for (const auto& [owner, terms] : owners) all = join(all, of(owner, terms, integrity));
    return all;
}

const Terms* Label::terms_of(Principal owner) const {
    const auto found = std::ranges::find(owners(), owner, &Owned::owner);
    return found == owners().end() ? nullptr : &found->terms;
}

bool operator==(const Label& a, const Label& b) {
    if (a.top_ != b.top_ || a.integrity_ != b.integrity_) return false;
    return a.owners_ == b.owners_ || std::ranges::equal(a.owners(), b.owners());
}

Label join(const Label& a, const Label& b) {
    if (a.is_top() || b.is_top()) return Label::top();
    const Integrity lowest = std::min(a.integrity(), b.integrity());
    if (b.owners().empty() || a.owners_ == b.owners_) return {a.owners_, lowest};
    if (a.owners().empty()) return {b.owners_, lowest};
    std::vector<Label::Owned> both;
    both.reserve(a.owners().size() + b.owners().size());
    auto left = a.owners().begin();
    auto right = b.owners().begin();
    while (left != a.owners().end() && right != b.owners().end()) {
        if (left->owner < right->owner) both.push_back(*left++);
        else if (right->owner < left->owner) both.push_back(*right++);
        else both.push_back({left->owner, join((left++)->terms, (right++)->terms)});
    }
    both.insert(both.end(), left, a.owners().end());
    both.insert(both.end(), right, b.owners().end());
    return {std::make_shared<const std::vector<Label::Owned>>(std::move(both)), lowest};
}

Label join(std::span<const Label> labels) {
    Label all = Label::bottom();
    for (const auto& each : labels) all = join(all, each);
    return all;
}

bool flows_to(const Label& a, const Label& b) {
    if (b.is_top()) return true;
    if (a.is_top()) return false;
    if (b.integrity() > a.integrity()) return false;
    // An owner that `b` lacks is one that `b` does not obey.
    return std::ranges::all_of(a.owners(), [&](const Label::Owned& owned) {
        const Terms* terms = b.terms_of(owned.owner);
        return terms != nullptr && flows_to(owned.terms, *terms);
    });
}

base::Result<Label> entry_label(const Label& standard, const Label& asked, const Label& ceiling) {
    Label entering = join(standard, asked);
    if (!flows_to(entering, ceiling))
        return base::fail(base::ErrorKind::denied, "the label asked for is above what this key may handle", "label_denied", "Hanse-Label");
    return entering;
}

}  // namespace hanse::label
