// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "label/label.hpp"
#include "label/place.hpp"
#include "label/vocabulary.hpp"
#include "label/words.hpp"

namespace hanse::label {

// A release that a place holds, until and without this second of Unix time.
struct Release {
    HandlingWord word;
    std::int64_t valid_until;
    friend bool operator==(const Release&, const Release&) = default;
};
inline constexpr std::int64_t always_valid = INT64_MAX;

// A rule of a policy file: what may not go here although the terms would let it. It stops labels with any of the
// contents, and labels at least as strict as the kind (top stands for no kind).
struct Bar {
    Contents contents = {};
    Label kind = Label::top();
    friend bool operator==(const Bar&, const Bar&) = default;
};

// What is known of a place that could see data: a model, a back end, a peer, a tool, a person's screen, a log. As
// made here it is the worst that can be true of a place, so what nobody declared counts against it.
struct ClearanceTerms {
    std::string name;
    Readers receivers = Readers::full();   // everyone who would see it there
    Place place = Place::world();          // somewhere in this region
    Place control = Place::world();        // the operator can be ordered to hand it over from this region
    std::vector<Release> releases = {};
    Contents contents = {};                // cleared for these
    Retention retention = Retention::contract();  // keeps what it gets this long
    Learning learning = Learning::any;     // learns from all it gets, whatever the use
    Integrity acts_on = Integrity::own;    // the least trusted that its effects may follow from
    std::vector<Bar> bars = {};            // rules only ever forbid more
    friend bool operator==(const ClearanceTerms&, const ClearanceTerms&) = default;
};

// A place and what it is cleared for. A value: immutable inside, cheap to copy, safe to share between threads.
class Clearance {
public:
    // A place that nobody is said to see is seen by everyone, and one that lies nowhere lies anywhere.
    explicit Clearance(ClearanceTerms terms);
    // Bottom: may see public data only.
    static Clearance none(std::string name) { return Clearance(ClearanceTerms{.name = std::move(name)}); }

    const std::string& name() const { return terms_->name; }
    const ClearanceTerms& terms() const { return *terms_; }
    bool same_as(const Clearance& other) const { return terms_ == other.terms_ || *terms_ == *other.terms_; }

private:
    std::shared_ptr<const ClearanceTerms> terms_;
};

// What is true where the data of one place is also seen by the other: what `a` hands on to `b` without asking
// is cleared by no more than this. Keeps a's name.
Clearance weaker(const Clearance& a, const Clearance& b);

// "receivers=acme place=DE control=house:acme releases=VS-NfD@2027-06-30 contents=personal keep=session learn=no
// acts-on=member"; a release is valid to the end of the day, in UTC.
std::string text(const Clearance& clearance, const Vocabulary& words);
base::Result<Clearance> read_clearance(std::string name, std::string_view text, const Vocabulary& words);
// The first second after the day "2027-06-30", or a number of Unix seconds.
std::optional<std::int64_t> end_of_validity(std::string_view text);

}  // namespace hanse::label
