// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/expert.hpp"
#include "engine/generate.hpp"

namespace hanse::engine {

// Looks at a model while it computes, for tools that measure models rather than serve them: every token's logits, and what the
// feed-forward part of each layer reads. It computes with the same libllama as the engine, so with its quantised kernels and for
// each of its architectures. One window at a time, each a text of its own; one thread at a time.
class Probe {
public:
    struct Facts {
        std::string architecture;
        std::uint32_t layers = 0, width = 0, vocabulary = 0, context = 0;
        std::vector<ExpertFacts> experts = {};
    };
    struct ScaledAdapter {
        std::string file;
        float scale = 1.0F;
    };
    struct Listener {
        std::function<void(std::size_t place, std::span<const float> logits)> logits = {};
        // All rows of the window, one a token.
        std::function<void(std::uint32_t layer, std::span<const float> rows)> ffn_inputs = {};
    };

    // Errors as of load_model().
    static base::Result<std::unique_ptr<Probe>> open(const std::string& path, std::uint32_t window, std::uint32_t threads,
                                                     const std::vector<ScaledAdapter>& adapters = {});
    virtual ~Probe() = default;

    virtual const Facts& facts() const = 0;
    virtual std::vector<TokenId> tokenize(std::string_view text) const = 0;
    // By number; from the next call on.
    virtual void leave_out(std::span<const std::uint32_t> experts) = 0;
    // At most `window` tokens.
    virtual base::Result<void> read(std::span<const TokenId> tokens, const Listener& listener) = 0;
    // The likeliest continuation, up to `count` tokens.
    virtual base::Result<std::vector<TokenId>> continue_with(std::span<const TokenId> prefix, std::uint32_t count) = 0;
};

}  // namespace hanse::engine
