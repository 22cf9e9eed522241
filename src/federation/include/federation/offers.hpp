// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "federation/charter.hpp"
#include "federation/signatures.hpp"
#include "label/clearance.hpp"

namespace hanse::federation {

// A member that may grant a handling release says that another holds it (signature context "grant").
struct Grant {
    static constexpr std::string_view context = "grant";
    std::string handling;
    std::string granter;
    std::int64_t until = 0;  // Unix seconds
    std::string signature = {};
    std::string message(const Digest& federation, std::string_view holder) const;
    friend bool operator==(const Grant&, const Grant&) = default;
};

// One model, or a group of them, that partners may use.
struct Offer {
    std::string model;                        // the name to ask for
    std::vector<std::string> skills = {};     // "legal": asked for as hanse/legal
    std::vector<std::string> languages = {};  // BCP 47
    std::uint32_t context = 0;                // tokens
    std::uint64_t prompt_price = 0;           // micro-euro for a million tokens
    std::uint64_t answer_price = 0;
    std::string clearance = {};          // what the place where it runs is cleared for, by its owner's word
    std::vector<std::string> only = {};  // members that it is for; empty: all
    friend bool operator==(const Offer&, const Offer&) = default;
};

// What one member offers, whole: a newer list takes the place of an older one. Lines of words, as the charter's:
//
//   hanse-offers v1
//   member NAME / node NAME / sequence N / issued TIME / expires TIME
//   grant HANDLING GRANTER TIME SIGNATURE…
//   offer MODEL
//     skill …, language …, context N, price N N, clearance …, only MEMBER…   of the offer before
//   signature HALF HALF                  over all before it, context "offers"
struct OfferList {
    static constexpr std::string_view context = "offers";
    static constexpr std::size_t text_max = 128 * 1024;
    static constexpr std::size_t offers_max = 256;

    std::string member;
    std::string node;
    std::uint64_t sequence = 0;
    std::int64_t issued = 0;
    std::int64_t expires = 0;
    std::vector<Grant> grants = {};
    std::vector<Offer> offers = {};

    std::string text() const;
    std::string signed_text(const Sign& sign) const;
    friend bool operator==(const OfferList&, const OfferList&) = default;
};
struct SignedOffers {
    OfferList list;
    std::string document;
    crypto::HybridSignature signature;
    static base::Result<SignedOffers> parse(std::string_view document);
};

// What may be believed of an offer's clearance: by no more than the member says, than the charter says of the member
// (its control, itself among the receivers), than the releases that were granted to it, and than this house's own
// policy for that member says. Nobody becomes cleared by saying so. `policy` is of the same words.
label::Clearance believed_clearance(const CharterDocument& charter, const Digest& federation, const OfferList& list, const Offer& offer,
                                    const label::Clearance& policy, const Verify& verify, std::int64_t now);

// The offers of all members, as this node knows them: asked locally, so that no question leaves the house only to look
// for a model. One list a member, the one with the highest sequence; whoever signs two with the same number is found
// out. Filled by gossip: any member may bring any list, since each is signed by its own.
class OfferMirror {
public:
    explicit OfferMirror(Verify verify) : verify_(std::move(verify)) {}

    enum class News : std::uint8_t {
        accepted,
        known,
        older,
        untimely,     // expired, or from the future: clocks differ, or it was long on its way
        stranger,     // of nobody who is an active member by this charter
        refused,      // not readable, or not signed by its member
        contradicts,  // two lists with the same sequence: its member has lied
    };
    News take(std::string_view document, const Charter& charter, std::int64_t now);
    // A member that was removed or suspended offers nothing.
    void charter_changed(const Charter& charter);

    struct Summary {
        std::string member;
        std::uint64_t sequence;
    };
    std::vector<Summary> summary() const;
    const SignedOffers* find(std::string_view member) const;
    // What is valid now.
    std::vector<const SignedOffers*> valid(std::int64_t now) const;
    const std::vector<std::pair<std::string, std::string>>& contradictions() const { return contradictions_; }

private:
    std::map<std::string, SignedOffers, std::less<>> lists_;
    std::vector<std::pair<std::string, std::string>> contradictions_;  // documents
    Verify verify_;
};

}  // namespace hanse::federation
