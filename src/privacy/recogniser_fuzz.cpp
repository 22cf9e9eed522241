// SPDX-License-Identifier: Apache-2.0
#include "privacy/recogniser.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "privacy/pseudonyms.hpp"

// Any bytes are a text: findings lie inside it, in order, apart from one another, and are the same each time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::privacy;
    static const auto recogniser =
        Recogniser::create({.directory = {.people = {{.given = "Marta", .family = "von Brinkmann", .initials = "MB"},
                                                     {.given = "Jürgen", .family = "Koch"}},
                                          .organisations = {{.name = "Nordische Werft GmbH & Co. KG", .aliases = {"NWK"}}},
                                          .projects = {{.name = "Seepferd"}}}})
            .value();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto first = recogniser->scan(text), second = recogniser->scan(text);
    if (!first || !second || *first != *second) std::abort();
    std::uint32_t at = 0;
    for (const Finding& finding : *first) {
        if (finding.begin < at || finding.begin >= finding.end || finding.end > size || finding.tail >= finding.end - finding.begin)
            std::abort();
        at = finding.end;
    }
    for (const Span& span : verbatim_parts(text))
        if (span.begin >= span.end || span.end > size) std::abort();
    return 0;
}
