// SPDX-License-Identifier: Apache-2.0
#include "router.hpp"

namespace hanse::api {
namespace {

constexpr std::array<std::string_view, route_count> names{"/v1/chat/completions",
                                                          "/v1/completions",
                                                          "/v1/embeddings",
                                                          "/v1/rerank",
                                                          "/v1/responses",
                                                          "/v1/responses/{id}",
                                                          "/v1/responses/{id}/input_items",
                                                          "/v1/models",
                                                          "/v1/models/{id}",
                                                          "/v1/hanse/decide",
                                                          "/v1/hanse/route",
                                                          "/v1/hanse/declassifications",
                                                          "/v1/hanse/receipts/{id}",
                                                          "/journal/{path}",
                                                          "/healthz",
                                                          "/readyz",
                                                          "/metrics",
                                                          "unknown"};

Route of_path(std::string_view path, std::string_view& id) {
    constexpr std::string_view journal = "/journal/";
    constexpr std::string_view receipts = "/v1/hanse/receipts/";
    if (path.starts_with(journal)) {
        id = path.substr(journal.size());
        return Route::journal;
    }
    if (path.starts_with(receipts) && path.size() > receipts.size()) {
        id = path.substr(receipts.size());
        return id.contains('/') ? Route::unknown : Route::receipt;
    }
    if (!path.starts_with("/v1/")) {
        for (const Route route : {Route::health, Route::ready, Route::metrics})
            if (path == name(route)) return route;
        return Route::unknown;
    }
    for (const Route route : {Route::chat, Route::completions, Route::embeddings, Route::responses, Route::models, Route::rerank,
                              Route::decide, Route::plan, Route::declassifications})
        if (path == name(route)) return route;
    constexpr std::string_view models = "/v1/models/";
    constexpr std::string_view responses = "/v1/responses/";
    if (path.starts_with(models) && path.size() > models.size()) {
        id = path.substr(models.size());  // may hold a slash, as "org/model"
        return Route::model;
    }
    if (path.starts_with(responses) && path.size() > responses.size()) {
        id = path.substr(responses.size());
        constexpr std::string_view items = "/input_items";
        if (id.ends_with(items)) {
            id.remove_suffix(items.size());
            return id.contains('/') ? Route::unknown : Route::response_items;
        }
        return id.contains('/') ? Route::unknown : Route::response;
    }
    return Route::unknown;
}

}  // namespace

std::string_view name(Route route) { return names[static_cast<std::size_t>(route)]; }

std::string_view allowed(Route route) {
    switch (route) {
        case Route::chat:
        case Route::completions:
        case Route::embeddings:
        case Route::rerank:
        case Route::decide:
        case Route::plan:
        case Route::declassifications:
        case Route::responses: return "POST";
        case Route::response: return "GET, DELETE";
        case Route::unknown: return "";
        default: return "GET, HEAD";
    }
}

Found find_route(net::Method method, std::string_view path) {
    Found found;
    found.route = of_path(path, found.id);
    found.method_allowed = allowed(found.route).contains(net::name(method)) && method != net::Method::other;
    return found;
}

}  // namespace hanse::api
