// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace hanse::engine {

// What a step costs on this machine with this model, learned from the steps themselves:
//
//   time = base + decode · outputs + prefill · prompt tokens + mixed (if there are both)
//
// Each measured step moves the terms that took part in it, in proportion to what each was thought to cost, so
// that none becomes negative and a term that is not used stays as it was. A single odd step (another process
// had the cores) moves them a little only. Pure; one owner.
class CostModel {
public:
    using Seconds = std::chrono::duration<double>;
    struct Work {
        std::uint32_t decode = 0;   // tokens whose logits are wanted, of answers
        std::uint32_t prefill = 0;  // prompt tokens
    };

    Seconds predicted(Work work) const;
    void measured(Work work, Seconds took);

    // How many prompt tokens fit beside `decode` answers' tokens into `budget`.
    std::uint32_t prefill_within(Seconds budget, std::uint32_t decode) const;
    double decode_tokens_per_second(std::uint32_t decode) const;
    double prefill_tokens_per_second() const;

private:
    std::array<double, 4> terms_{0.002, 0.005, 0.003, 0.0005};  // seconds: base, decode, prefill, mixed
    std::uint64_t steps_ = 0;
};

}  // namespace hanse::engine
