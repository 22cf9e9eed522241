// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include <algorithm>

namespace hanse::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Without an early end, for the compiler's sake.
bool fits_a_line(std::string_view text) {
    bool breaks = false;
    for (const char c : text) breaks |= c == '\r' || c == '\n' || c == '\0';
    return !breaks;
}

// What the fields of a usual request take, so that they seldom move.
constexpr std::size_t usual_fields = 12;
constexpr std::size_t usual_text = 400;

}  // namespace

std::string_view name(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::other: break;
    }
    return "OTHER";
}

bool same_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    return true;
}

void Headers::add(std::string_view name, std::string_view value) {
    if (name.empty() || !fits_a_line(name) || !fits_a_line(value)) return;
    // A view into text_ itself, as in headers.add("x", headers.get("y")), would not live through growth.
    const auto inside = [this](std::string_view v) { return v.data() >= text_.data() && v.data() <= text_.data() + text_.size(); };
    if (text_.size() + name.size() + value.size() > text_.capacity() && (inside(name) || inside(value)))
        return add(std::string(name), std::string(value));
    if (fields_.capacity() == 0) {
        fields_.reserve(usual_fields);
        text_.reserve(usual_text);
    }
    const auto at = static_cast<std::uint32_t>(text_.size());
    fields_.push_back({at, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
    text_.append(name).append(value);
}

void Headers::set(std::string_view name, std::string_view value) {
    const std::string kept(value);  // it may be the value that goes
    remove(name);
    add(name, kept);
}

const Headers::Field* Headers::find(std::string_view name) const {
    for (const auto& f : fields_)
        if (f.name_size == name.size() && same_name({text_.data() + f.at, f.name_size}, name)) return &f;
    return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
    const auto* f = find(name);
    return f == nullptr ? std::string_view{} : std::string_view(text_.data() + f->at + f->name_size, f->value_size);
}

bool Headers::has(std::string_view name) const { return find(name) != nullptr; }

void Headers::remove(std::string_view name) {
    std::erase_if(fields_, [&](const Field& f) { return same_name({text_.data() + f.at, f.name_size}, name); });
    if (fields_.empty()) text_.clear();
}

void Headers::clear() {
    fields_.clear();
    text_.clear();
}

std::string_view reason(unsigned status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 499: return "Client Closed Request";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

}  // namespace hanse::net
