// SPDX-License-Identifier: Apache-2.0
#include "label/preset.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using namespace std::string_view_literals;

constexpr std::array names{"public"sv, "internal"sv, "partner"sv, "personal"sv, "trade-secret"sv, "vs-nfd"sv};

// The words of a preset as they stand in the table of the model.
struct Row {
    std::string_view place;
    std::string_view handling;
    std::optional<ContentWord> content;
    std::array<std::string_view, 2> purposes;
    Retention keep;
    Learning learn;
};

Row row_of(Preset preset) {
    switch (preset) {
        case Preset::open: break;
        case Preset::internal: return {"EU", "", {}, {"answer", "quality"}, Retention::session(), Learning::own_adapter};
        case Preset::partner: return {"EU", "NDA", {}, {"answer", "support"}, Retention::contract(), Learning::no};
        case Preset::personal: return {"EU", "", label::personal, {"answer", ""}, Retention::session(), Learning::no};
        case Preset::trade_secret: return {"house", "", label::trade_secret, {"answer", ""}, Retention::none(), Learning::no};
        case Preset::vs_nfd: return {"DE", "VS-NfD", {}, {"answer", ""}, Retention::none(), Learning::no};
    }
    return {"world", "", {}, {}, Retention::contract(), Learning::any};
}

}  // namespace

std::string_view name(Preset preset) { return names[static_cast<std::size_t>(preset)]; }

std::optional<Preset> preset_named(std::string_view word) {
    const auto found = std::ranges::find(names, word);
    if (found == names.end()) return {};
    return static_cast<Preset>(found - names.begin());
}

Result<Terms> preset_terms(Preset preset, const PresetParts& parts, const Vocabulary& words) {
    if (preset == Preset::open) return Terms{};
    const bool names_readers = preset == Preset::partner || preset == Preset::vs_nfd;
    if (names_readers && (!parts.readers || parts.readers->empty()))
        return fail(ErrorKind::invalid, std::format("{} needs its readers named", name(preset)));
    const auto row = row_of(preset);
    const auto place = words.place(row.place, parts.owner);
    if (!place)
        return fail(ErrorKind::invalid,
                    std::format("{} needs the place {}, which {} does not have", name(preset), row.place, words.name(parts.owner)));
    Terms terms{.place = *place, .control = *place, .purpose = {}, .retention = row.keep, .learning = row.learn, .accepts = {}};
    if (preset == Preset::internal || preset == Preset::partner) terms.accepts.add(bit(Transformation::pseudonymise));
    const Readers own = *words.readers(words.name(parts.owner));
    terms.readers = preset == Preset::partner ? own | *parts.readers : preset == Preset::vs_nfd ? *parts.readers : own;
    if (!row.handling.empty()) {
        const auto handling = preset == Preset::partner && parts.agreement ? parts.agreement : words.handling(row.handling);
        if (!handling)
            return fail(ErrorKind::invalid, std::format("{} needs the release {}, which the vocabulary lacks", name(preset), row.handling));
        terms.handling.add(bit(*handling));
    }
    if (row.content) terms.content.add(bit(*row.content));
    for (const auto purpose : row.purposes) {
        if (purpose.empty()) continue;
        const auto known = words.purpose(purpose);
        if (!known)
            return fail(ErrorKind::invalid, std::format("{} needs the purpose {}, which the vocabulary lacks", name(preset), purpose));
        terms.purpose.add(bit(*known));
    }
    return terms;
}

}  // namespace hanse::label
