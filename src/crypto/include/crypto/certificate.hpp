// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::crypto {

struct PemPair {
    std::string certificate;
    std::string key;  // secret: write it with mode 0600
};

// A certificate that vouches for itself, on ECDSA P-256, for a first start and for tests. `names` are DNS
// names or addresses; `invalid` if there is none.
base::Result<PemPair> make_self_signed(const std::vector<std::string>& names, std::chrono::days valid);

}  // namespace hanse::crypto
