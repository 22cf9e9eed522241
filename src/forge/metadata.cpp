// SPDX-License-Identifier: Apache-2.0
#include "forge/metadata.hpp"

#include <algorithm>
#include <format>
#include <type_traits>

namespace hanse::forge {
namespace {

template <typename T>
constexpr bool is_list = false;
template <typename T>
constexpr bool is_list<std::vector<T>> = true;

}  // namespace

const MetadataValue* Metadata::find(std::string_view key) const {
    const auto found = std::ranges::find(entries_, key, &Entry::first);
    return found == entries_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> Metadata::whole(std::string_view key) const {
    const MetadataValue* found = find(key);
    if (found == nullptr) return std::nullopt;
    return std::visit(
        []<typename T>(const T& value) -> std::optional<std::uint64_t> {
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
                if (std::cmp_greater_equal(value, 0)) return static_cast<std::uint64_t>(value);
            return std::nullopt;
        },
        *found);
}

std::optional<double> Metadata::number(std::string_view key) const {
    const MetadataValue* found = find(key);
    if (found == nullptr) return std::nullopt;
    return std::visit(
        []<typename T>(const T& value) -> std::optional<double> {
            if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) return static_cast<double>(value);
            return std::nullopt;
        },
        *found);
}

std::string Metadata::text(std::string_view key) const {
    const auto* found = get<std::string>(key);
    return found == nullptr ? std::string() : *found;
}

void Metadata::set(std::string_view key, MetadataValue value) {
    const auto found = std::ranges::find(entries_, key, &Entry::first);
    if (found == entries_.end()) entries_.emplace_back(key, std::move(value));
    else found->second = std::move(value);
}

void Metadata::remove(std::string_view key) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; });
}

void Metadata::remove_all(std::string_view prefix) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.first.starts_with(prefix); });
}

std::string shown(const MetadataValue& value, std::size_t most) {
    return std::visit(
        [&]<typename T>(const T& held) -> std::string {
            if constexpr (is_list<T>) {
                std::string out = "[";
                for (std::size_t i = 0; i < std::min(most, held.size()); ++i) {
                    if (i > 0) out += ", ";
                    out += std::format("{}", static_cast<typename T::value_type>(held[i]));
                }
                return out + (held.size() > most ? std::format(", … {} in all]", held.size()) : "]");
            } else {
                return std::format("{}", held);
            }
        },
        value);
}

}  // namespace hanse::forge
