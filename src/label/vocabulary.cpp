// SPDX-License-Identifier: Apache-2.0
#include "label/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <set>

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using namespace std::string_view_literals;

// Words that mean something everywhere and can therefore name nothing else.
constexpr std::array reserved{"all"sv, "federation"sv, "nobody"sv, "none"sv, "nowhere"sv, "world"sv, "house"sv, "top"sv, "public"sv, "owner"sv, "integrity"sv};
constexpr std::size_t name_length_max = 64;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_length_max && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':';
    });
}

Result<void> check_name(std::string_view kind, std::string_view text) {
    if (!is_name(text)) return fail(ErrorKind::invalid, std::format("{} \"{}\" is no name: 1 to 64 letters, digits, . _ - :", kind, text.substr(0, 80)));
    if (std::ranges::contains(reserved, text)) return fail(ErrorKind::invalid, std::format("{} \"{}\" has a name that is reserved", kind, text));
    return {};
}

template <typename Word>
std::optional<Word> find(const std::vector<std::string>& words, std::string_view word) {
    const auto found = std::ranges::find(words, word);
    if (found == words.end()) return {};
    return static_cast<Word>(found - words.begin());
}

Result<void> check_list(std::string_view kind, const std::vector<std::string>& words, std::size_t most) {
    std::set<std::string_view> seen;
    for (const auto& word : words) {
        if (auto good = check_name(kind, word); !good) return good;
        if (!seen.insert(word).second) return fail(ErrorKind::invalid, std::format("{} \"{}\" is there twice", kind, word));
    }
    if (words.size() > most) return fail(ErrorKind::invalid, std::format("{} words of kind {} are more than the {} there may be", words.size(), kind, most));
    return {};
}

}  // namespace

Result<std::shared_ptr<const Vocabulary>> Vocabulary::create(VocabularySource source) {
    std::shared_ptr<Vocabulary> made(new Vocabulary);
    made->source_ = std::move(source);
    if (auto good = made->check_words(); !good) return std::unexpected(good.error());
    if (auto good = made->add_regions(); !good) return std::unexpected(good.error());
    if (auto good = made->add_members(); !good) return std::unexpected(good.error());
    if (auto good = made->add_groups(); !good) return std::unexpected(good.error());
    return made;
}

Result<void> Vocabulary::check_words() const {
    if (auto good = check_list("handling", source_.handling, Handling::capacity); !good) return good;
    if (auto good = check_list("content", source_.contents, Contents::capacity); !good) return good;
    // The last bit stands for purposes that do not exist yet, so that "all" holds them too.
    if (auto good = check_list("purpose", source_.purposes, Purposes::capacity - 1); !good) return good;
    constexpr std::array known{"personal"sv, "pseudonymous"sv, "special-category"sv, "trade-secret"sv, "credentials"sv, "copyrighted"sv};
    if (source_.contents.size() < known.size() || !std::equal(known.begin(), known.end(), source_.contents.begin()))
        return fail(ErrorKind::invalid, "the contents of a vocabulary begin with personal, pseudonymous, special-category, trade-secret, credentials, copyrighted");
    return {};
}

Result<void> Vocabulary::add_place(const std::string& name, Place parent) {
    if (places_.contains(name)) return fail(ErrorKind::invalid, std::format("place \"{}\" is there twice", name));
    if (parent.depth() >= Place::levels_max) return fail(ErrorKind::invalid, std::format("place \"{}\" lies deeper than {} levels", name, Place::levels_max));
    const unsigned number = ++children_[parent];
    if (number > Place::children_max) return fail(ErrorKind::invalid, std::format("place \"{}\" is one too many: a place holds {} others", name, Place::children_max));
    const Place place = parent.child(number);
    places_.emplace(name, place);
    place_words_.emplace(place, name);
    return {};
}

Result<void> Vocabulary::add_regions() {
    for (const auto& [word, place] : {std::pair{"world", Place::world()}, {"nowhere", Place::nowhere()}}) {
        places_.emplace(word, place);
        place_words_.emplace(place, word);
    }
    for (const auto& region : source_.regions) {
        if (auto good = check_name("place", region.name); !good) return good;
        if (region.name.contains(':')) return fail(ErrorKind::invalid, std::format("place \"{}\" has a colon, which names of houses alone have", region.name));
        const auto parent = places_.find(region.parent);
        if (parent == places_.end() || region.parent == "nowhere")
            return fail(ErrorKind::invalid, std::format("place \"{}\" lies in the unknown place \"{}\"", region.name, region.parent));
        if (auto good = add_place(region.name, parent->second); !good) return good;
    }
    return {};
}

Result<void> Vocabulary::add_house(const VocabularySource::Member& member) {
    if (member.house_in.empty()) {
        if (member.sites.empty()) return {};
        return fail(ErrorKind::invalid, std::format("member \"{}\" has sites but no house", member.name));
    }
    const auto region = places_.find(member.house_in);
    if (region == places_.end() || member.house_in == "nowhere")
        return fail(ErrorKind::invalid, std::format("the house of \"{}\" lies in the unknown place \"{}\"", member.name, member.house_in));
    const std::string house = std::format("house:{}", member.name);
    if (auto good = add_place(house, region->second); !good) return good;
    for (const auto& site : member.sites) {
        const auto slash = site.rfind('/');
        const std::string parent = slash == std::string::npos ? house : std::format("{}/{}", house, site.substr(0, slash));
        if (auto good = check_name("site", slash == std::string::npos ? site : site.substr(slash + 1)); !good) return good;
        const auto outer = places_.find(parent);
        if (outer == places_.end()) return fail(ErrorKind::invalid, std::format("site \"{}\" of \"{}\" lies in a site that is unknown", site, member.name));
        if (auto good = add_place(std::format("{}/{}", house, site), outer->second); !good) return good;
    }
    return {};
}

Result<void> Vocabulary::add_members() {
    const auto add = [&](std::string name, std::optional<Principal> member) -> Result<Principal> {
        if (principals_.size() == Readers::capacity)
            return fail(ErrorKind::invalid, std::format("\"{}\" is one too many: {} members and people can be named", name, Readers::capacity - 2));
        const Principal id{static_cast<std::uint16_t>(principals_.size())};
        if (!principal_ids_.emplace(name, id).second) return fail(ErrorKind::invalid, std::format("member or person \"{}\" is there twice", name));
        principals_.push_back({std::move(name), member.value_or(id)});
        with_people_.push_back(Readers::of(bit(id)));
        return id;
    };
    // These two have no name that anybody could write.
    principals_ = {{"(stranger)", stranger}, {"(newcomer)", newcomer}};
    with_people_ = {Readers::of(bit(stranger)), Readers::of(bit(newcomer))};
    for (const auto& member : source_.members) {
        if (auto good = check_name("member", member.name); !good) return good;
        const auto id = add(member.name, {});
        if (!id) return std::unexpected(id.error());
        for (const auto& person : member.people) {
            if (auto good = check_name("person", person); !good) return good;
            const auto known = add(std::format("{}/{}", member.name, person), *id);
            if (!known) return std::unexpected(known.error());
            with_people_[bit(*id)].add(bit(*known));
        }
        if (auto good = add_house(member); !good) return good;
    }
    return {};
}

Result<Readers> Vocabulary::expand(std::size_t index, std::vector<int>& state) {
    const auto& group = source_.groups[index];
    if (state[index] == 2) return groups_.find(group.name)->second;
    if (state[index] == 1) return fail(ErrorKind::invalid, std::format("group \"{}\" is a member of itself", group.name));
    state[index] = 1;
    Readers all;
    for (const auto& word : group.members) {
        if (const auto found = principal_ids_.find(word); found != principal_ids_.end()) {
            all = all | with_people_[bit(found->second)];
            continue;
        }
        const auto inner = std::ranges::find(source_.groups, word, &VocabularySource::Group::name);
        if (inner == source_.groups.end()) return fail(ErrorKind::invalid, std::format("group \"{}\" names \"{}\", which is unknown", group.name, word));
        const auto readers = expand(static_cast<std::size_t>(inner - source_.groups.begin()), state);
        if (!readers) return readers;
        all = all | *readers;
    }
    state[index] = 2;
    groups_.emplace(group.name, all);
    return all;
}

Result<void> Vocabulary::add_groups() {
    std::set<std::string_view> seen;
    for (const auto& group : source_.groups) {
        if (auto good = check_name("group", group.name); !good) return good;
        if (principal_ids_.contains(group.name) || !seen.insert(group.name).second)
            return fail(ErrorKind::invalid, std::format("group \"{}\" has a name that is taken", group.name));
    }
    std::vector<int> state(source_.groups.size());
    for (std::size_t i = 0; i < source_.groups.size(); ++i)
        if (const auto readers = expand(i, state); !readers) return std::unexpected(readers.error());
    return {};
}

std::optional<Principal> Vocabulary::principal(std::string_view name) const {
    const auto found = principal_ids_.find(name);
    if (found == principal_ids_.end()) return {};
    return found->second;
}

std::optional<Principal> Vocabulary::member(std::string_view name) const {
    const auto found = principal(name);
    return found && is_member(*found) ? found : std::nullopt;
}

bool Vocabulary::is_member(Principal principal) const {
    return bit(principal) < principals_.size() && principal > newcomer && principals_[bit(principal)].member == principal;
}

std::optional<Readers> Vocabulary::readers(std::string_view word) const {
    if (word == "all") return Readers::full();
    if (word == "federation") return Readers::full() - Readers::of(bit(stranger));
    if (word == "nobody") return Readers{};
    if (const auto found = principal(word)) return with_people_[bit(*found)];
    if (const auto found = groups_.find(word); found != groups_.end()) return found->second;
    return {};
}

std::vector<std::string> Vocabulary::words(const Readers& readers) const {
    if (readers == Readers::full()) return {"all"};
    if (readers.has(bit(newcomer))) return {"federation"};
    std::vector<std::string> names;
    readers.each([&](std::size_t index) {
        if (index < principals_.size() && (principals_[index].member == Principal{static_cast<std::uint16_t>(index)} || !readers.has(bit(principals_[index].member))))
            names.push_back(principals_[index].name);
    });
    if (names.empty()) return {"nobody"};
    std::ranges::sort(names);
    return names;
}

std::optional<Place> Vocabulary::place(std::string_view word, std::optional<Principal> owner) const {
    std::string absolute;
    if (word == "house" || word.starts_with("house/")) {
        if (!owner) return {};
        absolute = std::format("house:{}{}", name(*owner), word.substr(5));
        word = absolute;
    }
    const auto found = places_.find(word);
    if (found == places_.end()) return {};
    return found->second;
}

std::string Vocabulary::word(Place place, std::optional<Principal> owner) const {
    const std::string& word = place_words_.find(place)->second;
    if (!owner) return word;
    const std::string house = std::format("house:{}", name(*owner));
    if (word == house || word.starts_with(house + "/")) return "house" + word.substr(house.size());
    return word;
}

std::optional<HandlingWord> Vocabulary::handling(std::string_view word) const { return find<HandlingWord>(source_.handling, word); }
std::optional<ContentWord> Vocabulary::content(std::string_view word) const { return find<ContentWord>(source_.contents, word); }
std::optional<PurposeWord> Vocabulary::purpose(std::string_view word) const { return find<PurposeWord>(source_.purposes, word); }

}  // namespace hanse::label
