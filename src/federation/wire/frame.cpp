// SPDX-License-Identifier: Apache-2.0
#include "federation/wire/frame.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "schema.hpp"
#include "varint.hpp"

namespace hanse::federation::wire {
namespace {

using base::Bytes;
using base::ErrorKind;
using base::fail;
using base::Result;

void put_bytes(std::span<const std::byte> bytes, Bytes& out) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Most texts are ASCII, and charters are long.
bool is_text(std::string_view text) {
    unsigned all = 0;
    for (const char c : text) all |= static_cast<unsigned char>(c);
    return all < 0x80 || base::is_valid_utf8(text);
}

class Writer {
public:
    explicit Writer(Bytes& out) : out_(out) {}
    static std::size_t ask_bytes_max() { return 0; }

    template <typename Value>
    void operator()(unsigned number, Need need, const Value& value, std::size_t = 0, std::size_t = 0) {
        if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
            const auto whole = static_cast<std::uint64_t>(value);
            if (whole == 0) return;
            head(number, need, varint_size(whole));
            put_varint(whole, out_);
        } else if constexpr (requires { value.starts_with('x'); }) {
            if (!value.empty()) text(number, need, base::bytes_of(value));
        } else if constexpr (requires { std::span<const std::byte>(value); }) {
            if (!value.empty()) text(number, need, value);
        } else {
            for (const auto& each : value) element(number, need, each);
        }
    }

private:
    void head(unsigned number, Need need, std::size_t size) {
        put_varint(2 * number + (need == mandatory ? 1 : 0), out_);
        put_varint(size, out_);
    }
    void text(unsigned number, Need need, std::span<const std::byte> bytes) {
        head(number, need, bytes.size());
        put_bytes(bytes, out_);
    }
    template <typename Each>
    void element(unsigned number, Need need, const Each& each) {
        if constexpr (requires { each.starts_with('x'); }) {
            text(number, need, base::bytes_of(each));
        } else if constexpr (requires { std::span<const std::byte>(each); }) {
            text(number, need, each);
        } else {
            Bytes inner;
            Writer nested(inner);
            visit_nested(nested, each);
            text(number, need, inner);
        }
    }
    Bytes& out_;
};

// Asked for each field in the order of the numbers, as the fields stand in the bytes.
class Reader {
public:
    Reader(std::span<const std::byte> bytes, const Limits& limits) : rest_(bytes), limits_(limits) { advance(); }
    std::size_t ask_bytes_max() const { return limits_.ask_bytes_max; }

    template <typename Value>
    void operator()(unsigned number, Need, Value& value, std::size_t most = 0, std::size_t count_max = 0) {
        skip_to(number);
        if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
            if (here(number)) whole(value);
        } else if constexpr (requires { value.starts_with('x'); }) {
            if (here(number)) text(value, most);
        } else if constexpr (std::is_same_v<Value, Bytes>) {
            if (!here(number)) return;
            if (value_.size() > most) return broken("a field is longer than it may be");
            value.assign(value_.begin(), value_.end());
            once();
        } else if constexpr (requires { std::tuple_size<Value>::value; }) {
            if (here(number)) fixed(value);
        } else {
            // Lists of texts have two limits; those of digests and of nested ones the limit of their count.
            const std::size_t length = count_max != 0 ? most : std::size_t{512};
            const std::size_t count = count_max != 0 ? count_max : most;
            while (here(number) && !error_) {
                if (value.size() == count) return broken("a list has more elements than it may have");
                element(value.emplace_back(), length);
            }
        }
    }

    std::optional<base::Error> finish() {
        skip_to(UINT32_MAX);
        return std::move(error_);
    }

private:
    bool here(unsigned number) const { return !error_ && key_ && *key_ / 2 == number; }
    void broken(std::string_view what) {
        if (!error_) error_ = base::Error{ErrorKind::corrupt, std::format("a message between nodes cannot be read: {}", what)};
        key_.reset();
    }
    // Fields below this number are not known here.
    void skip_to(unsigned number) {
        while (!error_ && key_ && *key_ / 2 < number) {
            if (*key_ % 2 == 1) {
                error_ =
                    base::Error{ErrorKind::invalid,
                                std::format("a message between nodes has the field {}, which is mandatory and not known here", *key_ / 2),
                                "unknown_field"};
                return;
            }
            advance();
        }
    }
    void advance() {
        const std::uint64_t before = key_.value_or(0);
        key_.reset();
        if (rest_.empty()) return;
        const auto key = take_varint(rest_);
        const auto size = key ? take_varint(rest_) : std::nullopt;
        if (!key || !size || *size > rest_.size() || *key / 2 > 0xffff) return broken("a field is not whole");
        if (*key / 2 == 0 || *key / 2 < before / 2 || (*key / 2 == before / 2 && *key != before))
            return broken("its fields are not in order");
        key_ = *key;
        value_ = rest_.first(*size);
        rest_ = rest_.subspan(*size);
    }
    void once() {
        const auto number = *key_ / 2;
        advance();
        if (!error_ && key_ && *key_ / 2 == number) broken("a field is there twice");
    }
    template <typename Value>
    void whole(Value& value) {
        auto rest = value_;
        const auto read = take_varint(rest);
        if (!read || !rest.empty()) return broken("a number is not in its shortest form");
        std::uint64_t most = UINT64_MAX;
        if constexpr (std::is_same_v<Value, Refusal>) most = static_cast<std::uint64_t>(Refusal::gone);
        else most = std::numeric_limits<Value>::max();
        if (*read > most || (std::is_enum_v<Value> && *read == 0)) return broken("a number is greater than it may be");
        value = static_cast<Value>(*read);
        once();
    }
    void text(std::string& value, std::size_t most) {
        if (value_.size() > most) return broken("a text is longer than it may be");
        value.assign(reinterpret_cast<const char*>(value_.data()), value_.size());
        if (!is_text(value)) return broken("a text is not UTF-8");
        once();
    }
    template <typename Value>
    void fixed(Value& value) {
        if (value_.size() != value.size()) return broken("a field of fixed length has another one");
        std::ranges::copy(value_, value.begin());
        once();
    }
    template <typename Each>
    void element(Each& each, std::size_t most) {
        if constexpr (requires { each.starts_with('x'); }) {
            if (value_.size() > most) return broken("a text is longer than it may be");
            each.assign(reinterpret_cast<const char*>(value_.data()), value_.size());
            if (!is_text(each)) return broken("a text is not UTF-8");
        } else if constexpr (requires { std::tuple_size<Each>::value; }) {
            if (value_.size() != each.size()) return broken("a field of fixed length has another one");
            std::ranges::copy(value_, each.begin());
        } else {
            if (value_.size() > most) return broken("an element is longer than it may be");
            Reader nested(value_, limits_);
            visit_nested(nested, each);
            if (auto error = nested.finish()) {
                error_ = std::move(error);
                return;
            }
        }
        advance();
    }

    std::span<const std::byte> rest_;
    std::span<const std::byte> value_;
    const Limits& limits_;
    std::optional<std::uint64_t> key_;
    std::optional<base::Error> error_;
};

template <typename Visit, std::size_t... I>
bool with_type(std::uint8_t type, Visit visit, std::index_sequence<I...>) {
    return ((Schema<std::variant_alternative_t<I, Message>>::type == type &&
             (visit.template operator()<std::variant_alternative_t<I, Message>>(), true)) ||
            ...);
}
template <typename Visit>
bool with_type(std::uint8_t type, Visit visit) {
    return with_type(type, visit, std::make_index_sequence<std::variant_size_v<Message>>());
}

constexpr std::size_t skipped_max = 64 * 1024;

std::uint32_t read_four(std::span<const std::byte> bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
    return value;
}
void write_four(std::uint32_t value, std::span<std::byte> out) {
    for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

}  // namespace

std::size_t payload_max(std::uint8_t type, const Limits& limits) {
    std::size_t most = type >= 128 ? skipped_max : 0;
    with_type(type, [&]<typename M>() { most = Schema<M>::size + (std::is_same_v<M, Task> ? limits.ask_bytes_max : 0); });
    return most;
}

std::string_view name(const Message& message) {
    static constexpr std::string_view names[] = {"hello",
                                                 "ping",
                                                 "pong",
                                                 "problem",
                                                 "goodbye",
                                                 "charter_ask",
                                                 "charter_give",
                                                 "charter_proposal",
                                                 "offer_summary",
                                                 "offer_ask",
                                                 "offer_give",
                                                 "checkpoint_give",
                                                 "consistency_ask",
                                                 "consistency_give",
                                                 "task",
                                                 "tokens",
                                                 "done",
                                                 "refused",
                                                 "cancel",
                                                 "credit",
                                                 "settled",
                                                 "join_ask",
                                                 "join_terms",
                                                 "join_consent",
                                                 "join_done"};
    static_assert(std::size(names) == std::variant_size_v<Message>);
    return names[message.index()];
}

void encode(const Message& message, Stream stream, Bytes& out) {
    const std::size_t begin = out.size();
    out.resize(begin + header_size);
    std::visit(
        [&]<typename M>(const M& each) {
            out[begin + 4] = static_cast<std::byte>(Schema<M>::type);
            Writer writer(out);
            Schema<M>::visit(writer, each);
        },
        message);
    write_four(static_cast<std::uint32_t>(out.size() - begin - header_size), std::span(out).subspan(begin, 4));
    write_four(stream, std::span(out).subspan(begin + 5, 4));
}

Result<std::optional<Message>> decode(const Frame& frame, const Limits& limits) {
    std::optional<Message> message;
    std::optional<base::Error> error;
    const bool known = with_type(frame.type, [&]<typename M>() {
        M made;
        Reader reader(frame.payload, limits);
        Schema<M>::visit(reader, made);
        error = reader.finish();
        if (!error) message = std::move(made);
    });
    if (error) return std::unexpected(std::move(*error));
    if (!known && frame.type < 128)
        return fail(ErrorKind::invalid, std::format("a message between nodes has the type {}, which is not known here", frame.type),
                    "unknown_message");
    return message;
}

void FrameReader::add(std::span<const std::byte> bytes) {
    if (broken_) return;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    put_bytes(bytes, buffer_);
}

Result<std::optional<Frame>> FrameReader::next() {
    if (broken_) return fail(ErrorKind::corrupt, "the stream of messages is broken");
    const auto rest = std::span<const std::byte>(buffer_).subspan(begin_);
    if (rest.size() < header_size) return std::nullopt;
    const std::size_t size = read_four(rest);
    const auto type = std::to_integer<std::uint8_t>(rest[4]);
    const std::size_t most = payload_max(type, limits_);
    if (most == 0) {
        broken_ = true;
        return fail(ErrorKind::invalid, std::format("a message between nodes has the type {}, which is not known here", type),
                    "unknown_message");
    }
    if (size > most) {
        broken_ = true;
        return fail(ErrorKind::too_large, std::format("a message of type {} has {} bytes, and {} are allowed", type, size, most));
    }
    if (rest.size() < header_size + size) return std::nullopt;
    begin_ += header_size + size;
    return Frame{type, read_four(rest.subspan(5)), rest.subspan(header_size, size)};
}

}  // namespace hanse::federation::wire
