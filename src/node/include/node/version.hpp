// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hanse::node {

std::string_view version();  // "0.1.0"
std::string_view commit();   // short, with "+" if the tree had changes; empty outside a clone

}  // namespace hanse::node
