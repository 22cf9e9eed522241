// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>
#include <set>

#include "federation/charter.hpp"

namespace hanse::federation {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

struct Asking {
    ChangeNeeds needs;
    void old_key(const std::string& member, std::string why) {
        if (!std::ranges::contains(needs.by_old_key, member)) needs.by_old_key.push_back(member);
        needs.why.push_back(std::move(why));
    }
    void new_key(const std::string& member, std::string why) {
        if (!std::ranges::contains(needs.by_new_key, member)) needs.by_new_key.push_back(member);
        needs.why.push_back(std::move(why));
    }
    // Every member that was there and stays, but the one that it is about.
    void everybody(const Charter& before, const Charter& after, const std::string& why, std::string_view but = {}) {
        for (const auto& member : before.members)
            if (member.standing == Standing::active && member.name != but && after.member(member.name)) old_key(member.name, why);
    }
};

// All that a member says about itself.
bool same_statement(CharterMember a, const CharterMember& b) {
    a.standing = b.standing;
    return a == b;
}

void ask_for_member(Asking& asking, const Charter& before, const Charter& after, const CharterMember& now) {
    const CharterMember* then = before.member(now.name);
    if (!then) {
        const auto former = std::ranges::find(before.former, now.name, &FormerMember::name);
        asking.new_key(now.name, std::format("{} joins", now.name));
        if (former != before.former.end() && former->fingerprint != now.identity().fingerprint())
            asking.everybody(before, after, std::format("the name {} was another's: labels still name it", now.name));
        return;
    }
    if (then->keys != now.keys) {
        asking.old_key(now.name, std::format("{} changes its keys", now.name));
        asking.new_key(now.name, std::format("{} shows that it holds the new keys", now.name));
    } else if (!same_statement(*then, now)) {
        asking.old_key(now.name, std::format("{} alone speaks for itself", now.name));
    }
}

// Names, so that sets of two vocabularies can be compared.
std::set<std::string> reader_names(const label::Vocabulary& words, std::string_view group) {
    std::set<std::string> names;
    if (const auto readers = words.readers(group))
        readers->each([&](std::size_t i) {
            if (i < words.principal_count()) names.emplace(words.name(static_cast<label::Principal>(i)));
        });
    return names;
}

void ask_for_regions(Asking& asking, const CharterDocument& before, const CharterDocument& after) {
    for (const auto& region : after.charter().regions) {
        const auto then = before.words()->place(region.name);
        if (!then) continue;
        const auto moved = std::ranges::find_if(before.charter().regions, [&](const auto& outer) {
            const auto now = after.words()->place(outer.name);
            return now && after.words()->place(region.name)->inside(*now) && !then->inside(*before.words()->place(outer.name));
        });
        if (moved != before.charter().regions.end())
            asking.everybody(before.charter(), after.charter(),
                             std::format("{} comes to lie in {}, and what may go there is loosened", region.name, moved->name));
    }
}

void ask_for_words(Asking& asking, const CharterDocument& before, const CharterDocument& after) {
    const Charter& now = after.charter();
    for (const auto& group : before.charter().groups) {
        if (!std::ranges::contains(now.groups, group.name, &label::VocabularySource::Group::name)) continue;
        const auto then_names = reader_names(*before.words(), group.name);
        if (!std::ranges::includes(then_names, reader_names(*after.words(), group.name)))
            asking.everybody(before.charter(), now, std::format("group {} grows, and what names it is loosened", group.name));
    }
    // A region that moves inward brings data to places where its label did not let it go. Houses move with their members.
    const auto same = [](const auto& a, const auto& b) { return a.name == b.name && a.parent == b.parent; };
    if (!std::ranges::equal(before.charter().regions, now.regions, same)) ask_for_regions(asking, before, after);
    for (const auto& handling : before.charter().handling) {
        const auto found = std::ranges::find(now.handling, handling.name, &CharterHandling::name);
        if (found == now.handling.end() || std::ranges::includes(handling.granters, found->granters)) continue;
        const std::string why = std::format("another one may grant {}", handling.name);
        if (handling.granters.empty()) asking.everybody(before.charter(), now, why);
        for (const auto& granter : handling.granters)
            if (before.charter().active(granter) && now.member(granter)) asking.old_key(granter, why);
    }
}

}  // namespace

Result<ChangeNeeds> needs_of(const CharterDocument& before_document, const CharterDocument& after_document) {
    const Charter& before = before_document.charter();
    const Charter& after = after_document.charter();
    if (after.version != before.version + 1 || after.previous != before_document.digest())
        return fail(ErrorKind::invalid, std::format("version {} does not follow this version {}", after.version, before.version));
    if (after.federation != before.federation) return fail(ErrorKind::invalid, "a federation keeps its name");
    if (after.issued < before.issued) return fail(ErrorKind::invalid, "a version is not issued before the one that it follows");
    Asking asking;
    asking.needs.quorum = before.quorum;
    for (const auto& former : before.former)
        if (!after.member(former.name) && !std::ranges::contains(after.former, former))
            return fail(ErrorKind::invalid, std::format("former member {} is left out of the list", former.name));
    for (const auto& member : before.members)
        if (!after.member(member.name) && !std::ranges::contains(after.former, FormerMember{member.name, member.identity().fingerprint()}))
            return fail(ErrorKind::invalid, std::format("{} is removed and does not stand among the former members", member.name));
    for (const auto& former : after.former)
        if (!std::ranges::contains(before.former, former) && !before.member(former.name))
            return fail(ErrorKind::invalid, std::format("{} was never a member", former.name));
    for (const auto& member : after.members) ask_for_member(asking, before, after, member);
    ask_for_words(asking, before_document, after_document);
    return std::move(asking.needs);
}

}  // namespace hanse::federation
