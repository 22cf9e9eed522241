// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "journal/note.hpp"
#include "journal/witness.hpp"

namespace hanse::journal {

// What a log says to one witness, and what it makes of the answers (C2SP tlog-witness, the client's side). Pure: whoever
// owns it sends body_for() by HTTP POST to <url>/add-checkpoint and hands the answer to heard().
//
//   dialogue.old_size()                         from where the witness wants a proof
//   dialogue.body_for(note, proof)              what to send
//   dialogue.heard(note, status, type, body)    cosignatures, or that it is to be asked again, or why not
class WitnessDialogue {
public:
    // The keys of one witness, all of which are asked for at once.
    explicit WitnessDialogue(std::vector<NoteVerifier> keys) : keys_(std::move(keys)) {}

    std::uint64_t old_size() const { return old_size_; }
    // Whether the witness could sign this one: it never goes back.
    bool wants(const Checkpoint& checkpoint) const { return checkpoint.size >= old_size_; }
    std::string body_for(const Note& checkpoint, std::vector<Hash> proof) const;

    struct Heard {
        std::vector<NoteSignature> cosignatures = {};  // checked, by keys of this witness
        bool again = false;                            // it was behind or ahead of what we thought: ask once more
        std::string trouble = {};                      // why there are none; empty where there are some
        bool accused = false;                          // the witness says that our log contradicts itself
    };
    Heard heard(const Note& checkpoint, unsigned status, std::string_view content_type, std::string_view body);

private:
    std::vector<NoteVerifier> keys_;
    std::uint64_t old_size_ = 0;
};

}  // namespace hanse::journal
