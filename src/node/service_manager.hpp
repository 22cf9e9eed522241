// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hanse::node {

// Tells systemd how the service fares: datagrams to the socket that NOTIFY_SOCKET names (sd_notify(3)), with
// no library for it. Without that variable nothing happens.
class ServiceManager {
public:
    explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}
    void ready(std::string_view status) const;
    void reloading() const;  // Type=notify-reload wants the monotonic time along
    void stopping() const;

private:
    void send(std::string_view message) const;
    std::string socket_;
};

}  // namespace hanse::node
