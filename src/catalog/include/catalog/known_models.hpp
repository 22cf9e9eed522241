// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hanse::catalog {

// Open models worth knowing in Europe, so that a newcomer can begin without searching. Sizes are those of the
// proposed file, rounded; hubs change, so a pull asks the hub and believes only what it answers.
struct KnownModel {
    std::string_view name;        // what `hanse model pull NAME` takes
    std::string_view title;
    std::string_view maker;
    std::string_view parameters;  // "9B"
    double gigabytes = 0;         // of the proposed file
    std::uint32_t context = 0;    // tokens, as its makers state
    std::string_view languages;   // codes of ISO 639-1, or a sentence
    std::string_view licence;     // SPDX identifier
    std::string_view source;      // reference that a pull uses
    std::string_view original;    // its makers' own page on the hub, OWNER/REPOSITORY
};

std::span<const KnownModel> known_models();
const KnownModel* find_known_model(std::string_view name);

}  // namespace hanse::catalog
