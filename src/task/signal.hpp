// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <utility>

namespace hanse::task {

// How another thread wakes one coroutine: notify() is remembered until the next wait(), so none is lost, and
// several before it are one post. No polling, no timer. Held by shared_ptr from both sides. One waiter.
class Signal : public std::enable_shared_from_this<Signal> {
public:
    void notify() {
        boost::asio::any_completion_handler<void()> handler;
        boost::asio::any_io_executor executor;
        {
            const std::lock_guard lock(mutex_);
            if (!handler_) {
                notified_ = true;
                return;
            }
            handler = std::move(handler_);
            executor = std::move(executor_);
        }
        boost::asio::post(executor, std::move(handler));
    }

    boost::asio::awaitable<void> wait() {
        return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
            [self = shared_from_this()](auto handler) {
                const boost::asio::any_io_executor executor = boost::asio::get_associated_executor(handler);
                const std::lock_guard lock(self->mutex_);
                if (self->notified_) {
                    self->notified_ = false;
                    boost::asio::post(executor, std::move(handler));
                    return;
                }
                // Counted as work, so that the executor does not run dry while another thread thinks.
                self->executor_ = boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
                self->handler_ = std::move(handler);
            },
            boost::asio::use_awaitable);
    }

private:
    std::mutex mutex_;
    bool notified_ = false;
    boost::asio::any_completion_handler<void()> handler_;
    boost::asio::any_io_executor executor_;
};

}  // namespace hanse::task
