// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "label/label.hpp"

namespace hanse::label {

// The six labels that a company of 200 people starts from; every other kind of data is one of them with changes.
enum class Preset : std::uint8_t { open, internal, partner, personal, trade_secret, vs_nfd };

std::optional<Preset> preset_named(std::string_view word);  // "public", "internal", "partner", …
std::string_view name(Preset preset);

struct PresetParts {
    Principal owner;
    std::optional<Readers> readers = {};         // partner: with whom besides the owner; vs-nfd: the named group
    std::optional<HandlingWord> agreement = {};  // partner: the NDA; without one, the general word "NDA"
};
// `invalid` if a preset's readers are missing or superfluous, or the vocabulary lacks a word it needs. "internal" and
// "partner" accept pseudonymise: nothing in them is personal, so that this changes nothing about them, and what a rule on
// content finds in them is of a kind that says for itself what it accepts. No other preset accepts a transformation.
base::Result<Terms> preset_terms(Preset preset, const PresetParts& parts, const Vocabulary& words);

}  // namespace hanse::label
