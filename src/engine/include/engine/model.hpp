// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/conversation.hpp"
#include "engine/event_stream.hpp"
#include "engine/expert.hpp"
#include "engine/generate.hpp"

namespace hanse::engine {

struct ModelFacts {
    std::string name;
    std::string architecture;
    std::string description;      // "llama 135M Q4_1"
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0;
    std::uint64_t memory = 0;     // bytes held while loaded: weights, cache, work buffers
    std::uint32_t context = 0;    // tokens one sequence may have
    std::uint32_t vocabulary = 0;
    std::uint32_t embedding_size = 0;
    bool can_generate = true;
    bool can_embed = false;       // has a pooling type of its own, or mean pooling makes sense
    bool can_rerank = false;
    std::vector<std::string> adapters = {};
    std::vector<ExpertFacts> experts = {};  // of a mixture that tells of them
    std::string digest = {};      // "sha256:…" of the file, as the spec says
    std::string backend = {};     // what computes it
};

// A conversation as this model wants to read it, and how its answer is to be read.
struct RenderedPrompt {
    std::string text;                            // holds the template's special tokens
    std::vector<std::string> stop = {};          // besides the caller's
    Constraint constraint = {};                  // set when tools are required
    std::vector<std::string> constraint_triggers = {};
    std::string answer_format;                   // hand it to AnswerReader
    bool starts_in_reasoning = false;
};

struct EmbeddingResult {
    std::vector<std::vector<float>> vectors;  // one per input, normalised to length 1
    std::uint32_t tokens = 0;
};

struct RerankResult {
    std::vector<float> scores;  // one per document, higher is more relevant
    std::uint32_t tokens = 0;
};

// How busy a model is, for admission, metrics and routing. A snapshot.
struct ModelLoad {
    std::uint32_t running = 0;
    std::uint32_t waiting = 0;
    std::uint32_t cache_tokens = 0;
    std::uint32_t cache_tokens_max = 0;
    double decode_tokens_per_second = 0;
    double prefill_tokens_per_second = 0;
    std::uint64_t tokens_generated = 0;
    std::uint64_t tokens_prefilled = 0;
    std::uint64_t tokens_reused = 0;
    std::uint64_t preempted = 0;
};

// A loaded model of this node. All functions are thread-safe. tokenize, detokenize and render run on the
// caller's thread and touch no shared mutable state; submit, embed and rerank hand over to the model's own
// threads. The object keeps the weights in memory as long as it lives: hold it for the time of a request.
class Model {
public:
    virtual ~Model() = default;

    virtual const ModelFacts& facts() const = 0;
    virtual ModelLoad load() const = 0;

    // `parse_special`: whether text such as <|im_end|> becomes its control token. Only for rendered prompts:
    // a user's own text in /v1/completions must not forge control tokens.
    virtual std::vector<TokenId> tokenize(std::string_view text, bool add_special, bool parse_special) const = 0;
    virtual std::string detokenize(std::span<const TokenId> tokens) const = 0;
    virtual base::Result<RenderedPrompt> render(const Conversation& conversation) const = 0;

    // Refused at once (invalid: longer than the context, bad grammar; overloaded: queue full; deadline:
    // cannot be met), else every outcome arrives in `out`, ended by exactly one FinishEvent or ErrorEvent.
    virtual base::Result<void> submit(GenerateRequest request, std::shared_ptr<EventStream> out) = 0;

    // `done` is called once, on a thread of the engine.
    virtual void embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done) = 0;
    virtual void rerank(std::string query, std::vector<std::string> documents,
                        std::function<void(base::Result<RerankResult>)> done) = 0;
};

// One model of this node as the configuration names it.
struct ModelSpec {
    std::string name;
    std::string path;                             // GGUF file
    std::uint32_t context = 0;                    // tokens per sequence, 0: the model's own, at most what memory allows
    std::uint32_t sequences = 0;                  // generated at once, 0: chosen (64)
    std::uint32_t cache_tokens = 0;               // KV cache in tokens shared by all sequences, 0: chosen
    std::uint32_t threads = 0;                    // 0: all cores
    std::uint32_t queue_max = 256;                // waiting requests
    std::chrono::milliseconds step_budget{0};     // 0: chosen by measured speed
    std::uint64_t host_cache_bytes = 256ULL << 20;  // prefixes kept outside the KV cache
    std::string draft_path = {};                  // draft model for speculation
    std::vector<std::pair<std::string, std::string>> adapters = {};  // name, file
    std::string chat_template = {};               // instead of the model's own
    bool embeddings = false;
    std::string digest = {};                      // "sha256:…" of the file, if it is known; told on in ModelFacts
    bool operator==(const ModelSpec&) const = default;
};

// Loads a model file; takes seconds. `corrupt` or `invalid` for a file that is no sound GGUF, with the
// reason. Progress from 0 to 1.
base::Result<std::shared_ptr<Model>> load_model(const ModelSpec& spec, const std::function<void(float)>& progress = {});

}  // namespace hanse::engine
