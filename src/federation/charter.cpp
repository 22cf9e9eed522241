// SPDX-License-Identifier: Apache-2.0
#include "federation/charter.hpp"

#include <algorithm>
#include <format>
#include <set>

#include "journal/note.hpp"

namespace hanse::federation {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

// Texts stand in lines of words.
bool is_word(std::string_view text, std::size_t most = 256) {
    return !text.empty() && text.size() <= most && std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7f; }) &&
           base::is_valid_utf8(text);
}
bool is_title(std::string_view text) {
    return text.size() <= 200 && base::is_valid_utf8(text) &&
           std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }) &&
           (text.empty() || (text.front() != ' ' && text.back() != ' '));
}

template <typename Items, typename Name>
bool in_order(const Items& items, Name name) {
    return std::ranges::adjacent_find(items, std::ranges::greater_equal{}, name) == std::ranges::end(items);
}

std::unexpected<base::Error> wrong(std::string sentence) { return fail(ErrorKind::invalid, "charter: " + std::move(sentence)); }

Result<void> check_member(const CharterMember& member) {
    if (auto identity = crypto::Identity::from_keys(member.name, member.keys); !identity)
        return wrong(std::format("member {}: {}", member.name, identity.error().message));
    if (!is_title(member.title)) return wrong(std::format("member {}: its title is not one line of at most 200 bytes", member.name));
    if (member.addresses.size() > 16 || member.log_keys.size() > 8 || member.sites.size() > 256 || member.people.size() > 256)
        return wrong(std::format("member {}: more than 16 addresses, 8 log keys, 256 sites or 256 people", member.name));
    for (const auto& address : member.addresses) {
        const auto colon = address.rfind(':');
        if (!is_word(address) || colon == std::string::npos || colon == 0 || colon + 1 == address.size())
            return wrong(std::format("member {}: \"{}\" is no address HOST:PORT", member.name, address.substr(0, 80)));
    }
    for (const auto& vkey : member.log_keys)
        if (auto verifier = journal::NoteVerifier::from_vkey(vkey); !verifier)
            return wrong(std::format("member {}: a log key is none: {}", member.name, verifier.error().message));
    return {};
}

Result<void> check_amenders(const Charter& charter) {
    if (!in_order(charter.amenders, std::identity{})) return wrong("the amenders are not in order, or one is there twice");
    for (const auto& name : charter.amenders)
        if (!charter.active(name)) return wrong(std::format("{} may amend it and is no active member", name));
    // Two quorums of more than half each share a member, and an honest member signs one successor only.
    if (charter.quorum > charter.amenders.size() || 2 * charter.quorum <= charter.amenders.size())
        return wrong(std::format("{} of {} is no quorum: it takes more than half of those who may amend it", charter.quorum,
                                 charter.amenders.size()));
    return {};
}

Result<void> check(const Charter& charter) {
    const auto named = [](std::string_view text) { return is_word(text, 64); };
    if (!named(charter.federation)) return wrong("the federation's name is 1 to 64 letters without a space");
    if (charter.version == 0 || (charter.version == 1) == charter.previous.has_value())
        return wrong("the first version alone has none before it");
    if (charter.issued < 0 || charter.expires <= charter.issued || charter.expires > 253'402'300'799)
        return wrong("it expires before it begins, or after the year 9999");
    if (charter.members.empty() || charter.members.size() > 256) return wrong("it has 1 to 256 members");
    if (!in_order(charter.members, &CharterMember::name) || !in_order(charter.groups, &label::VocabularySource::Group::name) ||
        !in_order(charter.former, &FormerMember::name) || !in_order(charter.witnesses, &CharterWitness::name))
        return wrong("members, groups, witnesses and former members stand in the order of their names, each once");
    for (const auto& group : charter.groups)
        if (!in_order(group.members, std::identity{}))
            return wrong(std::format("the members of group {} are not in order, or one is there twice", group.name));
    for (const auto& member : charter.members)
        if (auto good = check_member(member); !good) return good;
    if (auto good = check_amenders(charter); !good) return good;
    for (const auto& handling : charter.handling) {
        if (!in_order(handling.granters, std::identity{}))
            return wrong(std::format("those who grant {} are not in order, or one is there twice", handling.name));
        for (const auto& name : handling.granters)
            if (!charter.member(name)) return wrong(std::format("{} grants {} and is no member", name, handling.name));
    }
    for (const auto& witness : charter.witnesses)
        if (!named(witness.name) || !journal::NoteVerifier::from_vkey(witness.vkey))
            return wrong(std::format("witness {} has no verifier key", witness.name));
    for (const auto& former : charter.former)
        if (!named(former.name) || former.fingerprint.size() != 64 || charter.member(former.name))
            return wrong(std::format("former member {} is a member, or has no fingerprint", former.name));
    return {};
}

}  // namespace

crypto::Identity CharterMember::identity() const { return *crypto::Identity::from_keys(name, keys); }

const CharterMember* Charter::member(std::string_view name) const {
    const auto found = std::ranges::lower_bound(members, name, {}, &CharterMember::name);
    return found != members.end() && found->name == name ? &*found : nullptr;
}

const CharterMember* Charter::active(std::string_view name) const {
    const CharterMember* found = member(name);
    return found && found->standing == Standing::active ? found : nullptr;
}

label::VocabularySource Charter::vocabulary() const {
    label::VocabularySource source;
    source.version = version;
    source.dated = base::hex(crypto::sha256(base::bytes_of(text()))).substr(0, 16);
    source.regions = regions;
    source.contents = contents;
    source.purposes = purposes;
    for (const auto& each : handling) source.handling.push_back(each.name);
    for (const auto& each : members) source.members.push_back({each.name, each.house_in, each.sites, each.people});
    source.groups = groups;
    return source;
}

Charter first_charter(std::string federation, CharterMember founder, std::int64_t now, std::int64_t expires) {
    const auto words = label::builtin_words();
    Charter charter{.federation = std::move(federation), .issued = now, .expires = expires, .quorum = 1, .amenders = {founder.name}};
    charter.regions = words.regions;
    charter.contents = words.contents;
    charter.purposes = words.purposes;
    for (const auto& name : words.handling) charter.handling.push_back({name, {}});
    charter.members = {std::move(founder)};
    return charter;
}

Result<CharterDocument> CharterDocument::of(Charter charter) {
    if (auto good = check(charter); !good) return std::unexpected(good.error());
    auto words = label::Vocabulary::create(charter.vocabulary());
    if (!words) return wrong(words.error().message);
    for (const auto& member : charter.members)
        if (!(*words)->place(member.country) || !(*words)->place(member.control))
            return wrong(std::format("member {}: its country or control is no place", member.name));
    std::string text = charter.text();
    if (text.size() > charter_text_max) return fail(ErrorKind::too_large, "a charter's text has at most 1 MiB");
    const Digest digest = crypto::sha256(base::bytes_of(text));
    return CharterDocument(std::make_shared<const Inside>(Inside{std::move(charter), std::move(text), digest, std::move(*words)}));
}

std::string fingerprint_text(const Digest& digest) {
    const std::string digits = base::hex(digest).substr(0, 40);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + digits.substr(i, 4);
    return out;
}

std::string CharterDocument::fingerprint() const { return fingerprint_text(digest()); }

void CharterDocument::sign(const std::string& member, const Sign& sign) {
    Signature made{member, sign(context, base::bytes_of(text()))};
    if (!std::ranges::contains(signatures_, made)) signatures_.push_back(std::move(made));
}

bool CharterDocument::gather(const CharterDocument& other) {
    if (other.digest() != digest()) return false;
    for (const auto& each : other.signatures_)
        if (signatures_.size() < signatures_max && !std::ranges::contains(signatures_, each) &&
            std::ranges::count(signatures_, each.member, &Signature::member) < signatures_of_one_max)
            signatures_.push_back(each);
    return true;
}

}  // namespace hanse::federation
