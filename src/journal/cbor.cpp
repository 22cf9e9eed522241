// SPDX-License-Identifier: Apache-2.0
#include "cbor.hpp"

namespace hanse::journal {

CborWriter& CborWriter::head(Cbor kind, std::uint64_t value) {
    const auto major = static_cast<unsigned>(kind) << 5;
    const unsigned size = value < 24 ? 0 : value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
    const unsigned info = size == 0 ? static_cast<unsigned>(value) : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
    made_.push_back(static_cast<std::byte>(major | info));
    for (unsigned i = size; i > 0; --i) made_.push_back(static_cast<std::byte>(value >> (8 * (i - 1))));
    return *this;
}
CborWriter& CborWriter::integer(std::int64_t value) {
    return value < 0 ? head(Cbor::negative, static_cast<std::uint64_t>(-(value + 1))) : head(Cbor::uint, static_cast<std::uint64_t>(value));
}
CborWriter& CborWriter::bytes(std::span<const std::byte> value) {
    head(Cbor::bytes, value.size());
    made_.insert(made_.end(), value.begin(), value.end());
    return *this;
}
CborWriter& CborWriter::text(std::string_view value) {
    head(Cbor::text, value.size());
    const auto bytes = base::bytes_of(value);
    made_.insert(made_.end(), bytes.begin(), bytes.end());
    return *this;
}

std::optional<std::uint64_t> CborReader::head(Cbor kind) {
    if (rest_.empty() || std::to_integer<unsigned>(rest_.front()) >> 5 != static_cast<unsigned>(kind)) return std::nullopt;
    const unsigned info = std::to_integer<unsigned>(rest_.front()) & 31;
    const std::size_t size = info < 24 ? 0 : info == 24 ? 1 : info == 25 ? 2 : info == 26 ? 4 : info == 27 ? 8 : SIZE_MAX;
    if (size == SIZE_MAX || rest_.size() < 1 + size) return std::nullopt;
    std::uint64_t value = size == 0 ? info : 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint64_t>(rest_[1 + i]);
    constexpr std::uint64_t least[] = {0, 24, 256, 0, 65'536, 0, 0, 0, 1ULL << 32};
    if (value < least[size]) return std::nullopt;
    rest_ = rest_.subspan(1 + size);
    return value;
}
std::optional<std::int64_t> CborReader::integer() {
    const bool negative = !rest_.empty() && std::to_integer<unsigned>(rest_.front()) >> 5 == 1;
    const auto value = head(negative ? Cbor::negative : Cbor::uint);
    if (!value || *value > INT64_MAX) return std::nullopt;
    return negative ? -1 - static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value);
}
std::optional<std::span<const std::byte>> CborReader::take(Cbor kind) {
    const auto size = head(kind);
    if (!size || *size > rest_.size()) return std::nullopt;
    const auto taken = rest_.first(*size);
    rest_ = rest_.subspan(*size);
    return taken;
}
std::optional<std::span<const std::byte>> CborReader::bytes() { return take(Cbor::bytes); }
std::optional<std::string_view> CborReader::text() {
    const auto taken = take(Cbor::text);
    if (!taken) return std::nullopt;
    const std::string_view text(reinterpret_cast<const char*>(taken->data()), taken->size());
    return base::is_valid_utf8(text) ? std::optional(text) : std::nullopt;
}

}  // namespace hanse::journal
