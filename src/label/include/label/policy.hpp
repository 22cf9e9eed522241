// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "label/cases.hpp"
#include "label/clearance.hpp"
#include "label/label.hpp"
#include "label/vocabulary.hpp"

namespace hanse::label {

enum class PlaceSort : std::uint8_t { model, backend, peer, tool, caller, store };
std::string_view name(PlaceSort sort);

// A kind of data that the house knows by name: one of the presets, or an own one that starts from a preset.
struct Kind {
    std::string name;
    Label label;
};

// A place that could see data. `clearance` is what is decided with: with the rules, and with the places to which it
// hands on by itself counted in.
struct PolicyPlace {
    std::string name;
    PlaceSort sort;
    Clearance clearance;
    Label floor;  // what it answers is at least this; bottom where nothing is declared
    std::vector<std::string> hands_on = {};
};

// What is found in a text makes its label stricter: where a recogniser reports one of `finds`, the label is joined with that of
// a kind. The words are those of finding_words(); who recognises is no matter of this room.
struct ContentRule {
    std::string name;
    std::vector<std::string> finds;
    Label label;
};
// What a rule on content may name: kinds of personal data, of an organisation's own names, and of credentials.
std::span<const std::string_view> finding_words();

// Who may loosen a member's terms: that member itself or one of its people, by the fingerprint of the identity whose
// signatures count (crypto/identity.hpp; this room only carries it).
struct Signer {
    Principal person;
    std::string fingerprint;
    friend bool operator==(const Signer&, const Signer&) = default;
};

// What a federation's charter puts under a policy: its words instead of the built-in ones, what the other members' places
// are cleared for, and who signs for those members. Words and texts only, in their canonical forms, so that a charter can
// carry and sign them. Without a federation: as made here.
struct FederationTerms {
    VocabularySource words = builtin_words();
    // A place of another member, as that member declared it. A policy file may declare a place of the same name (sort
    // "peer"); then the weaker of both counts in every term, and both floors.
    struct Partner {
        std::string name;
        std::string clearance;                        // as text(Clearance) writes it
        std::string floor = "public; integrity=own";  // as text(Label) writes it
    };
    std::vector<Partner> partners = {};
    std::vector<std::pair<std::string, std::string>> signers = {};  // "bolt" or "bolt/ben", and the fingerprint
};

// What one node's owner wants, as policy.toml says it: words, kinds of data, places, rules. Read as a whole or not at
// all, and immutable, so that a running node swaps one for the next in one step. The form is explained in the files
// that profile_text() writes; docs/labels.md has the rules.
class Policy {
public:
    // `invalid` with one line for each mistake, "policy.toml:12: kinds.personnel.place has the unknown word …": an unknown
    // word or key, a rule that says nothing, a statement that contradicts another, a proof that does not hold.
    // With a federation, the house must be a member of it, and the file may add people, sites and words but change none.
    static base::Result<std::shared_ptr<const Policy>> read(std::string_view text, std::string_view file,
                                                            const FederationTerms& federation = {});

    const Vocabulary& words() const { return *words_; }
    std::shared_ptr<const Vocabulary> shared_words() const { return words_; }
    Principal house() const { return house_; }
    const std::vector<Kind>& kinds() const { return kinds_; }
    const std::vector<PolicyPlace>& places() const { return places_; }
    const std::vector<ContentRule>& content_rules() const { return content_rules_; }
    const std::vector<Signer>& signers() const { return signers_; }
    // The kind of what enters without saying. "top" where the file wants that to go nowhere.
    const Kind& standard() const { return standard_; }

    const Kind* kind(std::string_view name) const;
    const PolicyPlace* place(std::string_view name) const;
    // A place that the file does not name is cleared for public data only.
    Clearance clearance(std::string_view place) const;
    // "personnel", "internal+personnel" (the join), or a label's canonical text; what a header or a document says.
    base::Result<Label> label(std::string_view text) const;

    // All its kinds and places, for tables of expected decisions.
    CaseWorld cases(std::int64_t now) const;

    // What is no mistake and yet worth a look: kinds that no place may see.
    std::vector<std::string> unseen_kinds() const;

private:
    friend struct PolicyFile;
    Policy() = default;
    std::shared_ptr<const Vocabulary> words_;
    Principal house_{};
    std::vector<Kind> kinds_;
    std::vector<PolicyPlace> places_;
    std::vector<ContentRule> content_rules_;
    std::vector<Signer> signers_;
    Kind standard_ = {"top", Label::top()};
};

// The four beginnings, commented, with the house's name and country in them; each is a policy that reads.
enum class Profile : std::uint8_t { mittelstand, public_authority, research_group, open };
std::optional<Profile> profile_named(std::string_view word);  // "mittelstand", "public-authority", "research-group", "open"
std::string profile_text(Profile profile, std::string_view house, std::string_view country);
// The policy of a node that has no policy file: what comes in is internal, and stays on this machine. `here` are the
// names of back ends that run on this machine too; to every other one only public data goes.
std::string policy_without_file(std::span<const std::string> here);

// One decision that was asked for, as a journal remembers it, and what two policies say to it.
struct Asked {
    std::string label;  // canonical text
    std::string place;
    std::string use;  // as read_use() reads it
    friend bool operator==(const Asked&, const Asked&) = default;
};
struct Difference {
    Asked asked;
    std::string before;
    std::string after;
};
// A record of decisions as lines "label TAB place TAB use". `invalid` with the line for one that is not so.
std::string record_text(std::span<const Asked> record);
base::Result<std::vector<Asked>> read_record(std::string_view text, std::string_view file);

// Which of these would turn out differently. A word that a policy does not know is its answer: "invalid: …".
std::vector<Difference> differences(const Policy& before, const Policy& after, std::span<const Asked> traffic, std::int64_t now);

}  // namespace hanse::label
