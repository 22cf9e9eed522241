// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

#include "base/time.hpp"

namespace hanse::net {

// Something that must not wait for ever. A timer of its own for each read and write would cost more than
// the read; so one coarse tick per io_context looks at all of them. Limits are therefore kept to within one
// tick (100 ms).
class Watched : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    virtual ~Watched() = default;
    // The limit has passed; called once per arming, on the context's thread. Must not destroy the object.
    virtual void expired() = 0;
    // Each tick, whether anything expired or not.
    virtual void ticked() {}

    void arm(base::Deadline limit) { limit_ = limit; }
    void disarm() { limit_ = {}; }

private:
    friend class Watchdog;
    base::Deadline limit_;
};

// One for each io_context, found with boost::asio::use_service. Everything here happens on the context's
// one thread.
class Watchdog : public boost::asio::execution_context::service {
public:
    using key_type = Watchdog;
    static inline boost::asio::execution_context::id id;

    explicit Watchdog(boost::asio::execution_context& context)
        : service(context), timer_(static_cast<boost::asio::io_context&>(context)) {}

    void watch(Watched& watched);

private:
    void shutdown() noexcept override {
        timer_.cancel();
        watched_.clear();
    }
    void wait();
    void tick();

    static constexpr std::chrono::milliseconds period{100};
    boost::asio::steady_timer timer_;
    boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>> watched_;
    bool waiting_ = false;
};

}  // namespace hanse::net
