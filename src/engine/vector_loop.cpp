// SPDX-License-Identifier: Apache-2.0
#include "vector_loop.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace hanse::engine {
namespace {

void normalise(std::vector<float>& vector) {
    double sum = 0;
    for (auto value : vector) sum += static_cast<double>(value) * value;
    if (sum <= 0) return;
    auto scale = static_cast<float>(1.0 / std::sqrt(sum));
    for (auto& value : vector) value *= scale;
}

}  // namespace

VectorLoop::VectorLoop(Parts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}

VectorLoop::~VectorLoop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    for (auto& job : waiting_) job.done(base::fail(base::ErrorKind::unavailable, "the model was unloaded"), 0);
}

void VectorLoop::embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done) {
    using enum base::ErrorKind;
    if (!parts_.embeds) return done(base::fail(invalid, "model " + parts_.model + " cannot embed", "model_cannot_embed", "model"));
    for (const auto& input : inputs) {
        if (input.empty()) return done(base::fail(invalid, "an input is empty", {}, "input"));
        for (auto token : input)
            if (token < 0 || static_cast<std::uint32_t>(token) >= parts_.vocabulary)
                return done(base::fail(invalid, "an input holds a token that the model does not have", {}, "input"));
    }
    add({std::move(inputs), [done = std::move(done)](base::Result<std::vector<std::vector<float>>> rows, std::uint32_t tokens) {
             if (!rows) return done(std::unexpected(rows.error()));
             for (auto& row : *rows) normalise(row);
             done(EmbeddingResult{std::move(*rows), tokens});
         }});
}

void VectorLoop::rerank(std::string query, std::vector<std::string> documents, std::function<void(base::Result<RerankResult>)> done) {
    if (!parts_.ranks)
        return done(base::fail(base::ErrorKind::invalid, "model " + parts_.model + " cannot rerank", "model_cannot_rerank", "model"));
    std::vector<std::vector<TokenId>> inputs;
    for (const auto& document : documents) inputs.push_back(parts_.rank_input(query, document));
    add({std::move(inputs), [done = std::move(done)](base::Result<std::vector<std::vector<float>>> rows, std::uint32_t tokens) {
             if (!rows) return done(std::unexpected(rows.error()));
             RerankResult result{{}, tokens};
             for (const auto& row : *rows) result.scores.push_back(row.front());
             done(std::move(result));
         }});
}

void VectorLoop::add(Job job) {
    job.rows.resize(job.inputs.size());
    job.left = job.inputs.size();
    if (job.left == 0) return job.done(std::move(job.rows), 0);
    {
        std::unique_lock lock(mutex_);
        if (waiting_.size() >= waiting_most) {
            lock.unlock();
            base::Error error{base::ErrorKind::overloaded, "the queue is full", "queue_full", {}, std::chrono::seconds(1)};
            return job.done(std::unexpected(std::move(error)), 0);
        }
        waiting_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void VectorLoop::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        std::vector<Job> jobs(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
        waiting_.clear();
        lock.unlock();
        compute(jobs);
        for (auto& job : jobs) {
            std::uint32_t tokens = 0;
            for (const auto& input : job.inputs) tokens += static_cast<std::uint32_t>(input.size());
            if (job.error) job.done(std::unexpected(std::move(*job.error)), 0);
            else job.done(std::move(job.rows), tokens);
        }
        jobs.clear();
        lock.lock();
    }
}

void VectorLoop::compute(std::vector<Job>& jobs) {
    if (!backend_) {
        auto opened = parts_.open();
        if (!opened) {
            for (auto& job : jobs) job.error = opened.error();
            return;
        }
        backend_ = std::move(*opened);
    }
    // Equal texts are one entry; longest first, so that what fills a batch's end is short.
    struct Target { Job* job; std::size_t row; };
    std::map<std::vector<TokenId>, std::vector<Target>> distinct;
    for (auto& job : jobs) {
        auto fits = std::ranges::all_of(job.inputs, [&](const auto& input) { return input.size() <= backend_->batch_tokens(); });
        if (!fits) {
            job.error = base::Error{base::ErrorKind::too_large, "an input has more than " + std::to_string(backend_->batch_tokens()) + " tokens",
                                    "context_length_exceeded", "input", {}};
            continue;
        }
        for (std::size_t i = 0; i < job.inputs.size(); ++i) distinct[job.inputs[i]].push_back({&job, i});
    }
    std::vector<const std::pair<const std::vector<TokenId>, std::vector<Target>>*> order;
    for (const auto& one : distinct) order.push_back(&one);
    std::ranges::stable_sort(order, std::greater<>(), [](const auto* one) { return one->first.size(); });
    std::vector<bool> taken(order.size(), false);
    for (std::size_t begin = 0; begin < order.size(); ++begin) {
        if (taken[begin]) continue;
        std::vector<std::size_t> batch;
        std::vector<std::vector<TokenId>> inputs;
        std::size_t room = backend_->batch_tokens();
        for (auto at = begin; at < order.size() && batch.size() < backend_->batch_inputs(); ++at) {
            if (taken[at] || order[at]->first.size() > room) continue;
            taken[at] = true;
            room -= order[at]->first.size();
            batch.push_back(at);
            inputs.push_back(order[at]->first);
        }
        auto rows = backend_->compute(inputs);
        for (std::size_t i = 0; i < batch.size(); ++i)
            for (const auto& target : order[batch[i]]->second) {
                if (rows) target.job->rows[target.row] = (*rows)[i];
                else target.job->error = rows.error();
            }
    }
}

}  // namespace hanse::engine
