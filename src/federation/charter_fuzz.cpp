// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "federation/charter_chain.hpp"

// What is accepted is written back to the byte: a charter that could be written in two ways could be signed in two.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::federation;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto document = CharterDocument::parse(text); document && document->whole() != text) std::abort();
    if (const auto ballot = Ballot::parse(text); ballot && !Ballot::parse(ballot->text())) std::abort();
    return 0;
}
