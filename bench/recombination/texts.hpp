// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::recombination {

// One owner's texts, or the public ones. What is trained on and what is measured on are different files.
struct Domain {
    std::string name;
    std::string training;
    std::string validation;
};

// Files of the build environment's packages, the first domain being the public one: C++ headers; then Python, JavaScript and
// CMake sources, and sums that are made here. `not_found` where a package is missing.
base::Result<std::vector<Domain>> packaged_domains(std::size_t training_bytes, std::size_t validation_bytes);

// All texts made here, in a second: for the test.
std::vector<Domain> made_domains(std::size_t training_bytes, std::size_t validation_bytes);

}  // namespace hanse::recombination
