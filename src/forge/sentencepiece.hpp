// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// What a SentencePiece model file (sentencepiece_model.proto, in protocol buffers' wire format) says that a converter needs. Written
// by strangers: lengths are checked, unknown fields skipped, texts must be UTF-8.
struct SentencePieceModel {
    // The numbers of the format's own enum, which are GGUF's token types too.
    enum class Type : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
    struct Piece {
        std::string text;
        float score = 0;
        Type type = Type::normal;
    };
    enum class Kind : std::uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
    std::vector<Piece> pieces;
    Kind kind = Kind::unigram;
    bool add_dummy_prefix = true;
    bool remove_extra_whitespaces = true;
};

base::Result<SentencePieceModel> parse_sentencepiece(std::span<const std::byte> bytes);
// The same in the wire format, with what SentencePiece itself needs to run it.
std::string write_sentencepiece(const SentencePieceModel& model);
base::Result<SentencePieceModel> read_sentencepiece(const std::filesystem::path& file);

}  // namespace hanse::forge
