// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "privacy/finding.hpp"

namespace hanse::privacy {

// Of findings that overlap, the best one stays: what is checked before what is guessed, then the longer, then the surer. The
// result is sorted and free of overlaps. A loser that sticks out lengthens nothing: it was a misreading.
std::vector<Finding> resolve(std::vector<Finding> found, float threshold);

}  // namespace hanse::privacy
