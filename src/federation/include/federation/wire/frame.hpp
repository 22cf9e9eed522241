// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "federation/wire/messages.hpp"

// How messages are written. A frame is
//
//   length of the payload, 4 bytes | type, 1 byte | stream, 4 bytes | payload
//
// with numbers big-endian. A payload is fields in the order of their numbers, each
//
//   varint(2·number + mandatory) | varint(length) | value
//
// where varint is LEB128 in its shortest form, numbers are varints, texts UTF-8, and a list is a field that comes
// again. A reader skips an optional field that it does not know and refuses a mandatory one; types from 128 on are
// skipped, others that are unknown refused. So a newer version can say more to an older one, and can never be half
// understood where it matters. Everything has a limit, which is checked before anything is kept.
namespace hanse::federation::wire {

inline constexpr std::size_t header_size = 9;
using Stream = std::uint32_t;

struct Limits {
    std::size_t ask_bytes_max = 4 * 1024 * 1024;  // body of a task
};
// Of the payload of this type; 0 for one that is refused at sight.
std::size_t payload_max(std::uint8_t type, const Limits& limits);

std::string_view name(const Message& message);
void encode(const Message& message, Stream stream, base::Bytes& out);

struct Frame {
    std::uint8_t type = 0;
    Stream stream = 0;
    std::span<const std::byte> payload = {};
};
// `corrupt` for anything that is not in the one form, `invalid` for a mandatory field that is not known. Nothing for
// a type that may be skipped.
base::Result<std::optional<Message>> decode(const Frame& frame, const Limits& limits = {});

// Takes bytes as they come and gives whole frames. Never holds more than one frame's limit and one read. After an
// error it stays broken: there is no way to find the next frame.
class FrameReader {
public:
    explicit FrameReader(Limits limits = {}) : limits_(limits) {}
    void add(std::span<const std::byte> bytes);
    // The payload is valid until the next call of add(). Nothing: more bytes are needed. `too_large`, `corrupt`.
    base::Result<std::optional<Frame>> next();

private:
    Limits limits_;
    base::Bytes buffer_;
    std::size_t begin_ = 0;
    bool broken_ = false;
};

}  // namespace hanse::federation::wire
