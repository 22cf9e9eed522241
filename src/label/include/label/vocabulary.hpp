// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "label/place.hpp"
#include "label/words.hpp"

namespace hanse::label {

// The words of a federation as its charter will carry them. Everything that a label may name stands here.
struct VocabularySource {
    struct Region {
        std::string name;
        std::string parent;  // a region named before, or "world"
    };
    struct Member {
        std::string name;
        std::string house_in = {};             // the smallest region that holds all its sites; empty: it has no house
        std::vector<std::string> sites = {};   // "works", "works/lab": inside the house
        std::vector<std::string> people = {};  // "anna": known outside as "name/anna"
    };
    struct Group {
        std::string name;
        std::vector<std::string> members;  // members, persons "acme/anna", other groups
    };
    std::uint32_t version = 1;
    std::string dated = {};  // the day of what may change in it, as "2025-12-01"
    std::vector<Region> regions = {};
    std::vector<Member> members = {};
    std::vector<Group> groups = {};
    std::vector<std::string> handling = {};  // "VS-NfD", "NDA:bolt"
    std::vector<std::string> contents = {};
    std::vector<std::string> purposes = {};
};

// Regions of the world with EU, EEA and the countries for which an adequacy decision covers the whole country,
// and the usual releases, contents and purposes. It has no members; a policy or charter adds them.
VocabularySource builtin_words();

// Where every word of a label, clearance or policy is looked up. Labels hold numbers that this gave them, so
// labels of two vocabularies must not meet; what is stored or sent is text or bytes made of words, and reading
// it with another vocabulary gives each word its meaning there, or names the one that has none.
//
// Immutable and shared; all functions may be called from any thread.
class Vocabulary {
public:
    // `invalid` naming the word: a name twice or not of the form below, a parent or member that is unknown, groups
    // in a circle, more than the sets of words.hpp hold. A name has 1 to 64 letters, digits and . _ - : only.
    static base::Result<std::shared_ptr<const Vocabulary>> create(VocabularySource source);

    std::uint32_t version() const { return source_.version; }
    const VocabularySource& source() const { return source_; }
    std::size_t principal_count() const { return principals_.size(); }

    std::optional<Principal> principal(std::string_view name) const;
    std::optional<Principal> member(std::string_view name) const;  // not a person
    std::string_view name(Principal principal) const { return principals_[bit(principal)].name; }
    bool is_member(Principal principal) const;
    // The member itself for a member; for a person, the member it belongs to.
    Principal member_of(Principal principal) const { return principals_[bit(principal)].member; }

    // The readers that a word stands for: "all", "federation", "nobody", a member with its people, a person, a group.
    std::optional<Readers> readers(std::string_view word) const;
    // The shortest words for a set: people whose member is in it as a whole are not named.
    std::vector<std::string> words(const Readers& readers) const;

    // "world", "EU", "DE", "house:acme/works", "nowhere"; "house" and "house/works" are those of `owner`.
    std::optional<Place> place(std::string_view word, std::optional<Principal> owner = {}) const;
    std::string word(Place place, std::optional<Principal> owner = {}) const;

    std::optional<HandlingWord> handling(std::string_view word) const;
    std::optional<ContentWord> content(std::string_view word) const;
    std::optional<PurposeWord> purpose(std::string_view word) const;
    std::string_view word(HandlingWord value) const { return source_.handling[bit(value)]; }
    std::string_view word(ContentWord value) const { return source_.contents[bit(value)]; }
    std::string_view word(PurposeWord value) const { return source_.purposes[bit(value)]; }

    // All places with their words, from the outer to the inner; for proofs and the reference evaluator.
    const std::map<Place, std::string>& places() const { return place_words_; }

private:
    struct PrincipalEntry {
        std::string name;
        Principal member;
    };
    Vocabulary() = default;
    base::Result<void> add_regions();
    base::Result<void> add_place(const std::string& name, Place parent);
    base::Result<void> add_members();
    base::Result<void> add_house(const VocabularySource::Member& member);
    base::Result<Readers> expand(std::size_t group, std::vector<int>& state);
    base::Result<void> add_groups();
    base::Result<void> check_words() const;

    VocabularySource source_;
    std::vector<PrincipalEntry> principals_;
    std::vector<Readers> with_people_;  // by principal: itself, and a member's people
    std::map<std::string, Principal, std::less<>> principal_ids_;
    std::map<std::string, Readers, std::less<>> groups_;
    std::map<std::string, Place, std::less<>> places_;
    std::map<Place, std::string> place_words_;
    std::map<Place, unsigned> children_;
};

}  // namespace hanse::label
