// SPDX-License-Identifier: Apache-2.0
#include "label/policy.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "label/prove.hpp"

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using namespace std::string_view_literals;

constexpr std::array sorts{"model"sv, "backend"sv, "peer"sv, "tool"sv, "caller"sv, "store"sv};

std::string answer(const Policy& policy, const Asked& asked, std::int64_t now) {
    const auto label = policy.label(asked.label);
    if (!label) return "invalid: " + label.error().message;
    const auto use = read_use(asked.use, policy.words(), now);
    if (!use) return "invalid: " + use.error().message;
    return text(judge(*label, policy.clearance(asked.place), *use), policy.words());
}

}  // namespace

std::string_view name(PlaceSort sort) { return sorts[static_cast<std::size_t>(sort)]; }

const Kind* Policy::kind(std::string_view name) const {
    const auto found = std::ranges::find(kinds_, name, &Kind::name);
    return found == kinds_.end() ? nullptr : &*found;
}

const PolicyPlace* Policy::place(std::string_view name) const {
    const auto found = std::ranges::find(places_, name, &PolicyPlace::name);
    return found == places_.end() ? nullptr : &*found;
}

Clearance Policy::clearance(std::string_view name) const {
    const PolicyPlace* known = place(name);
    return known != nullptr ? known->clearance : Clearance::none(std::string(name));
}

Result<Label> Policy::label(std::string_view text) const {
    // Only the canonical text has terms and integrity; names of kinds have no "=".
    if (text == "top" || text.contains('=')) return read_label(text, *words_);
    Label joined = Label::bottom();
    while (true) {
        const auto plus = text.find('+');
        const std::string_view word = text.substr(0, plus);
        const Kind* known = kind(word);
        if (known == nullptr) return fail(ErrorKind::invalid, std::format("the kind \"{}\" is unknown", word.substr(0, 80)), "unknown_word", "label");
        joined = join(joined, known->label);
        if (plus == std::string_view::npos) return joined;
        text.remove_prefix(plus + 1);
    }
}

CaseWorld Policy::cases(std::int64_t now) const {
    CaseWorld world{.words = *words_, .now = now};
    for (const Kind& each : kinds_) world.labels.emplace(each.name, each.label);
    for (const PolicyPlace& each : places_) world.places.emplace(each.name, each.clearance);
    return world;
}

std::vector<std::string> Policy::unseen_kinds() const {
    std::vector<std::string> all;
    for (const Kind& each : kinds_) {
        const bool seen = std::ranges::any_of(places_, [&](const PolicyPlace& place) { return !prove(*this, each, place.name).holds(); });
        if (!seen) all.push_back(each.name);
    }
    return all;
}

std::string record_text(std::span<const Asked> record) {
    std::string out;
    for (const Asked& asked : record) out += std::format("{}\t{}\t{}\n", asked.label, asked.place, asked.use);
    return out;
}

Result<std::vector<Asked>> read_record(std::string_view text, std::string_view file) {
    std::vector<Asked> record;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto first = line.find('\t'), second = line.find('\t', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos)
            return fail(ErrorKind::invalid, std::format("{}:{}: expected a label, a place and a use, separated by tabs", file, number));
        record.push_back({std::string(line.substr(0, first)), std::string(line.substr(first + 1, second - first - 1)), std::string(line.substr(second + 1))});
    }
    return record;
}

std::vector<Difference> differences(const Policy& before, const Policy& after, std::span<const Asked> traffic, std::int64_t now) {
    std::vector<Difference> all;
    for (const Asked& asked : traffic) {
        std::string first = answer(before, asked, now), second = answer(after, asked, now);
        if (first != second) all.push_back({asked, std::move(first), std::move(second)});
    }
    return all;
}

}  // namespace hanse::label
