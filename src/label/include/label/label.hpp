// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "label/place.hpp"
#include "label/vocabulary.hpp"
#include "label/words.hpp"

namespace hanse::label {

// One owner's terms. As made here they restrict nothing; each field says what it then does.
struct Terms {
    Readers readers = Readers::full();          // only these may see it
    Place place = Place::world();               // only inside this region
    Place control = Place::world();             // only where the operator obeys nobody outside this region
    Handling handling = {};                     // only where a valid release for each of these is held
    Contents content = {};                      // only where each of these is cleared
    Purposes purpose = Purposes::full();        // only for these
    Retention retention = Retention::contract();  // kept no longer
    Learning learning = Learning::any;          // nothing more is learned from it
    Transformations accepts = every_transformation;  // what may be done to it instead of a refusal

    friend bool operator==(const Terms&, const Terms&) = default;
};

Terms join(const Terms& a, const Terms& b);
// Whatever may be done under `b` may be done under `a`.
bool flows_to(const Terms& a, const Terms& b);

// What is known of a piece of data: who set which terms for it, and where it comes from. What is derived from
// several pieces has the join of their labels; nothing else makes a label stricter, and only the owner's
// Declassification makes it looser. Data without a label is `top` and may go nowhere.
//
// An owner whose terms restrict nothing is left out, so two labels that mean the same are equal. `public` is the
// label without owners. A value: immutable inside, cheap to copy, safe to share between threads.
class Label {
public:
    struct Owned {
        Principal owner;  // a member
        Terms terms;
        friend bool operator==(const Owned&, const Owned&) = default;
    };

    Label() = default;  // top, since a label that nobody set is a label that is missing
    static Label top() { return {}; }
    static Label bottom() { return open_data(Integrity::own); }
    static Label open_data(Integrity integrity);  // no owner's terms, so public
    static Label of(Principal owner, const Terms& terms, Integrity integrity);
    // Terms of the same owner given twice are joined.
    static Label of(std::vector<Owned> owners, Integrity integrity);

    bool is_top() const { return top_; }
    bool is_public() const { return !top_ && owners().empty(); }
    Integrity integrity() const { return integrity_; }
    std::span<const Owned> owners() const { return owners_ ? std::span<const Owned>(*owners_) : std::span<const Owned>(); }
    const Terms* terms_of(Principal owner) const;

    friend Label join(const Label& a, const Label& b);
    friend bool operator==(const Label& a, const Label& b);

private:
    Label(std::shared_ptr<const std::vector<Owned>> owners, Integrity integrity) : owners_(std::move(owners)), integrity_(integrity), top_(false) {}
    std::shared_ptr<const std::vector<Owned>> owners_;  // by number; none if empty
    Integrity integrity_ = Integrity::outside;
    bool top_ = true;
};

// What is derived from both. Associative, commutative and idempotent.
Label join(const Label& a, const Label& b);
Label join(std::span<const Label> labels);  // bottom if there are none
// Data labelled `a` may be handled as if labelled `b`: `b` is at least as strict. A partial order, whose least
// upper bound is join().
bool flows_to(const Label& a, const Label& b);

// The label of what enters with a key: the key's own, tightened by what the caller asks for. `denied` if that is
// above the key's ceiling; a caller can never loosen.
base::Result<Label> entry_label(const Label& standard, const Label& asked, const Label& ceiling);

// --- Canonical forms: words only, so that any vocabulary can read them ------------------------------------------

// One line for people and for the header Hanse-Label:
//   owner=acme readers=acme place=EU control=EU handling=none content=personal purpose=answer keep=session learn=no
//   after=pseudonymise; integrity=member
// Owners stand in the order of their names, each with all its terms; "public; integrity=own" without owners; "top".
std::string text(const Label& label, const Vocabulary& words);
// Reads that form, with groups as readers too. `invalid` naming the word that is unknown, a term that is missing
// or there twice. Longer than label_text_max: `too_large`.
inline constexpr std::size_t label_text_max = 8192;
base::Result<Label> read_label(std::string_view text, const Vocabulary& words);

// Bytes for hashing and storage: equal labels, equal bytes, whatever the vocabulary's numbers are.
base::Bytes binary(const Label& label, const Vocabulary& words);
// Accepts exactly what binary() writes with this vocabulary; `corrupt` otherwise, `invalid` for unknown words.
base::Result<Label> read_binary(std::span<const std::byte> bytes, const Vocabulary& words);

// One owner's terms in the words of the canonical text, "readers=acme place=EU …".
std::string text(const Terms& terms, Principal owner, const Vocabulary& words);

}  // namespace hanse::label
