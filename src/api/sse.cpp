// SPDX-License-Identifier: Apache-2.0
#include "sse.hpp"

#include <string>

namespace hanse::api {

boost::asio::awaitable<void> break_events(Call& call, base::Error error) {
    auto written = co_await call.write_down(error.code.empty() ? std::string(base::name(error.kind)) : error.code);
    if (!written) error = std::move(written.error());
    if (error.kind == base::ErrorKind::cancelled) {
        call.saw_cancel();
    } else {
        const std::string event = "data: " + error_json(error) + "\n\n";
        call.record.error = error.code.empty() ? std::string(base::name(error.kind)) : error.code;
        co_await call.write(event);
    }
    call.exchange.abort();
}

}  // namespace hanse::api
