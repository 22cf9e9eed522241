// SPDX-License-Identifier: Apache-2.0
#include "engine/fake_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hanse::engine {
namespace {

std::string_view word(Role role) {
    switch (role) {
        case Role::system: return "system";
        case Role::user: return "user";
        case Role::assistant: return "assistant";
        case Role::tool: return "tool";
    }
    return "user";
}

}  // namespace

struct FakeModel::Answer {
    GenerateRequest request;
    std::shared_ptr<EventStream> out;
    std::vector<std::string> pieces;
    std::size_t next = 0;
    std::string stop_sequence = {};
    FinishReason reason = FinishReason::stop;
    Usage usage = {};
};

FakeModel::FakeModel() : FakeModel(Script{}) {}

FakeModel::FakeModel(Script script) : script_(std::move(script)) {
    facts_.name = script_.name;
    facts_.architecture = "fake";
    facts_.description = "fake model";
    facts_.backend = "fake";
    facts_.parameters = 1;
    facts_.bytes = facts_.memory = 1024;
    facts_.context = script_.context;
    facts_.vocabulary = 256;
    facts_.embedding_size = 8;
    facts_.can_embed = script_.can_embed;
    facts_.can_rerank = script_.can_rerank;
    if (script_.pace != Pace::timed) return;
    thread_ = std::thread([this] {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            wake_.wait_for(lock, script_.interval, [this] { return stopping_; });
            if (stopping_) break;
            lock.unlock();
            step();
            lock.lock();
        }
    });
}

FakeModel::~FakeModel() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    for (auto& answer : running_)
        answer->out->push(ErrorEvent{{base::ErrorKind::unavailable, "the model was unloaded"}});
}

ModelLoad FakeModel::load() const {
    std::lock_guard lock(mutex_);
    auto load = load_;
    load.running = static_cast<std::uint32_t>(running_.size());
    return load;
}

std::vector<GenerateRequest> FakeModel::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

std::vector<Conversation> FakeModel::conversations() const {
    std::lock_guard lock(mutex_);
    return conversations_;
}

std::vector<TokenId> FakeModel::tokenize(std::string_view text, bool, bool) const {
    std::vector<TokenId> tokens;
    for (unsigned char byte : text) tokens.push_back(byte);
    return tokens;
}

std::string FakeModel::detokenize(std::span<const TokenId> tokens) const {
    std::string text;
    for (auto token : tokens) text += static_cast<char>(token);
    return text;
}

base::Result<RenderedPrompt> FakeModel::render(const Conversation& conversation) const {
    if (script_.render_failure) return std::unexpected(*script_.render_failure);
    RenderedPrompt prompt;
    for (const auto& message : conversation.messages) {
        prompt.text += word(message.role);
        prompt.text += ": ";
        prompt.text += message.text;
        prompt.text += "\n";
    }
    if (conversation.add_generation_prompt) prompt.text += "assistant: ";
    prompt.answer_format = script_.answer_format;
    prompt.starts_in_reasoning = script_.starts_in_reasoning;
    std::lock_guard lock(mutex_);
    conversations_.push_back(conversation);
    return prompt;
}

base::Result<void> FakeModel::submit(GenerateRequest request, std::shared_ptr<EventStream> out) {
    if (script_.refusal) return std::unexpected(*script_.refusal);
    if (request.prompt.empty()) return base::fail(base::ErrorKind::invalid, "the prompt is empty", {}, "prompt");
    if (request.prompt.size() >= facts_.context)
        return base::fail(base::ErrorKind::invalid,
                          "the prompt has " + std::to_string(request.prompt.size()) + " tokens, the context of " +
                              facts_.name + " holds " + std::to_string(facts_.context),
                          "context_length_exceeded", "prompt");
    auto answer = std::make_shared<Answer>();
    answer->pieces = script_.answer_for ? script_.answer_for(request) : script_.answer;
    answer->usage.prompt_tokens = static_cast<std::uint32_t>(request.prompt.size());
    answer->usage.cached_tokens = std::min(script_.cached_tokens, answer->usage.prompt_tokens);

    auto limit = std::min<std::size_t>(request.max_tokens.value_or(UINT32_MAX), facts_.context - request.prompt.size());
    if (answer->pieces.size() > limit) {
        answer->pieces.resize(limit);
        answer->reason = FinishReason::length;
    }
    // The text ends before the first stop string, wherever its pieces break.
    auto whole = std::accumulate(answer->pieces.begin(), answer->pieces.end(), std::string());
    auto end = std::string::npos;
    for (const auto& stop : request.stop)
        if (auto at = whole.find(stop); !stop.empty() && at < end) {
            end = at;
            answer->stop_sequence = stop;
        }
    if (end != std::string::npos) {
        answer->reason = FinishReason::stop;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < answer->pieces.size(); ++i) {
            auto& piece = answer->pieces[i];
            if (begin + piece.size() >= end) {
                piece.resize(end - begin);
                answer->pieces.resize(i + 1);
                break;
            }
            begin += piece.size();
        }
    }
    answer->out = std::move(out);
    {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
        answer->request = std::move(request);
        if (script_.pace != Pace::at_once) {
            running_.push_back(answer);
            return {};
        }
        load_.tokens_generated += answer->pieces.size();
        load_.tokens_prefilled += answer->usage.prompt_tokens;
    }
    while (advance(script_, *answer)) {}
    return {};
}

bool FakeModel::advance(const Script& script, Answer& answer) {
    if (answer.out->cancelled()) {
        answer.out->push(ErrorEvent{{base::ErrorKind::cancelled, "the reader went away"}});
        return false;
    }
    if (script.fail_after && answer.next == *script.fail_after) {
        answer.out->push(ErrorEvent{script.failure});
        return false;
    }
    if (answer.next == answer.pieces.size()) {
        answer.usage.completion_tokens = static_cast<std::uint32_t>(answer.next);
        answer.out->push(FinishEvent{answer.reason, answer.stop_sequence, answer.usage, {}});
        return false;
    }
    TextEvent event{answer.pieces[answer.next++], 1, {}};
    if (auto top = answer.request.sampling.top_logprobs) {
        TokenLogprobs logprobs{{static_cast<TokenId>(answer.next), event.text, -0.25F}, {}};
        for (std::uint32_t i = 0; i < *top; ++i)
            logprobs.top.push_back(i == 0 ? logprobs.chosen : Logprob{static_cast<TokenId>(100 + i), "?", -1.0F - static_cast<float>(i)});
        event.logprobs.push_back(std::move(logprobs));
    }
    answer.out->push(std::move(event));
    return true;
}

std::size_t FakeModel::step() {
    std::deque<std::shared_ptr<Answer>> now;
    {
        std::lock_guard lock(mutex_);
        now = std::exchange(running_, {});
    }
    std::erase_if(now, [this](auto& answer) { return !advance(script_, *answer); });
    std::lock_guard lock(mutex_);
    load_.tokens_generated += now.size();
    running_.insert(running_.begin(), now.begin(), now.end());
    return running_.size();
}

void FakeModel::embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done) {
    if (script_.refusal) return done(std::unexpected(*script_.refusal));
    if (!script_.can_embed) return done(base::fail(base::ErrorKind::invalid, "model " + facts_.name + " cannot embed"));
    EmbeddingResult result;
    for (const auto& input : inputs) {
        std::vector<float> vector(facts_.embedding_size, 0.125F);
        for (std::size_t i = 0; i < input.size(); ++i) vector[(static_cast<std::size_t>(input[i]) + i) % vector.size()] += 1.0F;
        float norm = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F));
        for (auto& value : vector) value /= norm;
        result.vectors.push_back(std::move(vector));
        result.tokens += static_cast<std::uint32_t>(input.size());
    }
    done(std::move(result));
}

void FakeModel::rerank(std::string query, std::vector<std::string> documents,
                       std::function<void(base::Result<RerankResult>)> done) {
    if (script_.refusal) return done(std::unexpected(*script_.refusal));
    if (!script_.can_rerank) return done(base::fail(base::ErrorKind::invalid, "model " + facts_.name + " cannot rerank"));
    RerankResult result;
    for (const auto& document : documents) {
        auto shared = std::ranges::count_if(query, [&](char c) { return document.find(c) != std::string::npos; });
        result.scores.push_back(query.empty() ? 0.0F : static_cast<float>(shared) / static_cast<float>(query.size()));
        result.tokens += static_cast<std::uint32_t>(query.size() + document.size());
    }
    done(std::move(result));
}

}  // namespace hanse::engine
