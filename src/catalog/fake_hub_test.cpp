// SPDX-License-Identifier: Apache-2.0
#include "fake_hub.hpp"

#include <charconv>
#include <format>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"

namespace hanse::catalog {
namespace {

constexpr std::string_view commit = "0123456789abcdef0123456789abcdef01234567";

net::Response plain(unsigned status) {
    net::Response response;
    response.status = status;
    return response;
}

// One more of a fault that is to happen so many times.
bool take(std::atomic<unsigned>& count) {
    unsigned left = count.load();
    while (left > 0 && !count.compare_exchange_weak(left, left - 1)) {}
    return left > 0;
}

std::unique_ptr<net::Server> listen(net::Handler handler) {
    auto server = net::Server::start({.options = {}, .handler = std::move(handler), .on_error = [](const base::Error&) { return plain(400); }, .log = base::silent_log()});
    if (!server) std::abort();
    return std::move(*server);
}

}  // namespace

FakeHub::FakeHub() {
    cdn_ = listen([this](net::Exchange& exchange) { return answer(exchange, true); });
    api_ = listen([this](net::Exchange& exchange) { return answer(exchange, false); });
}

FakeHub::~FakeHub() {
    api_->drain(std::chrono::seconds{1});
    cdn_->drain(std::chrono::seconds{1});
}

std::string FakeHub::endpoint() const { return std::format("http://127.0.0.1:{}", api_->port()); }

void FakeHub::put(std::string path, std::string content) {
    const std::lock_guard lock(mutex_);
    files_[std::move(path)] = std::move(content);
}

std::vector<FakeHub::Seen> FakeHub::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::string FakeHub::listing() const {
    const std::lock_guard lock(mutex_);
    std::string siblings = R"({"rfilename":"README.md","size":4})";
    for (const auto& [path, content] : files_) {
        const std::string hash = stated_hash.empty() ? base::hex(crypto::sha256(base::bytes_of(content))) : stated_hash;
        siblings += std::format(R"(,{{"rfilename":"{}","size":{},"lfs":{{"sha256":"{}","size":{},"pointerSize":134}}}})", path, content.size(), hash, content.size());
    }
    return std::format(R"({{"id":"org/repo","sha":"{}","gated":false,"cardData":{{"license":"apache-2.0"}},"siblings":[{}]}})", commit, siblings);
}

boost::asio::awaitable<void> FakeHub::serve_file(net::Exchange& exchange, const std::string& content) {
    std::size_t from = 0;
    const std::string range(exchange.request().headers.get("Range"));
    if (range.starts_with("bytes=") && !ignore_ranges) std::from_chars(range.data() + 6, range.data() + range.size(), from);
    if (from > content.size()) {
        (void)co_await exchange.respond(plain(416));
        co_return;
    }
    const std::string rest = content.substr(from);
    net::Headers headers;
    headers.add("Content-Type", "application/octet-stream");
    if (from > 0) headers.add("Content-Range", std::format("bytes {}-{}/{}", from, content.size() - 1, content.size()));
    (void)co_await exchange.begin(from > 0 ? 206 : 200, headers);
    if (take(break_after)) {
        (void)co_await exchange.write(std::string_view(rest).substr(0, rest.size() / 2));
        exchange.abort();
        co_return;
    }
    (void)co_await exchange.write(rest);
    (void)co_await exchange.end();
}

boost::asio::awaitable<void> FakeHub::answer(net::Exchange& exchange, bool cdn) {
    const std::string path = exchange.request().path;
    const std::string authorization(exchange.request().headers.get("Authorization"));
    std::string content;
    bool known = false;
    {
        const std::lock_guard lock(mutex_);
        seen_.push_back({path, std::string(exchange.request().headers.get("Range")), authorization, cdn});
        for (const auto& [name, bytes] : files_)
            if (path == std::format("/org/repo/resolve/{}/{}", commit, name)) {
                content = bytes;
                known = true;
            }
    }
    net::Response response;
    if (!cdn && !token.empty() && authorization != "Bearer " + token) response = plain(401);
    else if (!cdn && take(busy)) {
        response = plain(429);
        response.headers.add("Retry-After", "0");
    } else if (!cdn && take(failing)) response = plain(503);
    else if (!cdn && path == "/api/models/org/repo/revision/main") {
        response.headers.add("Content-Type", "application/json");
        response.body = listing();
    } else if (cdn && known) {
        co_await serve_file(exchange, content);
        co_return;
    } else if (known) {
        response = plain(302);
        response.headers.add("Location", std::format("http://127.0.0.1:{}{}", cdn_->port(), path));
    } else response = plain(404);
    (void)co_await exchange.respond(std::move(response));
}

}  // namespace hanse::catalog
