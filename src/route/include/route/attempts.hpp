// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "route/choose.hpp"

namespace hanse::route {

// How one try of a candidate ended, as far as it matters for what comes next.
enum class TryEnd : std::uint8_t {
    answered,
    not_taken,    // refused, full, not reached: nothing of it ran there, as far as we know
    broken,       // connection lost, the peer lied, or no first token in time
    out_of_time,  // the whole deadline has passed
    stopped,      // by the caller, or by the budget
};

// The life of a question along its plan: the next best candidate is tried while the caller has not seen a token; after
// that it is told, since half an answer cannot be continued by another model. Tried are at most `tries_max`. A value;
// calls nobody.
class Attempts {
public:
    explicit Attempts(std::size_t candidates, std::size_t tries_max = 3) : left_(std::min(candidates, tries_max)) {}

    enum class Next : std::uint8_t {
        go,  // candidate() is to be tried
        answered,
        exhausted,  // nobody is left: `unavailable`
        cut_off,    // it broke after its first token: the caller is told
        stopped,
    };
    Next next() const { return next_; }
    std::size_t candidate() const { return candidate_; }  // in Plan::order
    void begin() { next_ = left_ > 0 ? Next::go : Next::exhausted; }
    void ended(TryEnd how, bool after_first_token) {
        if (next_ != Next::go) return;
        if (how == TryEnd::answered) next_ = Next::answered;
        else if (how == TryEnd::stopped || how == TryEnd::out_of_time) next_ = Next::stopped;
        else if (after_first_token) next_ = Next::cut_off;
        else if (--left_ == 0) next_ = Next::exhausted;
        else ++candidate_;
    }

private:
    std::size_t left_;
    std::size_t candidate_ = 0;
    Next next_ = Next::exhausted;
};

}  // namespace hanse::route
