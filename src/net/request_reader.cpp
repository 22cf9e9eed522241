// SPDX-License-Identifier: Apache-2.0
#include "request_reader.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <format>

namespace hanse::net {
namespace {

namespace http = boost::beast::http;

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get: return Method::get;
        case http::verb::head: return Method::head;
        case http::verb::post: return Method::post;
        case http::verb::put: return Method::put;
        case http::verb::patch: return Method::patch;
        case http::verb::delete_: return Method::delete_;
        case http::verb::options: return Method::options;
        default: return Method::other;
    }
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<Request> to_request(http::request<http::string_body>&& message) {
    Request request;
    request.method = method_of(message.method());
    std::string_view target(message.target().data(), message.target().size());
    // RFC 9112, section 3.2.2: a server must accept the absolute form as well.
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        const std::size_t slash = target.find('/', scheme.size());
        target = slash == target.npos ? "/" : target.substr(slash);
        break;
    }
    const std::size_t mark = target.find('?');
    if (mark != target.npos) request.query = target.substr(mark + 1);
    auto path = percent_decoded(target.substr(0, mark));
    if (!path) return std::nullopt;
    request.path = std::move(*path);
    for (const auto& field : message)
        request.headers.add({field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()});
    request.body = std::move(message.body());
    return request;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    if (!text.contains('%')) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

struct RequestReader::State {
    explicit State(ReadLimits l) : limits(l) { fresh(); }

    void fresh() {
        parser.emplace();
        parser->eager(true);
        parser->header_limit(static_cast<std::uint32_t>(limits.header_max));
        parser->body_limit(limits.body_max);
        said_continue = false;
    }

    ReadLimits limits;
    boost::beast::flat_buffer buffer;
    std::optional<http::request_parser<http::string_body>> parser;
    bool said_continue = false;
    bool keep_alive = true;
    bool is_1_0 = false;
};

RequestReader::RequestReader(ReadLimits limits) : state_(std::make_unique<State>(limits)) {}
RequestReader::~RequestReader() = default;

// Most requests are short, and each connection keeps its buffer: the larger one only for what is known to be long.
boost::asio::mutable_buffer RequestReader::space() {
    const auto left = state_->parser->is_header_done() ? state_->parser->content_length_remaining() : boost::none;
    return state_->buffer.prepare(left && *left > 4096 ? 16U << 10 : 4U << 10);
}
void RequestReader::received(std::size_t count) { state_->buffer.commit(count); }
bool RequestReader::has_bytes() const { return state_->buffer.size() > 0 || state_->parser->got_some(); }
bool RequestReader::in_body() const { return state_->parser->is_header_done(); }
bool RequestReader::keep_alive() const { return state_->keep_alive; }
bool RequestReader::is_http_1_0() const { return state_->is_1_0; }

bool RequestReader::wants_continue() {
    auto& parser = *state_->parser;
    if (state_->said_continue || !parser.is_header_done() || parser.is_done()) return false;
    const auto expect = parser.get()[http::field::expect];
    state_->said_continue = boost::beast::iequals(expect, "100-continue");
    return state_->said_continue;
}

base::Result<std::optional<Request>> RequestReader::next() {
    auto& parser = *state_->parser;
    while (!parser.is_done() && state_->buffer.size() > 0) {
        boost::system::error_code error;
        const std::size_t used = parser.put(state_->buffer.data(), error);
        state_->buffer.consume(used);
        if (error == http::error::need_more) return std::nullopt;
        if (error == http::error::header_limit)
            return base::fail(base::ErrorKind::too_large,
                              std::format("the request's header is longer than {} bytes", state_->limits.header_max), "header");
        if (error == http::error::body_limit)
            return base::fail(base::ErrorKind::too_large,
                              std::format("the request's body is longer than {} bytes", state_->limits.body_max), "body");
        if (error) return base::fail(base::ErrorKind::invalid, "the request is not well-formed HTTP: " + error.message());
    }
    if (!parser.is_done()) return std::nullopt;
    state_->keep_alive = parser.get().keep_alive();
    state_->is_1_0 = parser.get().version() < 11;
    auto request = to_request(parser.release());
    state_->fresh();
    if (!request) return base::fail(base::ErrorKind::invalid, "the request's path has a broken percent-encoding");
    return request;
}

}  // namespace hanse::net
