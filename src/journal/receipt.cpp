// SPDX-License-Identifier: Apache-2.0
#include "journal/receipt.hpp"

#include <algorithm>

namespace hanse::journal {
namespace {
constexpr std::byte version{1};
constexpr std::size_t head_size = 1 + sizeof(Salt);
}  // namespace

base::Bytes receipt_extra(const StoredRecord& record) {
    base::Bytes extra{version};
    std::ranges::copy(record.salt, std::back_inserter(extra));
    std::ranges::copy(base::bytes_of(record.text), std::back_inserter(extra));
    return extra;
}

base::Result<Receipt> read_receipt(std::string_view text, std::span<const NoteVerifier> known) {
    const auto proof = LogProof::parse(text);
    if (!proof) return std::unexpected(proof.error());
    if (!proof->extra || proof->extra->size() < head_size || proof->extra->front() != version)
        return base::fail(base::ErrorKind::corrupt, "line 2 of the receipt holds no record");
    const auto note = Note::parse(proof->checkpoint);
    if (!note) return base::fail(base::ErrorKind::corrupt, "the checkpoint of the receipt: " + note.error().message);
    auto checkpoint = Checkpoint::parse(note->text);
    if (!checkpoint) return base::fail(base::ErrorKind::corrupt, "the checkpoint of the receipt: " + checkpoint.error().message);
    const auto signed_by = endorsements(*note, known);
    if (!signed_by) return std::unexpected(signed_by.error());

    Salt salt{};
    std::copy_n(proof->extra->begin() + 1, salt.size(), salt.begin());
    Receipt receipt{.record = {reinterpret_cast<const char*>(proof->extra->data()) + head_size, proof->extra->size() - head_size},
                    .index = proof->index};
    const Hash leaf = leaf_hash(log_entry(commitment_of(salt, receipt.record)));
    if (!verifies_inclusion(leaf, proof->index, checkpoint->size, proof->hashes, checkpoint->root))
        return base::fail(base::ErrorKind::corrupt,
                          "the record and the hashes of the receipt do not lead to the root that the checkpoint names: record, salt, "
                          "index, a hash or the root was changed");
    receipt.checkpoint = std::move(*checkpoint);
    for (const Endorsement& each : *signed_by)
        receipt.signers.push_back({each.verifier->name(), std::string(crypto::name(algorithm_of(each.verifier->type()))), each.time});
    for (const NoteSignature& signature : note->signatures)
        if (std::ranges::none_of(known, [&](const NoteVerifier& verifier) { return verifier.made(signature); }))
            receipt.unknown.push_back(signature.name);
    return receipt;
}

base::Result<Receipt> judge_receipt(std::string_view text, const WitnessPolicy& policy, std::span<const NoteVerifier> log_keys) {
    std::vector<NoteVerifier> known = policy.verifiers();
    known.insert(known.end(), log_keys.begin(), log_keys.end());
    auto receipt = read_receipt(text, known);
    if (!receipt) return receipt;
    const auto proof = LogProof::parse(text);
    const auto note = Note::parse(proof->checkpoint);
    const auto verdict = policy.judge(*note, log_keys);
    if (!verdict) return std::unexpected(verdict.error());
    receipt->policy = *verdict;
    return receipt;
}

}  // namespace hanse::journal
