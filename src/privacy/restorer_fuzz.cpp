// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "privacy/pseudonyms.hpp"
#include "privacy/recogniser.hpp"

// The input is a text, its first byte how it is cut. What comes back through the pseudonyms is the text itself; an answer
// that nobody made of them comes back as it is; cutting changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse;
    using namespace hanse::privacy;
    static const auto recogniser = Recogniser::create({.directory = {.people = {{.given = "Marta", .family = "Brinkmann"}}}}).value();
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    base::SeededRandom random(data[0]);
    const auto table = Pseudonyms::open(random).value();
    const auto findings = recogniser->scan(text);
    if (!findings) std::abort();
    const auto replaced = table->replace(text, *findings);
    if (!replaced) std::abort();
    Restorer whole(*table), cut(*table);
    std::string at_once = whole.feed(replaced->text), in_pieces;
    at_once += whole.finish();
    for (std::size_t at = 0; at < replaced->text.size();) {
        const std::size_t piece = 1 + random.next() % 13;
        in_pieces += cut.feed(std::string_view(replaced->text).substr(at, piece));
        at += piece;
    }
    in_pieces += cut.finish();
    if (at_once != text || in_pieces != text) std::abort();
    Restorer plain(*table);
    std::string same = plain.feed(text);
    same += plain.finish();
    if (same != text) std::abort();
    return 0;
}
