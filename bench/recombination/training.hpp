// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "forge/reference_model.hpp"

namespace hanse::recombination {

// The way back through forge's reference model, written out by hand, and AdamW (Loshchilov and Hutter 2019). Dense
// models only. One thread; the same numbers on the same kind of machine.
enum class Trained : std::uint8_t { everything, blocks };  // blocks: only the feed-forward ones, the trunk is frozen

forge::LlamaModel random_model(const forge::LlamaShape& shape, std::uint64_t seed);

class Training {
public:
    Training(forge::LlamaModel& model, Trained what);
    // Mean loss of the windows before the step.
    double step(const forge::Windows& windows, float rate);
    // The gradients alone, for the test that compares them with differences.
    double gradients(const forge::Windows& windows);

    struct Parameter {
        forge::Floats* weights;
        forge::Floats gradient = {}, mean = {}, square = {};
        bool decays = true;
    };
    std::vector<Parameter>& parameters() { return parameters_; }

private:
    struct Trace;
    double backward_head(const forge::Windows& windows, const Trace& trace, forge::Floats& slope);
    void backward_block(std::size_t number, Trace& trace, forge::Floats& slope);
    void backward_attention(std::size_t number, std::size_t window, Trace& trace, forge::Floats& slope);
    forge::Floats* gradient_of(const forge::Floats& weights);

    forge::LlamaModel& model_;
    std::vector<Parameter> parameters_;
    std::uint64_t steps_ = 0;
};

// Steps over windows drawn from the text, rising for a tenth of them and then falling like a cosine.
struct Course {
    std::uint32_t steps = 0;
    std::uint32_t windows = 16;
    std::uint32_t window = 64;
    float rate = 3e-3F;
    std::uint64_t seed = 1;
};
using Report = std::function<void(std::uint32_t step, double loss)>;
void train(forge::LlamaModel& model, const std::string& text, Trained what, const Course& course, const Report& report = {});

}  // namespace hanse::recombination
