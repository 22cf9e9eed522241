// SPDX-License-Identifier: Apache-2.0
#include "journal/witness_dialogue.hpp"

#include <format>

#include "number.hpp"

namespace hanse::journal {

std::string WitnessDialogue::body_for(const Note& checkpoint, std::vector<Hash> proof) const {
    return AddCheckpoint{old_size_, std::move(proof), checkpoint.whole()}.body();
}

WitnessDialogue::Heard WitnessDialogue::heard(const Note& checkpoint, unsigned status, std::string_view content_type,
                                              std::string_view body) {
    const auto parsed = Checkpoint::parse(checkpoint.text);
    const std::uint64_t size = parsed ? parsed->size : 0;
    if (status == 409) {
        if (!content_type.starts_with("text/x.tlog.size") || !body.ends_with('\n'))
            return {.trouble = "the witness is at another size and does not say at which"};
        const auto at = decimal(body.substr(0, body.size() - 1));
        if (!at) return {.trouble = "the witness is at another size and does not say at which"};
        const bool moved = *at != old_size_;
        old_size_ = *at;
        if (*at > size) return {.trouble = std::format("the witness has signed {} entries already, and this checkpoint has {}", *at, size)};
        if (!moved) return {.trouble = "the witness refuses the size that it gave itself"};
        return {.again = true, .trouble = "the witness is at another size"};
    }
    if (status == 422)
        return {.trouble = "the witness says that the checkpoint does not contain what it has signed before", .accused = true};
    if (status == 404) return {.trouble = "the witness does not know this log"};
    if (status == 403) return {.trouble = "the witness does not know the keys of this log"};
    if (status != 200) return {.trouble = std::format("the witness answered with status {}", status)};

    const auto lines = parse_signature_lines(body);
    if (!lines) return {.trouble = "the witness answered with lines that are no signatures"};
    Heard heard;
    for (const NoteSignature& signature : *lines)
        for (const NoteVerifier& key : keys_) {
            const auto time = key.made(signature) ? key.verifies(checkpoint.text, signature) : std::nullopt;
            if (key.made(signature) && (!time || *time == 0)) return {.trouble = std::format("the cosignature of {} is wrong", key.name())};
            if (time) heard.cosignatures.push_back(signature);
        }
    if (heard.cosignatures.empty()) return {.trouble = "the witness did not sign with a key that is known"};
    old_size_ = size;
    return heard;
}

}  // namespace hanse::journal
