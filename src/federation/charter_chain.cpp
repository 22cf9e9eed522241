// SPDX-License-Identifier: Apache-2.0
#include "federation/charter_chain.hpp"

#include <algorithm>
#include <format>
#include <set>

#include "lines.hpp"

namespace hanse::federation {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

// Who signed, each checked at most once; signatures of others are passed over, as many may be there as are allowed.
class Signers {
public:
    Signers(const CharterDocument& document, const Verify& verify) : document_(document), verify_(verify) {}

    bool signed_by(const CharterMember& member) const {
        const auto message = base::bytes_of(document_.text());
        return std::ranges::any_of(document_.signatures(), [&](const auto& each) {
            return each.member == member.name && verify_(member.identity(), CharterDocument::context, message, each.signature);
        });
    }

private:
    const CharterDocument& document_;
    const Verify& verify_;
};

std::size_t count_amenders(const Charter& amended, const Charter& keys, const Signers& signers) {
    return static_cast<std::size_t>(std::ranges::count_if(amended.amenders, [&](const auto& name) {
        const CharterMember* member = keys.active(name);
        return member && signers.signed_by(*member);
    }));
}

std::vector<std::string> both_signed(const CharterDocument& before, const CharterDocument& a, const CharterDocument& b,
                                     const Verify& verify) {
    std::vector<std::string> names;
    const Signers first(a, verify), second(b, verify);
    for (const auto& member : before.charter().members)
        if (first.signed_by(member) && second.signed_by(member)) names.push_back(member.name);
    return names;
}

}  // namespace

Result<void> CharterChain::follows(const CharterDocument& before, const CharterDocument& after, const Verify& verify) {
    const auto needs = needs_of(before, after);
    if (!needs) return std::unexpected(needs.error());
    const Signers signers(after, verify);
    for (const auto& name : needs->by_old_key)
        if (!signers.signed_by(*before.charter().member(name)))
            return fail(ErrorKind::denied, std::format("version {} is not signed by {}, which it asks for", after.charter().version, name),
                        "signature_missing");
    for (const auto& name : needs->by_new_key)
        if (!signers.signed_by(*after.charter().member(name)))
            return fail(ErrorKind::denied, std::format("version {} is not signed by {} with its new keys", after.charter().version, name),
                        "signature_missing");
    const std::size_t count = count_amenders(before.charter(), before.charter(), signers);
    if (count < needs->quorum)
        return fail(ErrorKind::denied,
                    std::format("version {} has the signatures of {} amenders and needs {}", after.charter().version, count, needs->quorum),
                    "signature_missing");
    return {};
}

Result<CharterChain> CharterChain::open(std::vector<CharterDocument> versions, Verify verify) {
    if (versions.empty()) return fail(ErrorKind::invalid, "a chain of charters has a first version");
    CharterChain chain(std::move(verify));
    const CharterDocument& first = versions.front();
    if (first.charter().version != 1) return fail(ErrorKind::invalid, "a chain of charters begins with version 1");
    const Signers signers(first, chain.verify_);
    for (const auto& member : first.charter().members)
        if (!signers.signed_by(member))
            return fail(ErrorKind::denied, std::format("the first version is not signed by {}", member.name), "signature_missing");
    chain.versions_.push_back(first);
    for (std::size_t i = 1; i < versions.size(); ++i) {
        if (auto good = follows(chain.current(), versions[i], chain.verify_); !good) return std::unexpected(good.error());
        chain.versions_.push_back(std::move(versions[i]));
    }
    return chain;
}

CharterChain::Taken CharterChain::take(const CharterDocument& document, std::int64_t now) {
    const std::uint32_t version = document.charter().version;
    if (version > charter().version + 1) return {News::gap};
    if (version <= charter().version) {
        CharterDocument& mine = versions_[version - 1];
        if (document.digest() == mine.digest()) return {News::known};
        if (version == 1) return {News::refused, "it is the first version of another federation"};
        const CharterDocument& before = versions_[version - 2];
        if (auto good = follows(before, document, verify_); !good) return {News::refused, good.error().message};
        const bool told = std::ranges::any_of(forks_, [&](const CharterFork& fork) { return fork.other.digest() == document.digest(); });
        if (!told && forks_.size() < 64) forks_.push_back({mine, document, both_signed(before, mine, document, verify_)});
        return {News::fork};
    }
    if (document.charter().issued > now + clock_leeway) return {News::refused, std::format("version {} is issued in the future", version)};
    if (auto good = follows(current(), document, verify_); !good) return {News::refused, good.error().message};
    versions_.push_back(document);
    return {News::accepted};
}

CharterDocument CharterChain::checked(CharterDocument proposal) const {
    const auto message = base::bytes_of(proposal.text());
    proposal.keep([&](const CharterDocument::Signature& each) {
        const CharterMember *now = charter().member(each.member), *then = proposal.charter().member(each.member);
        const auto made_by = [&](const CharterMember* member) {
            return member && verify_(member->identity(), CharterDocument::context, message, each.signature);
        };
        return made_by(now) || (then && (!now || now->keys != then->keys) && made_by(then));
    });
    return proposal;
}

bool Ballot::sign(std::uint32_t version, const Digest& digest) { return signed_.emplace(version, digest).first->second == digest; }

std::optional<Digest> Ballot::signed_for(std::uint32_t version) const {
    const auto found = signed_.find(version);
    return found == signed_.end() ? std::nullopt : std::optional(found->second);
}

std::string Ballot::text() const {
    std::string out;
    for (const auto& [version, digest] : signed_) out += std::format("{} {}\n", version, base::hex(digest));
    return out;
}

Result<Ballot> Ballot::parse(std::string_view text) {
    Ballot ballot;
    for (Lines lines(text); !lines.at_end();) {
        const auto words = words_of(lines.next());
        const auto version = words.size() == 2 ? number_of<std::uint32_t>(words[0]) : std::nullopt;
        const auto bytes = words.size() == 2 ? base::from_hex(words[1]) : std::nullopt;
        Digest digest;
        if (!version || !bytes || bytes->size() != digest.size())
            return fail(ErrorKind::corrupt, "the record of charters that were signed is damaged");
        std::ranges::copy(*bytes, digest.begin());
        if (!ballot.sign(*version, digest)) return fail(ErrorKind::corrupt, "the record of charters that were signed contradicts itself");
    }
    return ballot;
}

}  // namespace hanse::federation
