// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "engine/generate.hpp"

namespace hanse::engine {

struct BatchToken {
    TokenId token;
    std::uint32_t position;
    std::uint32_t slot;
    bool output;  // its logits are wanted
};

// What the step loop needs of a model: slots that hold the keys and values of one sequence each, and a step
// over a batch of tokens. llama_adapter is the real one; the loop's tests bring their own. One thread.
class Backend {
public:
    virtual ~Backend() = default;

    // Tokens by rising slot, positions without gaps. `unavailable`: the batch was not computed, and what the
    // slots named in it hold is unknown.
    virtual base::Result<void> decode(std::span<const BatchToken> batch) = 0;
    // Logits behind the nth token of the last batch that wanted them; the caller may change them. Valid until
    // the next decode().
    virtual std::span<float> logits(std::size_t output) = 0;

    // False: nothing was done, the slot is empty now.
    virtual bool copy(std::uint32_t from, std::uint32_t to) = 0;
    virtual bool trim(std::uint32_t slot, std::uint32_t length) = 0;
    virtual bool save(std::uint32_t slot, base::Bytes& out) = 0;
    virtual bool restore(std::span<const std::byte> saved, std::uint32_t slot) = 0;
    // Which adapters take part from the next decode() on; each is one that validate() knew.
    virtual bool use_adapters(const std::vector<AdapterChoice>& adapters) = 0;
    // Which experts take no part in what the slot computes from the next decode() on; empty: all do. A model without
    // experts need not know.
    virtual void leave_out(std::uint32_t slot, std::span<const std::uint32_t> experts) {
        (void)slot;
        (void)experts;
    }
};

}  // namespace hanse::engine
