// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "anchors.hpp"
#include "base/result.hpp"

struct hs_database;
struct hs_scratch;

namespace hanse::privacy {

// An anchor that was found; `end` is the place behind its last byte.
struct Hit {
    std::uint32_t end = 0;
    Anchor anchor = Anchor::number;
    std::uint8_t detail = 0;
};

// The compiled patterns; the only file that sees vectorscan. Thread-safe: each search takes a scratch area from a pool
// that grows to the number of threads that ever searched at once.
class Engine {
public:
    static base::Result<std::unique_ptr<Engine>> compile(std::span<const Pattern> patterns);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // In the order of their ends.
    base::Result<void> search(std::string_view text, std::vector<Hit>& hits) const;

private:
    class Lease;
    Engine() = default;
    hs_scratch* take() const;
    void give(hs_scratch* scratch) const;

    std::vector<Pattern> patterns_;
    hs_database* database_ = nullptr;
    hs_scratch* prototype_ = nullptr;
    mutable std::mutex mutex_;
    mutable std::vector<hs_scratch*> idle_;
};

}  // namespace hanse::privacy
