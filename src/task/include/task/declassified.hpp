// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "label/declassify.hpp"

namespace hanse::task {

// A declassification that a request went by: what the journal writes down before its effect is visible. Its text holds
// labels, the reason and the signatures, and of the payload only the digest.
struct Declassified {
    std::string id;    // "dcl_…", from the digest of what was signed
    std::string text;  // as label::text(SignedDeclassification) writes it
    label::Scope scope = label::Scope::once;
    std::int64_t expiry = 0;
};

}  // namespace hanse::task
