// SPDX-License-Identifier: Apache-2.0
#include "label/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

namespace hanse::label {
namespace {

using namespace std::string_view_literals;

constexpr std::array learnings{"no"sv, "own-adapter"sv, "federation"sv, "any"sv};
constexpr std::array integrities{"outside"sv, "member"sv, "own"sv};
constexpr std::array transformations{"pseudonymise"sv, "drop"sv, "branch"sv};
constexpr std::array terms{"label"sv,   "integrity"sv, "readers"sv,   "place"sv,    "control"sv, "handling"sv,
                           "content"sv, "purpose"sv,   "retention"sv, "learning"sv, "rule"sv};

template <typename Word, std::size_t Count>
std::optional<Word> find(const std::array<std::string_view, Count>& names, std::string_view word) {
    const auto found = std::ranges::find(names, word);
    if (found == names.end()) return {};
    return static_cast<Word>(found - names.begin());
}

}  // namespace

std::string_view name(Learning value) { return learnings[static_cast<std::size_t>(value)]; }
std::string_view name(Integrity value) { return integrities[static_cast<std::size_t>(value)]; }
std::string_view name(Transformation value) { return transformations[static_cast<std::size_t>(value)]; }
std::string_view name(Term value) { return terms[static_cast<std::size_t>(value)]; }

std::string name(Retention value) {
    if (value == Retention::none()) return "none";
    if (value == Retention::session()) return "session";
    if (const auto days = value.day_count()) return std::format("days:{}", *days);
    return "contract";
}

std::optional<Learning> learning_named(std::string_view word) { return find<Learning>(learnings, word); }
std::optional<Integrity> integrity_named(std::string_view word) { return find<Integrity>(integrities, word); }
std::optional<Transformation> transformation_named(std::string_view word) { return find<Transformation>(transformations, word); }

std::optional<Retention> retention_named(std::string_view word) {
    if (word == "none") return Retention::none();
    if (word == "session") return Retention::session();
    if (word == "contract") return Retention::contract();
    if (!word.starts_with("days:")) return {};
    const std::string_view digits = word.substr(5);
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.starts_with('0')) return {};
    if (count < 1 || count > Retention::days_max) return {};
    return Retention::days(count);
}

}  // namespace hanse::label
