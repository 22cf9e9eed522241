// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "node/orders.hpp"

namespace hanse::node {

// An order lies as orders/<name>.order until it is carried out; its answer as orders/<name>.answer until it is read.
inline constexpr std::string_view order_extension = ".order";

struct Order {
    std::string what = {};  // "erase" or "prune"
    std::string record = {};
    std::string reason = {};
    std::uint64_t days = 0;
};
struct OrderAnswer {
    std::uint64_t index = 0;
    std::string error = {};  // empty: done
    int kind = 0;            // base::ErrorKind
};

base::Result<Order> read_order(const std::filesystem::path& file);
base::Result<void> write_answer(const std::filesystem::path& order, const OrderAnswer& answer);

}  // namespace hanse::node
