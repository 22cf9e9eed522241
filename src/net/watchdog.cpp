// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

namespace hanse::net {

void Watchdog::watch(Watched& watched) {
    watched_.push_back(watched);
    if (!waiting_) wait();
}

void Watchdog::wait() {
    waiting_ = true;
    timer_.expires_after(period);
    timer_.async_wait([this](const boost::system::error_code& error) {
        waiting_ = false;
        if (!error) tick();
    });
}

void Watchdog::tick() {
    const base::Instant now = std::chrono::steady_clock::now();
    for (auto at = watched_.begin(); at != watched_.end();) {
        Watched& watched = *at++;  // may leave the list meanwhile
        watched.ticked();
        if (!watched.limit_.passed(now)) continue;
        watched.disarm();
        watched.expired();
    }
    if (!watched_.empty()) wait();
}

}  // namespace hanse::net
