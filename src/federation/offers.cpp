// SPDX-License-Identifier: Apache-2.0
#include "federation/offers.hpp"

#include <algorithm>
#include <format>

#include "lines.hpp"

namespace hanse::federation {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7f; });
}
bool is_line(std::string_view text) {
    return text.size() <= 4'096 && std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

void put(std::string& out, const Offer& offer) {
    out += std::format("offer {}\n", offer.model);
    for (const auto& skill : offer.skills) out += std::format("skill {}\n", skill);
    for (const auto& language : offer.languages) out += std::format("language {}\n", language);
    if (offer.context != 0) out += std::format("context {}\n", offer.context);
    if (offer.prompt_price != 0 || offer.answer_price != 0) out += std::format("price {} {}\n", offer.prompt_price, offer.answer_price);
    if (!offer.clearance.empty()) out += std::format("clearance {}\n", offer.clearance);
    for (const auto& member : offer.only) out += std::format("only {}\n", member);
}

Result<void> read_line(std::string_view line, OfferList& list) {
    const auto unknown = [&] {
        return fail(ErrorKind::corrupt, std::format("the offers' line \"{}\" is none that is known", line.substr(0, 80)));
    };
    const auto words = words_of(line);
    if (words[0] == "grant" && words.size() == 6 && list.offers.empty()) {
        const auto until = time_of(words[3]);
        if (!until || list.grants.size() == 64) return unknown();
        list.grants.push_back({std::string(words[1]), std::string(words[2]), *until, std::format("{} {}", words[4], words[5])});
        return {};
    }
    if (words[0] == "offer" && words.size() == 2 && is_word(words[1])) {
        if (list.offers.size() == OfferList::offers_max) return fail(ErrorKind::too_large, "a member offers more than 256 models");
        list.offers.push_back({.model = std::string(words[1])});
        return {};
    }
    if (list.offers.empty() || words.size() < 2) return unknown();
    Offer& offer = list.offers.back();
    if (words[0] == "clearance" && is_line(line)) return offer.clearance = line.substr(10), Result<void>{};
    if (words[0] == "price" && words.size() == 3) {
        const auto prompt = number_of<std::uint64_t>(words[1]), answer = number_of<std::uint64_t>(words[2]);
        if (!prompt || !answer) return unknown();
        offer.prompt_price = *prompt;
        offer.answer_price = *answer;
        return {};
    }
    if (words.size() != 2 || !is_word(words[1])) return unknown();
    if (words[0] == "skill") offer.skills.emplace_back(words[1]);
    else if (words[0] == "language") offer.languages.emplace_back(words[1]);
    else if (words[0] == "only") offer.only.emplace_back(words[1]);
    else if (const auto context = number_of<std::uint32_t>(words[1]); words[0] == "context" && context) offer.context = *context;
    else return unknown();
    return {};
}

}  // namespace

std::string Grant::message(const Digest& federation, std::string_view holder) const {
    return std::format("hanse-grant v1\nfederation {}\nhandling {}\nholder {}\nuntil {}\n", base::hex(federation), handling, holder,
                       time_text(until));
}

std::string OfferList::text() const {
    std::string out = std::format("hanse-offers v1\nmember {}\nnode {}\nsequence {}\nissued {}\nexpires {}\n", member, node, sequence,
                                  time_text(issued), time_text(expires));
    for (const auto& grant : grants)
        out += std::format("grant {} {} {} {}\n", grant.handling, grant.granter, time_text(grant.until), grant.signature);
    for (const auto& offer : offers) put(out, offer);
    return out;
}

std::string OfferList::signed_text(const Sign& sign) const {
    const std::string body = text();
    return body + "signature " + sign(context, base::bytes_of(body)).text() + "\n";
}

Result<SignedOffers> SignedOffers::parse(std::string_view document) {
    if (document.size() > OfferList::text_max) return fail(ErrorKind::too_large, "a list of offers has at most 128 KiB");
    const auto begin = document.rfind("\nsignature ");
    if (begin == document.npos) return fail(ErrorKind::corrupt, "a list of offers ends with its signature");
    const std::string_view text = document.substr(0, begin + 1);
    Lines lines(text);
    OfferList list;
    if (lines.next() != "hanse-offers v1") return fail(ErrorKind::corrupt, "this is no list of offers of version 1");
    list.member = lines.after("member ");
    list.node = lines.after("node ");
    const auto sequence = number_of<std::uint64_t>(lines.after("sequence "));
    const auto issued = time_of(lines.after("issued "));
    const auto expires = time_of(lines.after("expires "));
    if (!is_word(list.member) || !is_word(list.node) || !sequence || !issued || !expires)
        return fail(ErrorKind::corrupt, "the head of a list of offers cannot be read");
    list.sequence = *sequence;
    list.issued = *issued;
    list.expires = *expires;
    while (!lines.at_end())
        if (auto good = read_line(lines.next(), list); !good) return std::unexpected(good.error());
    Lines last(document.substr(text.size()));
    auto signature = crypto::HybridSignature::parse(last.after("signature "));
    if (!signature) return std::unexpected(signature.error());
    if (list.text() != text || std::format("{}signature {}\n", text, signature->text()) != document)
        return fail(ErrorKind::corrupt, "a list of offers is not written in its one form");
    return SignedOffers{std::move(list), std::string(document), std::move(*signature)};
}

label::Clearance believed_clearance(const CharterDocument& charter, const Digest& federation, const OfferList& list, const Offer& offer,
                                    const label::Clearance& policy, const Verify& verify, std::int64_t now) {
    const auto& words = *charter.words();
    const CharterMember* member = charter.charter().active(list.member);
    auto claimed = label::read_clearance(list.member, offer.clearance, words);
    if (!member || !claimed) return label::Clearance::none(list.member);
    label::ClearanceTerms terms = claimed->terms();
    terms.receivers = terms.receivers | *words.readers(list.member);
    terms.control = terms.control.around(*words.place(member->control));
    std::erase_if(terms.releases, [&](label::Release& release) {
        const std::string_view handling = words.word(release.word);
        const auto granted = std::ranges::find_if(list.grants, [&](const Grant& grant) {
            const auto& rule = std::ranges::find(charter.charter().handling, handling, &CharterHandling::name);
            const CharterMember* granter = charter.charter().active(grant.granter);
            if (grant.handling != handling || now >= grant.until || !granter || !std::ranges::contains(rule->granters, grant.granter))
                return false;
            const auto signature = crypto::HybridSignature::parse(grant.signature);
            return signature &&
                   verify(granter->identity(), Grant::context, base::bytes_of(grant.message(federation, list.member)), *signature);
        });
        if (granted == list.grants.end()) return true;
        release.valid_until = std::min(release.valid_until, granted->until);
        return false;
    });
    return label::weaker(label::Clearance(std::move(terms)), policy);
}

OfferMirror::News OfferMirror::take(std::string_view document, const Charter& charter, std::int64_t now) {
    auto offers = SignedOffers::parse(document);
    if (!offers) return News::refused;
    const OfferList& list = offers->list;
    const CharterMember* member = charter.active(list.member);
    if (!member) return News::stranger;
    if (list.expires + clock_leeway <= now || list.issued > now + clock_leeway) return News::untimely;
    const auto mine = lists_.find(list.member);
    if (mine != lists_.end()) {
        if (mine->second.document == document) return News::known;
        if (list.sequence < mine->second.list.sequence) return News::older;
    }
    if (!verify_(member->identity(), OfferList::context, base::bytes_of(list.text()), offers->signature)) return News::refused;
    if (mine != lists_.end() && list.sequence == mine->second.list.sequence) {
        // The same said and signed anew is no lie; different words under one number are.
        if (list == mine->second.list) return News::known;
        if (contradictions_.size() < 64) contradictions_.emplace_back(mine->second.document, document);
        return News::contradicts;
    }
    lists_.insert_or_assign(list.member, std::move(*offers));
    return News::accepted;
}

void OfferMirror::charter_changed(const Charter& charter) {
    std::erase_if(lists_, [&](const auto& each) { return !charter.active(each.first); });
}

std::vector<OfferMirror::Summary> OfferMirror::summary() const {
    std::vector<Summary> all;
    for (const auto& [member, offers] : lists_) all.push_back({member, offers.list.sequence});
    return all;
}

const SignedOffers* OfferMirror::find(std::string_view member) const {
    const auto found = lists_.find(member);
    return found == lists_.end() ? nullptr : &found->second;
}

std::vector<const SignedOffers*> OfferMirror::valid(std::int64_t now) const {
    std::vector<const SignedOffers*> all;
    for (const auto& [member, offers] : lists_)
        if (now < offers.list.expires + clock_leeway) all.push_back(&offers);
    return all;
}

}  // namespace hanse::federation
