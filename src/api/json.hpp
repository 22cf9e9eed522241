// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::api {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view name(JsonKind kind);  // "a string", for messages

// A request body as JSON. A parser of our own, because a client must be told which field is wrong and what
// it should have been, parts of a body (schemas, tool parameters) go on as the bytes they are, and nothing
// is decoded that nobody reads.
//
// The tree is a flat list of nodes in the order of the text, each with its span and the index behind its
// subtree. Strict (RFC 8259, valid UTF-8, no half surrogates, depth at most 64), linear, at most
// `nodes_max` nodes. The text must outlive the document, which must outlive its values and not move.
class JsonDocument;

class JsonValue {
public:
    JsonKind kind() const;
    bool is(JsonKind kind) const { return this->kind() == kind; }
    std::string_view raw() const;  // as it stands in the text
    bool boolean() const;
    double number() const;
    std::optional<std::int64_t> integer() const;  // if it is a whole number that fits
    std::string string() const;                   // decoded
    std::size_t size() const;                     // of an array or object

    // for (auto item = array.first(); item; item = item->next()): in an array its items, in an object key,
    // value, key, value.
    std::optional<JsonValue> first() const;
    std::optional<JsonValue> next() const;

private:
    friend class JsonDocument;
    JsonValue(const JsonDocument* document, std::uint32_t index, std::uint32_t stop)
        : document_(document), index_(index), stop_(stop) {}
    const JsonDocument* document_;
    std::uint32_t index_;
    std::uint32_t stop_;  // where the siblings end
};

class JsonDocument {
public:
    static constexpr std::size_t nodes_max = 4U << 20;
    // `invalid` with the offset, `too_large` over nodes_max.
    static base::Result<JsonDocument> parse(std::string_view text);
    JsonValue root() const { return {this, 0, nodes_[0].next}; }

private:
    friend class JsonValue;
    struct Node {
        std::uint32_t begin;
        std::uint32_t end;
        std::uint32_t next;
        std::uint32_t count;
        JsonKind kind;
        bool escaped;
    };
    std::string_view text_;
    std::vector<Node> nodes_;
};

}  // namespace hanse::api
