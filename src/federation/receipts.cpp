// SPDX-License-Identifier: Apache-2.0
#include "federation/receipts.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>
#include <set>

#include "journal/log_proof.hpp"
#include "journal/receipt.hpp"

namespace hanse::federation {

using base::ErrorKind;
using base::fail;
using base::Result;

namespace {

struct Remote {
    std::string key;
    std::string from;
};
struct Record {
    std::string id;
    std::string node;
    Remote remote;
};

}  // namespace

journal::CanonicalObject& name_remote_task(journal::CanonicalObject& fields, std::string_view key, std::string_view from) {
    journal::CanonicalObject remote;
    remote.text("key", key).text("from", from);
    return fields.object("remote", remote);
}

journal::CanonicalObject& name_remote_task(journal::CanonicalObject& fields, const TaskKey& key, std::string_view from) {
    return name_remote_task(fields, text_of(key), from);
}

Result<FarReceipt> check_far_receipt(const Charter& charter, std::string_view receiver, std::string_view sender, const TaskKey& key,
                                     std::string_view text) {
    const CharterMember* member = charter.member(receiver);
    std::vector<journal::NoteVerifier> verifiers;
    if (member)
        for (const auto& vkey : member->log_keys)
            if (auto verifier = journal::NoteVerifier::from_vkey(vkey)) verifiers.push_back(std::move(*verifier));
    if (verifiers.empty()) return fail(ErrorKind::denied, std::format("the charter has no log keys for {}", receiver));
    if (text.empty()) return fail(ErrorKind::denied, std::format("{} gave no receipt", receiver));
    auto receipt = journal::read_receipt(text, verifiers);
    if (!receipt) return std::unexpected(receipt.error());
    // A member may have several logs, one for each of its nodes: all keys of the one that it is of must have signed.
    std::erase_if(verifiers, [&](const auto& each) { return each.name() != receipt->checkpoint.origin; });
    if (verifiers.empty()) return fail(ErrorKind::corrupt, std::format("the receipt is of another log than those of {}", receiver));
    const auto by_log = std::ranges::count(receipt->signers, receipt->checkpoint.origin, &journal::Receipt::Signer::name);
    if (static_cast<std::size_t>(by_log) != verifiers.size())
        return fail(ErrorKind::denied, std::format("the receipt is not signed by all keys of {}", receiver));
    Record record;
    if (glz::read<glz::opts{.error_on_unknown_keys = false}>(record, receipt->record))
        return fail(ErrorKind::corrupt, "the receipt's record cannot be read");
    if (record.remote.key != text_of(key) || record.remote.from != sender)
        return fail(ErrorKind::corrupt, "the receipt is of another task");
    auto proof = journal::LogProof::parse(text);
    if (!proof) return std::unexpected(proof.error());
    return FarReceipt{.id = std::move(record.id), .record = std::move(receipt->record), .checkpoint = std::move(proof->checkpoint)};
}

}  // namespace hanse::federation
