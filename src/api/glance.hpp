// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hanse::api {

// What must be known of a body before it goes on: the model, and whether a stream is wanted. Read in one
// pass without building anything, and yet strictly: the whole body must be one JSON object, "model" and
// "stream" are taken from its top level only, also when written with escapes, and each may be there once.
// So whoever reads the body behind us reads the same.
struct Glance {
    std::string model;
    std::size_t model_at = 0;    // of the value in the body, quotes included
    std::size_t model_size = 0;
    bool stream = false;
};
base::Result<Glance> glance(std::string_view body);

// The body with another name for the model; every other byte as it was.
std::string with_model(std::string_view body, const Glance& glance, std::string_view name);

}  // namespace hanse::api
