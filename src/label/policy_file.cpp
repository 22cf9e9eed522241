// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <format>
#include <functional>
#include <set>

#include "base/config.hpp"
#include "label/policy.hpp"
#include "label/preset.hpp"
#include "label/prove.hpp"
#include "term_words.hpp"

namespace hanse::label {
namespace {

using base::ConfigTable;
using base::Result;
using Words = std::vector<std::string>;

VocabularySource::Member read_member(ConfigTable& table) {
    VocabularySource::Member member;
    table.text("name", member.name);
    table.text("in", member.house_in);
    table.texts("sites", member.sites);
    table.texts("people", member.people);
    return member;
}

// A list of words, each of which `take` must know; an empty list says nothing and is refused.
void read_words(ConfigTable& table, std::string_view key, bool empty_is_fine, const std::function<bool(std::string_view)>& take) {
    Words list;
    const bool there = table.has(key);
    table.texts(key, list);
    if (!there) return;
    if (list.empty() && !empty_is_fine) return table.problem(key, "is an empty list");
    std::set<std::string_view> seen;
    for (const auto& word : list) {
        if (!take(word)) table.problem(key, words::unknown("", word).substr(1));
        else if (!seen.insert(word).second) table.problem(key, std::format("has \"{}\" twice", word));
    }
}

template <typename Value, typename Find>
void read_word(ConfigTable& table, std::string_view key, Value& out, Find find) {
    std::string word;
    const bool there = table.has(key);
    table.text(key, word);
    if (!there) return;
    const std::optional<Value> found = find(word);
    if (found) out = *found;
    else table.problem(key, words::unknown("", word).substr(1));
}

void read_readers(ConfigTable& table, std::string_view key, const Vocabulary& words, Readers& out) {
    if (!table.has(key)) return read_words(table, key, false, [](std::string_view) { return true; });
    out = {};
    read_words(table, key, false, [&](std::string_view word) {
        const auto readers = words.readers(word);
        if (readers) out = out | *readers;
        return readers.has_value() && word != "nobody";
    });
}

template <typename Set, typename Find>
void read_set(ConfigTable& table, std::string_view key, Set& out, Find find) {
    if (table.has(key)) out = {};
    read_words(table, key, true, [&](std::string_view word) {
        const auto found = find(word);
        if (found) out.add(bit(*found));
        return found.has_value();
    });
}

}  // namespace

// The reading of one file, table by table in the order in which each needs the one before.
struct PolicyFile {
    const FederationTerms& federation;
    std::shared_ptr<Policy> policy{new Policy};
    VocabularySource source = federation.words;
    std::vector<std::pair<std::string, Clearance>> declared = {};
    std::vector<std::pair<std::string, std::string>> proofs = {};  // name of the proof, sentence if it does not hold
    bool no_words = false;

    const Vocabulary& words() const { return *policy->words_; }

    void read(ConfigTable& root) {
        std::int64_t version = 0;
        root.integer("version", version, 1, 1);
        if (version == 0) root.problem("version", "is missing; this form is version 1");
        read_vocabulary(root);
        std::string standard = "internal";
        root.text("standard", standard);
        // Without words nothing else can be judged.
        no_words = policy->words_ == nullptr;
        root.tables("kinds", "name", [&](ConfigTable& table) { read_kind(table); });
        if (!no_words) add_presets();
        root.tables("places", "name", [&](ConfigTable& table) { read_place(table); });
        if (!no_words) add_partners(root);
        root.tables("content", "name", [&](ConfigTable& table) { read_content_rule(table); });
        root.tables("rules", "name", [&](ConfigTable& table) { read_rule(table); });
        if (!no_words) finish_places(root, standard);
        root.tables("proofs", "name", [&](ConfigTable& table) { read_proof(table); });
        root.tables("signers", "person", [&](ConfigTable& table) { read_signer(table); });
        if (!no_words) add_foreign_signers(root);
    }

    // A member of the federation keeps what the charter says of it; its own file may know more of its people and sites.
    void add_house(ConfigTable& table, VocabularySource::Member house) {
        if (federation.words.members.empty()) {
            if (house.house_in.empty()) table.problem("in", "is missing: the smallest region that holds all sites, such as \"DE\"");
            source.members.push_back(std::move(house));
            return;
        }
        const auto known = std::ranges::find(source.members, house.name, &VocabularySource::Member::name);
        if (known == source.members.end())
            return table.problem("name", std::format("is \"{}\", which is no member of the federation", house.name));
        if (!house.house_in.empty() && house.house_in != known->house_in)
            table.problem("in", std::format("is {}, and the federation's charter says {}", house.house_in, known->house_in));
        const auto add = [](Words& to, const Words& more) {
            for (const auto& word : more)
                if (!std::ranges::contains(to, word)) to.push_back(word);
        };
        add(known->sites, house.sites);
        add(known->people, house.people);
    }

    void read_vocabulary(ConfigTable& root) {
        std::string house;
        root.table("house", [&](ConfigTable& table) {
            auto member = read_member(table);
            house = member.name;
            add_house(table, std::move(member));
        });
        if (house.empty()) root.problem("house", "is missing, with the name of the organisation whose policy this is");
        root.tables("members", "name", [&](ConfigTable& table) {
            auto member = read_member(table);
            const auto known = std::ranges::find(federation.words.members, member.name, &VocabularySource::Member::name);
            // A policy from before the charter may say the same once more.
            if (known == federation.words.members.end()) source.members.push_back(std::move(member));
            else if (member.house_in != known->house_in || !member.people.empty() || !member.sites.empty())
                table.problem("name", std::format("is a member by the federation's charter, which alone says what it is (in {})", known->house_in));
        });
        root.tables("groups", "name", [&](ConfigTable& table) {
            auto& group = source.groups.emplace_back();
            table.text("name", group.name);
            table.texts("members", group.members);
            if (group.members.empty()) table.problem("members", "is empty; a group of nobody says nothing");
        });
        root.table("words", [&](ConfigTable& table) {
            for (const auto& [key, list] :
                 {std::pair{"handling", &source.handling}, {"contents", &source.contents}, {"purposes", &source.purposes}}) {
                Words more;
                table.texts(key, more);
                list->insert(list->end(), more.begin(), more.end());
            }
            std::vector<std::pair<std::string, std::string>> regions;
            table.map("places", regions);
            for (auto& [name, parent] : regions) source.regions.push_back({name, parent});
        });
        if (house.empty()) return;
        auto made = Vocabulary::create(source);
        if (!made) return root.problem("house", std::format("and the words of this file: {}", made.error().message));
        const auto own = (*made)->member(house);
        if (!own) return;  // told above
        policy->words_ = *made;
        policy->house_ = *own;
    }

    // Every preset that needs no further word is a kind, unless the file has one of that name.
    void add_presets() {
        for (const Preset preset : {Preset::open, Preset::internal, Preset::personal, Preset::trade_secret}) {
            if (policy->kind(name(preset)) != nullptr) continue;
            const auto terms = preset_terms(preset, {.owner = policy->house_}, words());
            if (terms) policy->kinds_.push_back({std::string(name(preset)), Label::of(policy->house_, *terms, Integrity::own)});
        }
    }

    void read_kind(ConfigTable& table) {
        std::string name, preset_word = "internal", agreement;
        table.text("name", name);
        // A label is written as names of kinds joined by "+", or with its terms, which have "=".
        if (name == "top" || name.find_first_of("+= ") != std::string::npos)
            table.problem("name", "must not be \"top\" nor hold a blank, \"+\" or \"=\"");
        table.text("preset", preset_word);
        table.text("agreement", agreement);
        if (no_words) return table.leave();
        const auto preset = preset_named(preset_word);
        if (!preset) return table.problem("preset", words::unknown("", preset_word).substr(1));
        PresetParts parts{.owner = policy->house_};
        Readers readers;
        read_readers(table, "readers", words(), readers);
        if (!readers.empty()) parts.readers = readers;
        if (!agreement.empty()) {
            parts.agreement = words().handling(agreement);
            if (!parts.agreement) table.problem("agreement", words::unknown("", agreement).substr(1));
            else if (*preset != Preset::partner) table.problem("agreement", "belongs to the preset \"partner\" alone");
        }
        auto terms = preset_terms(*preset, parts, words());
        if (!terms) return table.problem("preset", "cannot be used: " + terms.error().message);
        if (parts.readers) terms->readers = *preset == Preset::partner ? terms->readers : readers;
        const auto place = [&](std::string_view word) { return words().place(word, policy->house_); };
        read_word(table, "place", terms->place, place);
        read_word(table, "control", terms->control, place);
        read_set(table, "handling", terms->handling, [&](std::string_view word) { return words().handling(word); });
        read_set(table, "content", terms->content, [&](std::string_view word) { return words().content(word); });
        Words purposes;
        if (table.has("purpose")) {
            terms->purpose = {};
            read_words(table, "purpose", false, [&](std::string_view word) {
                const auto found = words().purpose(word);
                if (word == "all") terms->purpose = Purposes::full();
                else if (found) terms->purpose.add(bit(*found));
                return found || word == "all";
            });
        } else {
            table.texts("purpose", purposes);
        }
        read_word(table, "keep", terms->retention, [](std::string_view word) { return retention_named(word); });
        read_word(table, "learn", terms->learning, [](std::string_view word) { return learning_named(word); });
        // What the preset accepts is meant for data that is not personal.
        if (terms->content.has(bit(personal))) terms->accepts = {};
        read_set(table, "after", terms->accepts, [](std::string_view word) { return transformation_named(word); });
        Integrity integrity = Integrity::own;
        read_word(table, "integrity", integrity, [](std::string_view word) { return integrity_named(word); });
        check_kind(table, *terms);
        policy->kinds_.push_back({name, Label::of(policy->house_, *terms, integrity)});
    }

    static void check_kind(ConfigTable& table, const Terms& terms) {
        if (terms.place == Place::nowhere()) table.problem("place", "is nowhere, so that no place could ever see this");
        if (terms.control == Place::nowhere()) table.problem("control", "is nowhere, so that no place could ever see this");
        if (terms.retention == Retention::none() && terms.learning > Learning::no)
            table.problem("learn", "contradicts keep: what is learned is kept, and this may not be kept");
        if (terms.content.has(bit(special_category)) && !terms.content.has(bit(personal)) && !terms.content.has(bit(pseudonymous)))
            table.problem("content", "contradicts itself: special-category data is personal or pseudonymous too");
    }

    void read_place(ConfigTable& table) {
        ClearanceTerms terms;
        std::string floor = "public";
        Words hands_on;
        auto sort = PlaceSort::backend;
        table.text("name", terms.name);
        if (std::ranges::any_of(terms.name, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
            table.problem("name", "must be one line without tabs");
        if (!table.has("sort")) table.problem("sort", "is missing");
        table.choice<PlaceSort>("sort", sort,
                                {{"model", PlaceSort::model},
                                 {"backend", PlaceSort::backend},
                                 {"peer", PlaceSort::peer},
                                 {"tool", PlaceSort::tool},
                                 {"caller", PlaceSort::caller},
                                 {"store", PlaceSort::store}});
        table.texts("hands_on", hands_on);
        table.text("floor", floor);
        if (no_words) return table.leave();
        read_readers(table, "receivers", words(), terms.receivers);
        const auto place = [&](std::string_view word) { return word == "nowhere" ? std::nullopt : words().place(word, policy->house_); };
        read_word(table, "place", terms.place, place);
        read_word(table, "control", terms.control, place);
        read_words(table, "releases", true, [&](std::string_view word) {
            const auto at = word.find('@');
            const auto known = words().handling(word.substr(0, at));
            const auto until = at == std::string_view::npos ? std::optional(always_valid) : end_of_validity(word.substr(at + 1));
            if (known && until) terms.releases.push_back({*known, *until});
            return known && until;
        });
        read_set(table, "contents", terms.contents, [&](std::string_view word) { return words().content(word); });
        read_word(table, "keep", terms.retention, [](std::string_view word) { return retention_named(word); });
        read_word(table, "learn", terms.learning, [](std::string_view word) { return learning_named(word); });
        read_word(table, "acts_on", terms.acts_on, [](std::string_view word) { return integrity_named(word); });
        if (table.has("keep") && terms.retention == Retention::none() && terms.learning > Learning::no)
            table.problem(table.has("learn") ? "learn" : "keep",
                          "contradict each other: what is learned is kept, and this place says it keeps nothing");
        Label floor_label = Label::bottom();
        if (const auto read = policy->label(floor)) floor_label = *read;
        else table.problem("floor", read.error().message);
        declared.emplace_back(terms.name, Clearance(terms));
        policy->places_.push_back({terms.name, sort, declared.back().second, std::move(floor_label), std::move(hands_on)});
    }

    // What partners declared, made weaker by what the file says of the same place. A word that cannot be read is a mistake
    // of the charter, and nothing may go by half of it.
    void add_partners(ConfigTable& root) {
        for (const auto& partner : federation.partners) {
            const auto clearance = read_clearance(partner.name, partner.clearance, words());
            const auto floor = read_label(partner.floor, words());
            if (!clearance || !floor) {
                root.problem("places", std::format("and the charter's place {}: {}", partner.name,
                                                   clearance ? floor.error().message : clearance.error().message));
                continue;
            }
            const auto known = std::ranges::find(policy->places_, partner.name, &PolicyPlace::name);
            if (known == policy->places_.end()) {
                declared.emplace_back(partner.name, *clearance);
                policy->places_.push_back({partner.name, PlaceSort::peer, *clearance, *floor});
                continue;
            }
            if (known->sort != PlaceSort::peer)
                root.problem("places", std::format("has {}, which is a place of a partner and so of sort \"peer\"", partner.name));
            auto& own = declared[static_cast<std::size_t>(known - policy->places_.begin())].second;
            own = weaker(own, *clearance);
            known->floor = join(known->floor, *floor);
        }
    }

    void read_signer(ConfigTable& table) {
        std::string person, fingerprint;
        table.text("person", person);
        table.text("fingerprint", fingerprint);
        const auto bytes = base::from_hex(fingerprint);
        if (!bytes || bytes->size() != 32 || fingerprint != base::hex(*bytes))
            table.problem("fingerprint", "must be the 64 hexadecimal digits that \"hanse policy signer\" prints");
        if (no_words) return;
        auto known = words().principal(std::format("{}/{}", words().name(policy->house_), person));
        if (!known) known = words().principal(person);
        if (!known || bit(*known) <= bit(newcomer)) return table.problem("person", words::unknown("", person).substr(1));
        if (words().member_of(*known) != policy->house_)
            return table.problem("person", "is not of this house; who signs for other members is for the charter to say");
        // Two names with one key would be one person signing twice.
        if (std::ranges::contains(policy->signers_, fingerprint, &Signer::fingerprint))
            return table.problem("fingerprint", "is that of another signer too");
        policy->signers_.push_back({*known, fingerprint});
    }

    void add_foreign_signers(ConfigTable& root) {
        for (const auto& [name, fingerprint] : federation.signers) {
            const auto known = words().principal(name);
            if (known && bit(*known) > bit(newcomer)) policy->signers_.push_back({*known, fingerprint});
            else root.problem("signers", std::format("and those of the charter: {} is no member nor a person of one", name));
        }
    }

    void read_content_rule(ConfigTable& table) {
        ContentRule rule{.label = Label::bottom()};
        std::string kind_name;
        table.text("name", rule.name);
        table.text("kind", kind_name);
        read_words(table, "finds", false, [&](std::string_view word) {
            rule.finds.emplace_back(word);
            return std::ranges::contains(finding_words(), word);
        });
        if (rule.finds.empty() && !table.has("finds")) table.problem("finds", "is missing: what makes a text one of this kind");
        if (no_words) return;
        const Kind* kind = policy->kind(kind_name);
        if (kind == nullptr) return table.problem("kind", words::unknown("", kind_name).substr(1));
        if (kind->label.is_public())
            table.problem("kind", std::format("is \"{}\", which restricts nothing, so that the rule would do nothing", kind_name));
        rule.label = kind->label;
        policy->content_rules_.push_back(std::move(rule));
    }

    void read_rule(ConfigTable& table) {
        std::string name;
        Bar contents;
        std::vector<Bar> bars;
        std::vector<std::size_t> places;
        table.text("name", name);
        if (no_words) return table.leave();
        read_words(table, "kinds", false, [&](std::string_view word) {
            const Kind* kind = policy->kind(word);
            if (kind == nullptr) return false;
            if (kind->label.is_public())
                table.problem("kinds", std::format("names \"{}\", which restricts nothing, so that the rule would stop everything", word));
            bars.push_back({.kind = kind->label});
            // Pseudonymising is no way around a rule.
            if (const Label changed = after(kind->label, Transformation::pseudonymise); changed != kind->label)
                bars.push_back({.kind = changed});
            return true;
        });
        read_set(table, "contents", contents.contents, [&](std::string_view word) { return words().content(word); });
        if (!contents.contents.empty()) bars.push_back(contents);
        read_words(table, "places", false, [&](std::string_view word) {
            const PolicyPlace* place = policy->place(word);
            if (place != nullptr) places.push_back(static_cast<std::size_t>(place - policy->places_.data()));
            return place != nullptr;
        });
        if (bars.empty()) table.problem("name", "is an empty rule: it names neither kinds nor contents");
        if (places.empty()) table.problem("name", "is an empty rule: it names no places");
        for (const std::size_t index : places) {
            ClearanceTerms terms = declared[index].second.terms();
            terms.bars.insert(terms.bars.end(), bars.begin(), bars.end());
            declared[index].second = Clearance(std::move(terms));
        }
    }

    // Each place with all to which it hands on, however far.
    void finish_places(ConfigTable& root, const std::string& standard) {
        if (standard != "top") {
            const Kind* found = policy->kind(standard);
            if (found != nullptr) policy->standard_ = *found;
            else root.problem("standard", words::unknown("", standard).substr(1));
        }
        for (auto& place : policy->places_) {
            Words open{place.name};
            std::set<std::string> seen{place.name};
            Clearance all = Clearance::none(place.name);
            for (bool first = true; !open.empty(); first = false) {
                const std::string here = std::move(open.back());
                open.pop_back();
                const auto at = std::ranges::find(policy->places_, here, &PolicyPlace::name);
                if (at == policy->places_.end()) {
                    root.problem("places", std::format("has {}, which hands on to \"{}\", a place that is not declared", place.name, here));
                    break;
                }
                const Clearance& own = declared[static_cast<std::size_t>(at - policy->places_.begin())].second;
                all = first ? own : weaker(all, own);
                for (const auto& next : at->hands_on)
                    if (seen.insert(next).second) open.push_back(next);
            }
            place.clearance = all;
        }
    }

    void read_proof(ConfigTable& table) {
        std::string name, kind_name, place_name;
        table.text("name", name);
        table.text("kind", kind_name);
        table.text("never_reaches", place_name);
        if (no_words) return table.leave();
        const Kind* kind = policy->kind(kind_name);
        if (kind == nullptr) return table.problem("kind", words::unknown("", kind_name).substr(1));
        if (policy->place(place_name) == nullptr) return table.problem("never_reaches", words::unknown("", place_name).substr(1));
        const Proof proof = prove(*policy, *kind, place_name);
        if (!proof.holds()) table.problem("never_reaches", "contradicts the rest of the file; " + text(proof, kind_name, place_name));
    }
};

std::span<const std::string_view> finding_words() {
    static constexpr std::array<std::string_view, 21> words{"iban",    "tax-id",     "tax-number", "social-insurance", "health-insurance",
                                                            "id-card", "passport",   "vat-id",     "number-plate",     "card",
                                                            "phone",   "email",      "ip",         "secret-url",       "birth-date",
                                                            "address", "credential", "person",     "organisation",     "project",
                                                            "name"};
    return words;
}

Result<std::shared_ptr<const Policy>> Policy::read(std::string_view text, std::string_view file, const FederationTerms& federation) {
    PolicyFile reading{.federation = federation};
    // Variables of the environment have no say in a policy.
    const base::Environment nothing;
    auto done = base::read_config(text, file, "HANSE_POLICY", nothing, [&](ConfigTable& root) { reading.read(root); });
    if (!done) return std::unexpected(done.error());
    return reading.policy;
}

}  // namespace hanse::label
