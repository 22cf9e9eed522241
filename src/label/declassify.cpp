// SPDX-License-Identifier: Apache-2.0
#include "label/declassify.hpp"

#include <algorithm>
#include <set>

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::Result;

auto refused(std::string why) {
    return base::fail(ErrorKind::denied, "the declassification does not hold: " + why, "declassification_refused");
}

void append(base::Bytes& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(number >> shift & 0xff));
}
void append(base::Bytes& out, std::span<const std::byte> field) {
    append(out, field.size());
    out.insert(out.end(), field.begin(), field.end());
}

// The signer's terms may become looser; everything else stays as it is.
bool loosens_only(const Label& from, const Label& to, Principal signer) {
    if (to.integrity() != from.integrity() || !flows_to(to, from)) return false;
    const auto same = [&](const Label::Owned& owned) {
        const Terms* other = to.terms_of(owned.owner);
        return owned.owner == signer || (other != nullptr && *other == owned.terms);
    };
    return std::ranges::all_of(from.owners(), same);
}

}  // namespace

bool needs_two_signers(const Terms& terms) { return !terms.handling.empty() || terms.content.has(bit(trade_secret)); }

base::Bytes signed_bytes(const Declassification& statement, const Vocabulary& words) {
    base::Bytes out;
    append(out, base::bytes_of("hanse declassification v1"));
    append(out, statement.digest);
    append(out, binary(statement.from, words));
    append(out, binary(statement.to, words));
    append(out, base::bytes_of(statement.reason));
    append(out, static_cast<std::uint64_t>(statement.scope));
    append(out, static_cast<std::uint64_t>(statement.expiry));
    append(out, base::bytes_of(words.name(statement.signer)));
    return out;
}

Result<Label> declassified(const Declassification& statement, std::span<const OwnerSignature> signatures, const PayloadDigest& payload,
                           const Label& at_hand, std::int64_t now, const Vocabulary& words, const VerifySignature& verify) {
    if (at_hand.is_top()) return refused("data without a label has no owner who could loosen it");
    if (statement.digest != payload) return refused("it is for another payload");
    if (statement.from != at_hand) return refused("the payload has another label by now");
    if (statement.reason.empty()) return refused("it gives no reason");
    if (now >= statement.expiry) return refused("it has expired");
    const Terms* terms = statement.from.terms_of(statement.signer);
    if (terms == nullptr) return refused("its signer owns none of the terms");
    if (!loosens_only(statement.from, statement.to, statement.signer))
        return refused("it changes more than its signer's own terms, or tightens them");
    const base::Bytes message = signed_bytes(statement, words);
    std::set<Principal> people;
    for (const auto& [person, bytes] : signatures) {
        if (bit(person) >= words.principal_count() || words.member_of(person) != statement.signer)
            return refused("somebody signed who is not of the signer");
        if (!verify(person, message, bytes)) return refused("a signature is not good");
        people.insert(person);
    }
    const std::size_t needed = needs_two_signers(*terms) ? 2 : 1;
    if (people.size() < needed) return refused(needed == 2 ? "two people must sign for releases and trade secrets" : "nobody signed it");
    return statement.to;
}

}  // namespace hanse::label
