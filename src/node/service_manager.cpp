// SPDX-License-Identifier: Apache-2.0
#include "service_manager.hpp"

#include <chrono>
#include <cstddef>
#include <cstring>
#include <format>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace hanse::node {

void ServiceManager::send(std::string_view message) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path || (socket_[0] != '/' && socket_[0] != '@')) return;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace, unix(7)
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    // If nobody listens there is nobody to tell.
    (void)::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
    ::close(descriptor);
}

void ServiceManager::ready(std::string_view status) const { send(std::format("READY=1\nSTATUS={}", status)); }

void ServiceManager::reloading() const {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
    send(std::format("RELOADING=1\nMONOTONIC_USEC={}", now));
}

void ServiceManager::stopping() const { send("STOPPING=1"); }

}  // namespace hanse::node
