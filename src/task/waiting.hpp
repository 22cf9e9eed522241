// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "signal.hpp"

namespace hanse::task {

template <typename T>
using Done = std::function<void(base::Result<T>)>;

// Awaits what calls back once from any thread. Ends early when stopped or late; what comes then is dropped.
template <typename T>
boost::asio::awaitable<base::Result<T>> called_back(std::function<void(Done<T>)> start, std::stop_token stop,
                                                    base::Clock& clock, base::Deadline deadline, std::string what) {
    struct Box {
        std::mutex mutex;
        std::optional<base::Result<T>> result;
        std::shared_ptr<Signal> signal = std::make_shared<Signal>();
    };
    auto box = std::make_shared<Box>();
    start([box](base::Result<T> result) {
        {
            const std::lock_guard lock(box->mutex);
            box->result.emplace(std::move(result));
        }
        box->signal->notify();
    });
    std::stop_callback<std::function<void()>> on_stop(stop, [wake = box->signal] { wake->notify(); });
    std::optional<boost::asio::steady_timer> alarm;
    while (true) {
        {
            const std::lock_guard lock(box->mutex);
            if (box->result) co_return std::move(*box->result);
        }
        if (stop.stop_requested()) co_return base::fail(base::ErrorKind::cancelled, "the client went away");
        if (deadline.passed(clock.now())) co_return base::fail(base::ErrorKind::deadline, what + " took longer than allowed");
        if (!alarm && deadline.when()) {
            const auto executor = co_await boost::asio::this_coro::executor;
            alarm.emplace(executor, deadline.left(clock.now()));
            alarm->async_wait([wake = box->signal](const boost::system::error_code& error) {
                if (!error) wake->notify();
            });
        }
        co_await box->signal->wait();
    }
}

}  // namespace hanse::task
