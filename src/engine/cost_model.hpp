// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hanse::engine {

// What a step costs on this machine with this model, learned from the steps themselves:
//
//   time = pass · passes over the weights + decode · outputs + prefill · prompt tokens
//        + attention · cells that tokens of short pieces look at + tiled · cells that those of long pieces look at
//
// A Kalman filter over the five terms: each step's error is shared out by how uncertain a term still is and how much of it the
// step had. So the growing depth of a prompt is put down to attention and not to the answers beside it, which a correction in
// proportion would do. Terms drift with each step, most of all together, none becomes negative, and one odd step (another process
// had the cores) moves them a little only. Pure; one owner.
class CostModel {
public:
    using Seconds = std::chrono::duration<double>;
    struct Work {
        std::uint32_t decode = 0;    // tokens whose logits are wanted, of answers
        std::uint32_t prefill = 0;   // prompt tokens
        std::uint32_t passes = 0;    // over the weights; 0: one for the answers, one for the prompts
        std::uint64_t attended = 0;  // cells of the cache, summed over the tokens that look at them, in pieces under `tile`
        std::uint64_t tiled = 0;     // and in longer ones, where ggml looks at them block by block
    };
    static constexpr std::uint32_t tile = 64;  // GGML_FA_TILE_Q

    CostModel();
    Seconds predicted(Work work) const;
    void measured(Work work, Seconds took);

    // How many tokens of a prompt fit beside other work into `budget`, where it has come to `depth` tokens.
    std::uint32_t prefill_within(Seconds budget, Work beside, std::uint32_t depth) const;
    double decode_tokens_per_second(std::uint32_t decode) const;
    double prefill_tokens_per_second() const;

private:
    static constexpr std::size_t count = 5;
    using Row = std::array<double, count>;
    static Row features(Work work);
    double scale() const;
    void widen();

    Row terms_;                        // seconds; attention to 1,000 cells
    std::array<Row, count> spread_{};  // covariance of the terms' errors
    std::uint64_t steps_ = 0;
};

}  // namespace hanse::engine
