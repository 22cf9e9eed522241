// SPDX-License-Identifier: Apache-2.0
#include "federation/receipts.hpp"

#include <format>
#include <glaze/glaze.hpp>
#include <set>

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

journal::CanonicalObject& name_remote_task(journal::CanonicalObject& fields, const TaskKey& key, std::string_view from) {
    journal::CanonicalObject remote;
    remote.text("key", text_of(key)).text("from", from);
    return fields.object("remote", remote);
}

Result<FarReceipt> check_far_receipt(const Charter& charter, std::string_view receiver, std::string_view sender, const TaskKey& key,
                                     std::string_view text) {
    const CharterMember* member = charter.member(receiver);
    std::vector<journal::NoteVerifier> verifiers;
    if (member)
        for (const auto& vkey : member->log_keys)
            if (auto verifier = journal::NoteVerifier::from_vkey(vkey)) verifiers.push_back(std::move(*verifier));
    if (verifiers.empty()) return fail(ErrorKind::denied, std::format("the charter has no log keys for {}", receiver));
    auto receipt = journal::read_receipt(text, verifiers);
    if (!receipt) return std::unexpected(receipt.error());
    if (receipt->signers.size() != verifiers.size())
        return fail(ErrorKind::denied, std::format("the receipt is not signed by all keys of {}", receiver));
    if (receipt->checkpoint.origin != verifiers.front().name()) return fail(ErrorKind::corrupt, "the receipt is of another log");
    Record record;
    if (glz::read<glz::opts{.error_on_unknown_keys = false}>(record, receipt->record))
        return fail(ErrorKind::corrupt, "the receipt's record cannot be read");
    if (record.remote.key != text_of(key) || record.remote.from != sender)
        return fail(ErrorKind::corrupt, "the receipt is of another task");
    return FarReceipt{std::move(record.id), std::move(receipt->record)};
}

}  // namespace hanse::federation
