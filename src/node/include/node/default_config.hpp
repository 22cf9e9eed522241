// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/language.hpp"

namespace hanse::node {

// The file that `hanse init` writes: every key with its default, commented out and explained. A test reads it
// with all comment signs removed, so it cannot name a key that does not exist.
std::string default_config(base::Language language);
// The same for federation.toml.
std::string default_partner_config(base::Language language);

}  // namespace hanse::node
