// SPDX-License-Identifier: Apache-2.0
#include "journal/witness.hpp"

#include <cstdlib>

#include "journal/key_list.hpp"
#include "journal/witness_policy.hpp"

// What strangers post to a witness, what it keeps, and policies: whatever is taken reads back as itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::journal;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto asked = AddCheckpoint::parse(text); asked && asked->body() != text) std::abort();
    if (const auto evidence = Evidence::parse(text); evidence && evidence->text() != text) std::abort();
    (void)WitnessPolicy::parse(text);
    if (const auto keys = parse_key_list(text))
        for (const auto& key : *keys)
            if (!text.contains(key.vkey())) std::abort();
    return 0;
}
