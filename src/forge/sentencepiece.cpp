// SPDX-License-Identifier: Apache-2.0
#include "sentencepiece.hpp"

#include <cstring>
#include <format>
#include <optional>

#include "base/encoding.hpp"
#include "catalog/files.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

// Protocol buffers' wire format: a key holds a field's number and how its value is written.
class Wire {
public:
    explicit Wire(std::span<const std::byte> bytes) : bytes_(bytes) {}
    struct Field {
        std::uint64_t number = 0;
        std::uint64_t whole = 0;             // wire types 0 and 5
        std::span<const std::byte> content;  // wire type 2
    };
    bool done() const { return bytes_.empty(); }
    std::optional<Field> next() {
        const auto key = varint();
        if (!key) return std::nullopt;
        Field field{.number = *key >> 3U};
        switch (*key & 7U) {
            case 0: {
                const auto value = varint();
                if (!value) return std::nullopt;
                field.whole = *value;
                return field;
            }
            case 1: return take(8) ? std::optional(field) : std::nullopt;
            case 2: {
                const auto length = varint();
                if (!length || *length > bytes_.size()) return std::nullopt;
                field.content = *take(*length);
                return field;
            }
            case 5: {
                const auto raw = take(4);
                if (!raw) return std::nullopt;
                std::uint32_t value = 0;
                std::memcpy(&value, raw->data(), 4);
                field.whole = value;
                return field;
            }
            default: return std::nullopt;
        }
    }

private:
    std::optional<std::span<const std::byte>> take(std::uint64_t count) {
        if (count > bytes_.size()) return std::nullopt;
        const auto taken = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return taken;
    }
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (bytes_.empty()) return std::nullopt;
            const auto byte = static_cast<std::uint64_t>(bytes_.front());
            bytes_ = bytes_.subspan(1);
            value |= (byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) return value;
        }
        return std::nullopt;
    }
    std::span<const std::byte> bytes_;
};

std::unexpected<base::Error> wrong(std::string_view field, std::string_view what) {
    return base::fail(ErrorKind::corrupt, std::format("SentencePiece model, {}: {}", field, what), "invalid_tokenizer", std::string(field));
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece(std::span<const std::byte> bytes) {
    SentencePieceModel model;
    Wire wire(bytes);
    while (!wire.done()) {
        const auto field = wire.next();
        if (!field) return wrong("model", "the file ends within a field");
        Wire inner(field->content);
        if (field->number == 1) {  // pieces
            SentencePieceModel::Piece piece;
            const auto name = std::format("piece {}", model.pieces.size());
            while (!inner.done()) {
                const auto part = inner.next();
                if (!part) return wrong(name, "it ends within a field");
                if (part->number == 1) piece.text.assign(reinterpret_cast<const char*>(part->content.data()), part->content.size());
                if (part->number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(part->whole));
                if (part->number == 3) {
                    if (part->whole < 1 || part->whole > 6) return wrong(name, std::format("its type {} is not known", part->whole));
                    piece.type = static_cast<SentencePieceModel::Type>(part->whole);
                }
            }
            if (!base::is_valid_utf8(piece.text)) return wrong(name, "it is no valid UTF-8");
            model.pieces.push_back(std::move(piece));
        } else if (field->number == 2) {  // trainer_spec
            while (!inner.done()) {
                const auto part = inner.next();
                if (!part) return wrong("trainer_spec", "it ends within a field");
                if (part->number != 3) continue;
                if (part->whole < 1 || part->whole > 4)
                    return wrong("trainer_spec.model_type", std::format("{} is not known", part->whole));
                model.kind = static_cast<SentencePieceModel::Kind>(part->whole);
            }
        } else if (field->number == 3) {  // normalizer_spec
            while (!inner.done()) {
                const auto part = inner.next();
                if (!part) return wrong("normalizer_spec", "it ends within a field");
                if (part->number == 3) model.add_dummy_prefix = part->whole != 0;
                if (part->number == 4) model.remove_extra_whitespaces = part->whole != 0;
            }
        }
    }
    if (model.pieces.empty()) return wrong("model", "it has no pieces");
    return model;
}

namespace {

void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
    out += static_cast<char>(value);
}

void put_whole(std::string& out, std::uint64_t field, std::uint64_t value) {
    put_varint(out, field << 3U);
    put_varint(out, value);
}

void put_content(std::string& out, std::uint64_t field, std::string_view content) {
    put_varint(out, field << 3U | 2U);
    put_varint(out, content.size());
    out += content;
}

}  // namespace

std::string write_sentencepiece(const SentencePieceModel& model) {
    std::string out;
    bool has_bytes = false;
    for (const auto& piece : model.pieces) {
        std::string inner;
        put_content(inner, 1, piece.text);
        put_varint(inner, 2U << 3U | 5U);
        char raw[4];
        std::memcpy(raw, &piece.score, 4);
        inner.append(raw, 4);
        put_whole(inner, 3, static_cast<std::uint64_t>(piece.type));
        put_content(out, 1, inner);
        has_bytes |= piece.type == SentencePieceModel::Type::byte;
    }
    std::string trainer, normalizer;
    put_whole(trainer, 3, static_cast<std::uint64_t>(model.kind));
    put_whole(trainer, 4, model.pieces.size());
    if (has_bytes) put_whole(trainer, 35, 1);  // byte_fallback
    put_content(out, 2, trainer);
    put_content(normalizer, 1, "identity");
    put_whole(normalizer, 3, model.add_dummy_prefix ? 1 : 0);
    put_whole(normalizer, 4, model.remove_extra_whitespaces ? 1 : 0);
    put_content(out, 3, normalizer);
    return out;
}

Result<SentencePieceModel> read_sentencepiece(const std::filesystem::path& file) {
    const auto bytes = catalog::read_file_whole(file, 256U << 20U);
    if (!bytes) return std::unexpected(bytes.error());
    auto model = parse_sentencepiece(std::as_bytes(std::span(*bytes)));
    if (!model) model.error().message = std::format("{}: {}", file.string(), model.error().message);
    return model;
}

}  // namespace hanse::forge
