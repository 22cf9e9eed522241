// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "journal/log_proof.hpp"
#include "journal/note.hpp"
#include "journal/tile.hpp"

// Whatever is accepted is written back to the byte: each format has one form only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::journal;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto note = Note::parse(text); note && note->whole() != text) std::abort();
    if (const auto checkpoint = Checkpoint::parse(text); checkpoint && checkpoint->text() != text) std::abort();
    if (const auto proof = LogProof::parse(text); proof && proof->text() != text) std::abort();
    if (const auto verifier = NoteVerifier::from_vkey(text); verifier && verifier->vkey() != text) std::abort();
    if (const auto name = TileName::parse(text); name && name->path() != text) std::abort();
    if (size > 0) {
        const unsigned width = data[0] + 1U;
        const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
        if (const auto entries = parse_bundle(bytes, width); entries && entries->size() != width) std::abort();
        if (const auto hashes = parse_tile(bytes, width); hashes && tile_bytes(*hashes).size() != bytes.size()) std::abort();
    }
    return 0;
}
