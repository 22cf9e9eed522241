// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "label/clearance.hpp"
#include "label/label.hpp"

// The one function that decides, asked at every boundary: where a request enters, before a prompt goes to a model,
// peer or tool, before an answer returns, before anything is written to a cache, a collection or a log.
namespace hanse::label {

enum class Effect : std::uint8_t { none, acts };  // acts: something changes in the world because of the data

// What is about to be done with the data.
struct Use {
    PurposeWord purpose;
    Learning learning = Learning::no;
    Effect effect = Effect::none;
    std::int64_t now = 0;  // Unix seconds; releases expire
};

enum class Outcome : std::uint8_t { permit, permit_after, deny };
std::string_view name(Outcome outcome);

// One term that stands in the way, and whose.
struct Obstacle {
    Term term;
    std::optional<Principal> owner = {};  // none for Term::label, Term::integrity and Term::rule
    std::optional<Transformation> cure = {};  // would take it away, and the owner accepts it
    friend bool operator==(const Obstacle&, const Obstacle&) = default;
};

// The outcome alone: no permit, nothing allocated.
struct Verdict {
    Outcome outcome = Outcome::deny;
    Transformations after = {};   // for permit_after: all of these
    Obstacle obstacle{Term::label};  // for deny: the first that nothing cures
};

class Decision;
Decision decide(const Label& label, const Clearance& clearance, const Use& use);

// Proof that decide() said "permit" for this label at this place and use. Nobody else can make one; a Labelled
// value opens only to the permit for its own label and the place it goes to.
class Permit {
public:
    const Label& label() const { return label_; }
    const Clearance& destination() const { return destination_; }
    const Use& use() const { return use_; }

private:
    friend Decision decide(const Label& label, const Clearance& clearance, const Use& use);
    Permit(Label label, Clearance destination, const Use& use) : label_(std::move(label)), destination_(std::move(destination)), use_(use) {}
    Label label_;
    Clearance destination_;
    Use use_;
};

// What decide() says. A refusal is an answer, not an error; reasons.hpp puts it into words.
class Decision {
public:
    Outcome outcome() const { return verdict_.outcome; }
    const Verdict& verdict() const { return verdict_; }
    // For Outcome::permit only. After a transformation, decide again on what came out of it.
    const std::optional<Permit>& permit() const { return permit_; }

private:
    friend Decision decide(const Label& label, const Clearance& clearance, const Use& use);
    Decision(Verdict verdict, std::optional<Permit> permit) : verdict_(verdict), permit_(std::move(permit)) {}
    Verdict verdict_;
    std::optional<Permit> permit_;
};

// The same decision without a permit: for routing, which asks about many places and sends to one.
Verdict judge(const Label& label, const Clearance& clearance, const Use& use);
// Everything that stands in the way, in the order in which refusals name it. Empty exactly if judge() permits.
std::vector<Obstacle> obstacles(const Label& label, const Clearance& clearance, const Use& use);

// The label of data after a transformation. Pseudonymising turns personal into pseudonymous for the owners who
// accept it, never into nothing; the others leave the label as it is.
Label after(const Label& label, Transformation transformation);

// Against label creep: which pieces may go along as they are, and what to do with the rest. `joined` is the label
// of those that go. Pieces that need another transformation than being dropped are held back with it.
struct Selection {
    std::vector<Verdict> pieces;
    std::vector<std::size_t> going;
    Label joined = Label::bottom();
};
Selection select_pieces(std::span<const Label> pieces, const Clearance& clearance, const Use& use);

}  // namespace hanse::label
