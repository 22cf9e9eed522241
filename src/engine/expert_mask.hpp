// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend.hpp"

struct ggml_tensor;

namespace hanse::engine {

// Keeps experts of a mixture out of single sequences of a batch. libllama computes the router's logits of each layer into a
// tensor "ffn_moe_logits-N", one row a token; a callback between two parts of the graph sets the entries of experts that a token must
// not use so low that the softmax gives them exactly 0, so the others' weights are what they would be without them.
//
// libllama orders a batch's tokens as it likes. Whose row is whose is read from the places in the cache that the same graph writes the
// keys of these tokens to, for each slot has a stream of cells of its own, and from the numbers of the rows that the last layer picks. After a step whole() tells whether every token that had to be
// masked was so in every layer; if not, nothing of the step may be used. Without a mask in the batch nothing is asked and nothing costs.
// One thread, that of its backend.
class ExpertMask {
public:
    ExpertMask(std::uint32_t experts, std::uint32_t layers, std::uint32_t slots);

    // From the next begin() on; empty: all take part.
    void leave_out(std::uint32_t slot, std::span<const std::uint32_t> experts);
    void begin(std::span<const BatchToken> batch);
    bool whole() const { return masked_ == expected_; }

    // For llama_context_params::cb_eval, with this object as its user data.
    static bool callback(ggml_tensor* tensor, bool ask, void* mask);

private:
    bool asked(const ggml_tensor& tensor);
    void computed(ggml_tensor& tensor);
    void note_tokens(const ggml_tensor& store);
    void note_outputs(const ggml_tensor& pick);

    std::uint32_t experts_, layers_;
    std::vector<std::vector<std::uint32_t>> left_out_;  // by slot
    bool active_ = false;                               // someone in this batch has a mask
    std::uint64_t expected_ = 0, masked_ = 0;           // rows with a mask, over all layers
    std::vector<std::int64_t> places_;                  // cells of the part's tokens
    std::vector<std::uint32_t> tokens_;                 // slots of the part's tokens
    std::vector<std::int32_t> picked_;
    std::vector<std::uint32_t> rows_;                   // slots of the rows that the layer still has
    std::vector<float> logits_;
};

}  // namespace hanse::engine
