// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "net/http.hpp"

namespace hanse::api {

enum class Route : std::uint8_t {
    chat,
    completions,
    embeddings,
    rerank,
    responses,
    response,
    response_items,
    models,
    model,
    decide,
    plan,
    declassifications,
    receipt,
    journal,
    health,
    ready,
    metrics,
    unknown,
};
constexpr std::size_t route_count = static_cast<std::size_t>(Route::unknown) + 1;

// Static text, for metrics, logs and traces: never a path as it was sent.
std::string_view name(Route route);
// "GET, DELETE", for 405; empty for an unknown path.
std::string_view allowed(Route route);

struct Found {
    Route route = Route::unknown;
    bool method_allowed = false;
    std::string_view id = {};  // of a model or response; a view into the path
};
Found find_route(net::Method method, std::string_view path);

}  // namespace hanse::api
