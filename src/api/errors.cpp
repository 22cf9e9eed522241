// SPDX-License-Identifier: Apache-2.0
#include "errors.hpp"

#include <algorithm>

#include "json_write.hpp"

namespace hanse::api {
namespace {

using base::ErrorKind;

std::string_view type_of(const base::Error& error) {
    switch (error.kind) {
        case ErrorKind::unauthenticated: return "authentication_error";
        case ErrorKind::denied: return "permission_error";
        case ErrorKind::overloaded: return "rate_limit_error";
        case ErrorKind::unavailable:
        case ErrorKind::corrupt:
        case ErrorKind::bug: return "server_error";
        case ErrorKind::deadline: return "timeout_error";
        default: return "invalid_request_error";
    }
}

}  // namespace

unsigned http_status(const base::Error& error) {
    switch (error.kind) {
        case ErrorKind::invalid: return error.code == "method_not_allowed" ? 405 : 400;
        case ErrorKind::unauthenticated: return 401;
        case ErrorKind::denied: return 403;
        case ErrorKind::not_found: return 404;
        case ErrorKind::too_large: return 413;
        case ErrorKind::overloaded: return 429;
        case ErrorKind::unavailable: return 503;
        case ErrorKind::deadline: return error.code == "request_timeout" ? 408 : 504;  // the client's time, or ours
        case ErrorKind::cancelled: return 499;
        case ErrorKind::corrupt: return 502;
        case ErrorKind::bug: return 500;
    }
    return 500;
}

std::string error_json(const base::Error& error) {
    std::string out = R"({"error":{"message":)";
    append_quoted(out, error.message);
    out += R"(,"type":")";
    out += type_of(error);
    out += R"(","param":)";
    if (error.param.empty())
        out += "null";
    else
        append_quoted(out, error.param);
    out += R"(,"code":)";
    append_quoted(out, error.code.empty() ? base::name(error.kind) : std::string_view(error.code));
    out += "}}";
    return out;
}

net::Response error_response(const base::Error& error) {
    net::Response response;
    response.status = http_status(error);
    response.headers.add("content-type", "application/json");
    if (error.kind == ErrorKind::unauthenticated) response.headers.add("www-authenticate", "Bearer");
    if (error.retry_after || error.kind == ErrorKind::overloaded) {
        const auto wait = error.retry_after.value_or(std::chrono::seconds{1});
        // Whole seconds for everybody, milliseconds for OpenAI's clients.
        const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
        response.headers.add("retry-after", std::to_string(seconds));
        response.headers.add("retry-after-ms", std::to_string(std::max<std::int64_t>(1, wait.count())));
    }
    response.body = error_json(error);
    return response;
}

}  // namespace hanse::api
