// SPDX-License-Identifier: Apache-2.0
#include "journal/receipt.hpp"

#include <algorithm>

namespace hanse::journal {
namespace {
constexpr std::byte version{1};
constexpr std::size_t head_size = 1 + sizeof(Salt);

base::Result<RecordedEntry> entry_of(const LogProof& proof) {
    if (!proof.extra || proof.extra->size() < head_size || proof.extra->front() != version)
        return base::fail(base::ErrorKind::corrupt, "line 2 of the receipt holds no record");
    Salt salt{};
    std::copy_n(proof.extra->begin() + 1, salt.size(), salt.begin());
    std::string record(reinterpret_cast<const char*>(proof.extra->data()) + head_size, proof.extra->size() - head_size);
    const LogEntry entry = log_entry(commitment_of(salt, record));
    return RecordedEntry{std::move(record), entry};
}
}  // namespace

base::Bytes receipt_extra(const StoredRecord& record) {
    base::Bytes extra{version};
    std::ranges::copy(record.salt, std::back_inserter(extra));
    std::ranges::copy(base::bytes_of(record.text), std::back_inserter(extra));
    return extra;
}

base::Result<RecordedEntry> recorded_entry(std::string_view text) {
    const auto proof = LogProof::parse(text);
    if (!proof) return std::unexpected(proof.error());
    return entry_of(*proof);
}

base::Result<Receipt> read_receipt(std::string_view text, std::span<const NoteVerifier> known) {
    const auto proof = LogProof::parse(text);
    if (!proof) return std::unexpected(proof.error());
    auto recorded = entry_of(*proof);
    if (!recorded) return std::unexpected(recorded.error());
    const auto note = Note::parse(proof->checkpoint);
    if (!note) return base::fail(base::ErrorKind::corrupt, "the checkpoint of the receipt: " + note.error().message);
    auto checkpoint = Checkpoint::parse(note->text);
    if (!checkpoint) return base::fail(base::ErrorKind::corrupt, "the checkpoint of the receipt: " + checkpoint.error().message);
    const auto signed_by = endorsements(*note, known);
    if (!signed_by) return std::unexpected(signed_by.error());

    Receipt receipt{.record = std::move(recorded->record), .index = proof->index};
    const Hash leaf = leaf_hash(recorded->entry);
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
    for (const NoteVerifier& key : log_keys)
        if (std::ranges::none_of(known, [&](const NoteVerifier& other) { return other.vkey() == key.vkey(); })) known.push_back(key);
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
