// SPDX-License-Identifier: Apache-2.0
#include "privacy/finding.hpp"

#include <algorithm>

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;
constexpr std::array<std::string_view, kind_count> kinds{
    "iban"sv,    "tax-id"sv,     "tax-number"sv, "social-insurance"sv, "health-insurance"sv,
    "id-card"sv, "passport"sv,   "vat-id"sv,     "number-plate"sv,     "card"sv,
    "phone"sv,   "email"sv,      "ip"sv,         "secret-url"sv,       "birth-date"sv,
    "address"sv, "credential"sv, "person"sv,     "organisation"sv,     "project"sv,
    "name"sv};
constexpr std::array grounds{"checked"sv, "directory"sv, "form"sv, "context"sv, "grammar"sv};

}  // namespace

std::string_view name(Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }
std::string_view name(Ground ground) { return grounds[static_cast<std::size_t>(ground)]; }

std::optional<Kind> kind_named(std::string_view word) {
    const auto found = std::ranges::find(kinds, word);
    if (found == kinds.end()) return {};
    return static_cast<Kind>(found - kinds.begin());
}

}  // namespace hanse::privacy
