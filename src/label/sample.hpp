// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "label/clearance.hpp"
#include "label/decide.hpp"
#include "label/label.hpp"
#include "label/vocabulary.hpp"

// A small federation and a stream of labels, clearances and uses drawn from a seed, for property tests, the
// benchmark and the comparison with the reference evaluator. Values are drawn so that permits, transformations
// and refusals are all common.
namespace hanse::label::sample {

class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
    bool one_in(std::size_t chances) { return below(chances) == 0; }

private:
    std::uint64_t state_;
};

// Four members with houses in three countries, people, nested groups, an own purpose and two agreements.
inline VocabularySource federation_words() {
    VocabularySource source = builtin_words();
    source.members = {{"acme", "DE", {"works", "works/lab", "office"}, {"anna", "bert"}},
                      {"bolt", "FR", {"paris"}, {"zoe"}},
                      {"clinic", "CH", {}, {"dora"}},
                      {"drone", "US", {}, {}}};
    source.groups = {{"board", {"acme/anna", "bolt/zoe"}}, {"trust", {"acme", "board", "clinic"}}};
    source.handling.insert(source.handling.end(), {"NDA:acme", "NDA:bolt"});
    source.purposes.push_back("safety");
    return source;
}
inline std::shared_ptr<const Vocabulary> federation() {
    static const std::shared_ptr<const Vocabulary> made = Vocabulary::create(federation_words()).value_or(nullptr);
    return made;
}

inline std::uint64_t Chance::next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

class Drawing {
public:
    Drawing(std::uint64_t seed, std::shared_ptr<const Vocabulary> words) : chance_(seed), words_(std::move(words)) {
        for (const char* word : {"world", "adequate", "EEA", "EU", "DE", "FR", "CH", "US", "NO", "house:acme", "house:acme/works",
                                 "house:acme/works/lab", "house:acme/office", "house:bolt", "house:bolt/paris", "house:clinic", "house:drone"})
            places_.push_back(words_->place(word).value_or(Place::nowhere()));
        for (const char* word : {"acme", "bolt", "clinic", "drone"}) members_.push_back(words_->member(word).value_or(stranger));
    }
    Chance& chance() { return chance_; }

    // Mostly a sensible set, at times everyone or nobody.
    Readers readers() {
        if (chance_.one_in(6)) return Readers::full();
        if (chance_.one_in(6)) return *words_->readers("federation");
        static constexpr const char* some[] = {"acme", "bolt", "clinic", "drone", "acme/anna", "acme/bert", "bolt/zoe", "clinic/dora", "board", "trust"};
        Readers set;
        for (std::size_t count = chance_.one_in(20) ? 0 : 1 + chance_.below(4); count > 0; --count) set = set | *words_->readers(some[chance_.below(std::size(some))]);
        return set;
    }
    Place place() {
        if (chance_.one_in(40)) return Place::nowhere();
        return chance_.one_in(3) ? places_[chance_.below(4)] : places_[chance_.below(places_.size())];
    }
    template <typename Set>
    Set some(std::size_t count, std::size_t rarity) {
        Set set;
        for (std::size_t i = 0; i < count; ++i)
            if (chance_.one_in(rarity)) set.add(i);
        return set;
    }
    Purposes purposes() { return chance_.one_in(3) ? Purposes::full() : some<Purposes>(words_->source().purposes.size(), 2); }
    Retention retention() {
        switch (chance_.below(5)) {
            case 0: return Retention::none();
            case 1: return Retention::session();
            case 2: return Retention::contract();
            default: return Retention::days(static_cast<std::uint32_t>(1 + chance_.below(40)));
        }
    }
    Learning learning() { return static_cast<Learning>(chance_.below(4)); }
    Integrity integrity() { return static_cast<Integrity>(chance_.below(3)); }

    Terms terms() {
        if (chance_.one_in(20)) return {};
        return {.readers = readers(),
                .place = place(),
                .control = place(),
                .handling = some<Handling>(words_->source().handling.size(), 12),
                .content = some<Contents>(words_->source().contents.size(), 5),
                .purpose = purposes(),
                .retention = retention(),
                .learning = learning(),
                .accepts = some<Transformations>(transformation_count, 2)};
    }
    // About every other term left open, so that few reasons stand in the way at once.
    Terms mild_terms() {
        Terms drawn = terms(), open;
        if (chance_.one_in(3)) open.readers = drawn.readers;
        if (chance_.one_in(3)) open.place = drawn.place;
        if (chance_.one_in(4)) open.control = drawn.control;
        if (chance_.one_in(4)) open.handling = drawn.handling;
        if (chance_.one_in(2)) open.content = drawn.content;
        if (chance_.one_in(3)) open.purpose = drawn.purpose;
        if (chance_.one_in(4)) open.retention = drawn.retention;
        if (chance_.one_in(4)) open.learning = drawn.learning;
        open.accepts = drawn.accepts;
        return open;
    }
    Label label() {
        if (chance_.one_in(50)) return Label::top();
        std::vector<Label::Owned> owners;
        const bool mild = !chance_.one_in(3);
        for (std::size_t count = chance_.below(4); count > 0; --count)
            owners.push_back({members_[chance_.below(members_.size())], mild ? mild_terms() : terms()});
        return Label::of(std::move(owners), integrity());
    }
    Clearance clearance(std::string name) {
        if (chance_.one_in(50)) return Clearance::none(std::move(name));
        ClearanceTerms terms{.name = std::move(name)};
        terms.receivers = chance_.one_in(3) ? *words_->readers("acme/anna") : chance_.one_in(2) ? *words_->readers("acme") : readers();
        terms.place = chance_.one_in(2) ? places_[10 + chance_.below(2)] : place();
        terms.control = chance_.one_in(2) ? places_[9] : place();
        for (std::size_t i = 0; i < words_->source().handling.size(); ++i)
            if (!chance_.one_in(3)) terms.releases.push_back({static_cast<HandlingWord>(i), now + (chance_.one_in(4) ? -1 : 0) * 1000 + static_cast<std::int64_t>(chance_.below(3)) - 1});
        terms.contents = some<Contents>(words_->source().contents.size(), 2);
        if (chance_.one_in(3)) terms.contents.add(bit(pseudonymous));
        terms.retention = chance_.one_in(2) ? Retention::none() : retention();
        terms.learning = chance_.one_in(2) ? Learning::no : learning();
        terms.acts_on = integrity();
        return Clearance(std::move(terms));
    }
    Use use() {
        return {.purpose = static_cast<PurposeWord>(chance_.below(words_->source().purposes.size())),
                .learning = chance_.one_in(2) ? Learning::no : learning(),
                .effect = chance_.one_in(3) ? Effect::acts : Effect::none,
                .now = now};
    }
    static constexpr std::int64_t now = 1'800'000'000;

private:
    Chance chance_;
    std::shared_ptr<const Vocabulary> words_;
    std::vector<Place> places_;
    std::vector<Principal> members_;
};

}  // namespace hanse::label::sample
