// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "privacy/directory.hpp"
#include "privacy/finding.hpp"

namespace hanse::privacy {

struct RecogniserOptions {
    Directory directory = {};
    float threshold = 0.5F;  // findings with a lower score are dropped
};

// Finds in a text what must not leave unseen. Patterns (vectorscan) and the words of the directory give candidates in one
// pass each; our own code then checks digits, grammar and what stands around, and of overlapping candidates the best
// grounded one stays.
//
// Made once, with the self-check of create(); immutable, shared by all threads. Each scan borrows a scratch area of its own,
// so scans never wait for one another. Time is linear in the text but for the words of one line. Texts are bytes: what is not
// UTF-8 is looked at as well.
class Recogniser {
public:
    static constexpr std::size_t text_max = std::size_t{1} << 30;

    // Builds and then tries every kind on examples that it must find and others that it must not. `unavailable` if the
    // processor cannot run the pattern engine, `bug` naming the kind that failed. Without a recogniser nothing that needs one
    // may leave the house.
    static base::Result<std::shared_ptr<const Recogniser>> create(RecogniserOptions options);
    ~Recogniser();
    Recogniser(const Recogniser&) = delete;
    Recogniser& operator=(const Recogniser&) = delete;

    // Sorted by place, none overlapping. `too_large` beyond text_max; `unavailable` if memory for the engine is short: the
    // caller treats the text as if it held everything.
    base::Result<std::vector<Finding>> scan(std::string_view text) const;

    // The examples of create() again, for a caller who wants to know from time to time.
    base::Result<void> self_check() const;

private:
    struct State;
    explicit Recogniser(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::privacy
