// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <format>

#include "net/client.hpp"

namespace hanse::net {

base::Result<Url> Url::parse(std::string_view text) {
    const auto wrong = [&](std::string_view why) {
        return base::fail(base::ErrorKind::invalid, std::format("\"{}\" is not an http or https URL: {}", text, why));
    };
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return base::fail(base::ErrorKind::invalid, "a URL holds a blank or a control character");
    Url url;
    std::string_view rest = text;
    if (rest.starts_with("https://")) {
        url.secure = true;
        url.port = 443;
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else {
        return wrong("it must begin with http:// or https://");
    }
    rest = rest.substr(0, rest.find('#'));
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(authority.size());
    if (authority.contains('@')) return base::fail(base::ErrorKind::invalid, "a URL holds a user name; give keys and passwords their own field");

    std::string_view host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t close = host.find(']');
        if (close == host.npos) return wrong("its address has no closing bracket");
        port = host.substr(close + 1);
        host = host.substr(1, close - 1);
        if (!port.empty() && !port.starts_with(':')) return wrong("something follows its address");
        if (!port.empty()) port.remove_prefix(1);
    } else if (const std::size_t colon = host.find(':'); colon != host.npos) {
        port = host.substr(colon + 1);
        host = host.substr(0, colon);
        if (port.empty()) return wrong("its port is empty");
    }
    if (host.empty()) return wrong("it names no host");
    if (!port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (error != std::errc{} || end != port.data() + port.size() || url.port == 0) return wrong("its port is not a number from 1 to 65535");
    }
    url.host = host;
    const std::size_t mark = rest.find('?');
    url.path = rest.substr(0, mark);
    if (url.path.empty()) url.path = "/";
    if (mark != rest.npos) url.query = rest.substr(mark + 1);
    return url;
}

std::string Url::text() const {
    const bool usual = port == (secure ? 443 : 80);
    const bool numeric_v6 = host.contains(':');
    std::string out = secure ? "https://" : "http://";
    out += numeric_v6 ? std::format("[{}]", host) : host;
    if (!usual) out += std::format(":{}", port);
    out += path;
    if (!query.empty()) (out += '?') += query;
    return out;
}

}  // namespace hanse::net
