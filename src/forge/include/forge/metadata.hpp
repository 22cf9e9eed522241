// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hanse::forge {

// A value of GGUF's metadata, of exactly the type it has in the file. Lists hold plain values only.
using MetadataValue =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float, bool, std::string,
                 std::uint64_t, std::int64_t, double, std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>, std::vector<float>, std::vector<bool>,
                 std::vector<std::string>, std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

// Keys and values in the file's order. safetensors knows texts only: there each value is a std::string. Reading one whole is cheap
// except for vocabularies, which may have some hundred thousand texts. A plain value; not thread-safe while changed.
class Metadata {
public:
    using Entry = std::pair<std::string, MetadataValue>;

    const std::vector<Entry>& entries() const { return entries_; }
    const MetadataValue* find(std::string_view key) const;
    template <typename T>
    const T* get(std::string_view key) const {
        const MetadataValue* found = find(key);
        return found == nullptr ? nullptr : std::get_if<T>(found);
    }
    // Any whole number that is not negative, whatever its width.
    std::optional<std::uint64_t> whole(std::string_view key) const;
    std::optional<double> number(std::string_view key) const;
    std::string text(std::string_view key) const;  // empty if it is not there or no text

    // In place of the old value, or at the end.
    void set(std::string_view key, MetadataValue value);
    void remove(std::string_view key);
    // All keys that begin so.
    void remove_all(std::string_view prefix);

    bool operator==(const Metadata&) const = default;

private:
    std::vector<Entry> entries_;
};

// For people: texts as they are, lists cut after `most` items.
std::string shown(const MetadataValue& value, std::size_t most = 8);

}  // namespace hanse::forge
