// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend.hpp"
#include "engine/model.hpp"

namespace hanse::engine {

// The engine's only door to llama.cpp. Its types stay in llama_adapter.cpp; its errors come out as Error, and
// whatever would make it end the process (token ids, lengths, files) is checked before it is called.

// Weights and vocabulary of one GGUF file. Immutable after open(): all const functions are thread-safe.
class LlamaWeights {
public:
    struct Facts {
        std::string architecture;
        std::string description;
        std::string chat_template;      // empty: none
        std::string begin_text, end_text;  // of the tokens that begin and end a sequence
        std::string name;               // as the file calls itself
        std::uint64_t parameters = 0;
        std::uint64_t bytes = 0;
        std::uint64_t token_bytes = 0;  // expected size of one token's keys and values
        std::uint32_t context = 0;      // trained for
        std::uint32_t vocabulary = 0;
        std::uint32_t embedding_size = 0;
        std::vector<ExpertFacts> experts;
        bool decodes = true;
        bool has_pooling = false;       // names a pooling type of its own
        bool ranks = false;
        bool cuts_back = true;          // sequences may be cut to any length
    };
    static base::Result<std::shared_ptr<const LlamaWeights>> open(
        const std::string& path, const std::vector<std::pair<std::string, std::string>>& adapters,
        const std::function<void(float)>& progress);
    ~LlamaWeights();

    const Facts& facts() const { return facts_; }
    std::vector<TokenId> tokenize(std::string_view text, bool add_special, bool parse_special) const;
    std::string detokenize(std::span<const TokenId> tokens) const;
    // A token's bytes as they appear in an answer; control tokens are empty there.
    const std::string& piece(TokenId token) const { return pieces_[static_cast<std::size_t>(token)]; }
    // With control tokens written out.
    const std::string& special_piece(TokenId token) const { return special_pieces_[static_cast<std::size_t>(token)]; }
    std::span<const std::string> pieces() const { return pieces_; }
    std::span<const std::string> special_pieces() const { return special_pieces_; }
    bool ends(TokenId token) const { return ends_[static_cast<std::size_t>(token)] != 0; }
    std::vector<TokenId> end_tokens() const;
    std::vector<TokenId> control_tokens() const;
    bool has_token(TokenId token) const { return token >= 0 && static_cast<std::uint32_t>(token) < facts_.vocabulary; }
    bool has_adapter(std::string_view name) const;
    std::vector<std::string> adapter_names() const;
    // The reranker's own way to join query and document, as tokens.
    std::vector<TokenId> rank_input(std::string_view query, std::string_view document) const;

    struct Handle;
    const Handle& handle() const { return *handle_; }

private:
    LlamaWeights();
    void read_vocabulary();
    Facts facts_;
    std::unique_ptr<Handle> handle_;
    std::vector<std::string> pieces_;
    std::vector<std::string> special_pieces_;
    std::vector<std::uint8_t> ends_;
    std::vector<std::uint8_t> controls_;
};

struct BackendShape {
    std::uint32_t slots = 1;            // at most; they come into being as they are needed
    std::uint32_t slot_tokens = 2048;
    std::uint32_t batch_tokens = 512;
    std::uint32_t threads = 2;
};

struct GenerationBackend {
    std::unique_ptr<Backend> backend;
    std::uint64_t memory = 0;       // bytes beside the weights with all slots in use
    std::uint64_t token_bytes = 0;  // of one token when saved
};
base::Result<GenerationBackend> open_generation(std::shared_ptr<const LlamaWeights> weights, const BackendShape& shape);

// Vectors or ranks of whole texts, several in a batch. One thread.
class PoolingBackend {
public:
    virtual ~PoolingBackend() = default;
    virtual std::uint32_t batch_tokens() const = 0;
    virtual std::uint32_t batch_inputs() const = 0;
    // One row per input: the vector, or with ranks its one score.
    virtual base::Result<std::vector<std::vector<float>>> compute(std::span<const std::vector<TokenId>> inputs) = 0;
};
base::Result<std::unique_ptr<PoolingBackend>> open_pooling(std::shared_ptr<const LlamaWeights> weights, std::uint32_t threads);

}  // namespace hanse::engine
