// SPDX-License-Identifier: Apache-2.0
#include "api/witness_endpoint.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

namespace hanse::api {
namespace {

constexpr std::string_view plain = "text/plain; charset=utf-8";

net::Response response(unsigned status, std::string_view type, std::string body) {
    net::Response made{status, {}, std::move(body)};
    made.headers.add("content-type", type);
    made.headers.add("cache-control", "no-cache");
    return made;
}

}  // namespace

boost::asio::awaitable<void> WitnessEndpoint::serve(net::Exchange& exchange) {
    const net::Method method = exchange.request().method;
    const bool reads = method == net::Method::get || method == net::Method::head;
    std::string_view path = exchange.request().path;
    path.remove_prefix(prefix.size());
    constexpr std::string_view last = "/checkpoint";
    const bool adds = path == "add-checkpoint";
    const bool shows = path.ends_with(last) && path.size() == 64 + last.size();
    net::Response made;
    if (adds && method == net::Method::post) {
        const std::string body = std::move(exchange.request().body);
        const auto decide = [this, &body]() -> boost::asio::awaitable<journal::WitnessAnswer> {
            co_return witness_.add_checkpoint(body, clock_.wall());
        };
        auto answer = co_await boost::asio::co_spawn(worker_, decide(), boost::asio::use_awaitable);
        const unsigned status = answer.status();
        const std::string_view type = answer.content_type();
        made = response(status, type, std::move(answer.body));
    } else if (shows && reads) {
        auto checkpoint = witness_.checkpoint(path.substr(0, 64));
        made = checkpoint ? response(200, plain, std::move(*checkpoint)) : response(404, plain, checkpoint.error().message + "\n");
    } else if (adds || shows) {
        made = response(405, plain, "this address does not take this method\n");
        made.headers.add("allow", adds ? "POST" : "GET, HEAD");
    } else {
        made = response(404, plain, "there is nothing at this address\n");
    }
    auto sent = co_await exchange.respond(std::move(made));
    (void)sent;  // a client that went away asks again
}

}  // namespace hanse::api
