// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/model.hpp"
#include "llama_adapter.hpp"

namespace hanse::engine {

// Embeddings and ranks of one model: a thread with a second context on the same weights, made when first
// needed. Texts of all waiting requests are packed into batches, longest first, so that a batch is full and
// equal texts are computed once. Thread-safe; who waits at the end gets `unavailable`.
class VectorLoop {
public:
    struct Parts {
        std::function<base::Result<std::unique_ptr<PoolingBackend>>()> open;
        std::function<std::vector<TokenId>(std::string_view query, std::string_view document)> rank_input;
        std::string model;
        bool embeds = false;
        bool ranks = false;
        std::uint32_t vocabulary = 0;
    };
    explicit VectorLoop(Parts parts);
    ~VectorLoop();

    void embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done);
    void rerank(std::string query, std::vector<std::string> documents, std::function<void(base::Result<RerankResult>)> done);
    bool is_own_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

private:
    // The texts of one request, and who gets their rows.
    struct Job {
        std::vector<std::vector<TokenId>> inputs;
        std::function<void(base::Result<std::vector<std::vector<float>>>, std::uint32_t tokens)> done;
        std::vector<std::vector<float>> rows = {};
        std::size_t left = 0;
        std::optional<base::Error> error = {};
    };
    void add(Job job);
    void run();
    void compute(std::vector<Job>& jobs);

    static constexpr std::size_t waiting_most = 256;
    Parts parts_;
    std::unique_ptr<PoolingBackend> backend_;  // the thread's
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace hanse::engine
