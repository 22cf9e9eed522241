// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/server.hpp"

namespace hanse::catalog {

// A hub on loopback that behaves like Hugging Face's where a pull can see it: the listing with blob facts,
// files that redirect to another port (the CDN), ranges, gates, and the ways all this can go wrong. Faults are
// counted down, so that a test says how often each happens.
class FakeHub {
public:
    FakeHub();
    ~FakeHub();

    std::string endpoint() const;
    void put(std::string path, std::string content);
    struct Seen {
        std::string path;
        std::string range;
        std::string authorization;
        bool cdn = false;
    };
    std::vector<Seen> seen() const;

    // Written before the requests that they are for.
    std::string token = {};               // set: everything needs it
    std::string stated_hash = {};         // instead of the right one
    std::atomic<unsigned> break_after{0};       // downloads that break off half way through what they owe
    std::atomic<unsigned> busy{0};              // 429 with Retry-After: 0
    std::atomic<unsigned> failing{0};           // 503
    std::atomic<bool> ignore_ranges{false};
    std::atomic<bool> leave_https{false};

private:
    boost::asio::awaitable<void> answer(net::Exchange& exchange, bool cdn);
    boost::asio::awaitable<void> serve_file(net::Exchange& exchange, const std::string& content);
    std::string listing() const;

    mutable std::mutex mutex_;
    std::map<std::string, std::string> files_;
    std::vector<Seen> seen_;
    std::unique_ptr<net::Server> cdn_;
    std::unique_ptr<net::Server> api_;
};

}  // namespace hanse::catalog
