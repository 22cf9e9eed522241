// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "privacy/directory.hpp"
#include "privacy/finding.hpp"

namespace hanse::privacy {

// A text and what must be found in it: the bytes `found` as `kind`; nothing at all where `found` is empty.
struct Example {
    std::string_view text;
    std::string_view found;
    Kind kind;
};
// At least one for each kind and one against each kind with check digits. They name people of this directory.
std::span<const Example> examples();
Directory example_directory();

}  // namespace hanse::privacy
