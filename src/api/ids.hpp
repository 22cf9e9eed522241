// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace hanse::api {

// Names for requests, answers and calls: unique in this process and not to be guessed from one another
// without its random start; not secrets. One addition and a mix each, no system call.
class Ids {
public:
    explicit Ids(base::Random& random) : key_(random.next()), high_(random.next()), next_(random.next()) {}

    std::uint64_t number() { return mix(next_.fetch_add(1, std::memory_order_relaxed) ^ key_); }

    std::string make(std::string_view prefix) {
        constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
        std::string id(prefix);
        const auto low = number();
        const auto high = mix(low ^ high_);
        id.reserve(prefix.size() + 24);
        for (int i = 0; i < 12; ++i) id += digits[(low >> (5 * i)) & 31];
        for (int i = 0; i < 12; ++i) id += digits[(high >> (5 * i)) & 31];
        return id;
    }

private:
    // splitmix64's finaliser: a bijection, so numbers never repeat.
    static std::uint64_t mix(std::uint64_t x) {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        return x ^ (x >> 31);
    }
    const std::uint64_t key_;
    const std::uint64_t high_;
    std::atomic<std::uint64_t> next_;
};

}  // namespace hanse::api
