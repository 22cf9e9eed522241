// SPDX-License-Identifier: Apache-2.0
#include "record_frame.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/encoding.hpp"

namespace hanse::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");
constexpr std::string_view magic = "HNSJ";
constexpr std::size_t checked = 120;

template <typename T>
void put(std::span<std::byte> out, std::size_t at, const T& value) {
    std::memcpy(out.subspan(at, sizeof value).data(), &value, sizeof value);
}
template <typename T>
void get(std::span<const std::byte> in, std::size_t at, T& value) {
    std::memcpy(&value, in.subspan(at, sizeof value).data(), sizeof value);
}

}  // namespace

std::array<std::byte, header_size> FrameHeader::bytes() const {
    std::array<std::byte, header_size> out{};
    std::memcpy(out.data(), magic.data(), magic.size());
    put(out, 4, length);
    put(out, 8, index);
    put(out, 16, batch);
    put(out, 24, time_ms);
    put(out, 32, id);
    put(out, 48, salt);
    put(out, 80, commitment);
    put(out, 112, std::uint64_t{erased});
    const Hash check = crypto::sha256(std::span(out).first(checked));
    std::memcpy(out.data() + checked, check.data(), header_size - checked);
    return out;
}

std::optional<FrameHeader> FrameHeader::parse(std::span<const std::byte> bytes) {
    if (bytes.size() < header_size || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) return std::nullopt;
    const Hash check = crypto::sha256(bytes.first(checked));
    if (std::memcmp(bytes.data() + checked, check.data(), header_size - checked) != 0) return std::nullopt;
    FrameHeader made;
    std::uint64_t erased = 0;
    get(bytes, 4, made.length);
    get(bytes, 8, made.index);
    get(bytes, 16, made.batch);
    get(bytes, 24, made.time_ms);
    get(bytes, 32, made.id);
    get(bytes, 48, made.salt);
    get(bytes, 80, made.commitment);
    get(bytes, 112, erased);
    if (erased > 1 || made.length > record_max) return std::nullopt;
    made.erased = erased == 1;
    return made;
}

}  // namespace hanse::journal
