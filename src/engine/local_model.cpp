// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/random.hpp"
#include "catalog/gguf.hpp"
#include "chat_template.hpp"
#include "engine/model.hpp"
#include "llama_adapter.hpp"
#include "local_model.hpp"
#include "step_loop.hpp"
#include "vector_loop.hpp"

namespace hanse::engine {
namespace {

constexpr std::uint32_t sequences_most = 64;
constexpr std::uint32_t sequences_liked = 8;  // a context is chosen so that at least as many fit
constexpr std::uint32_t context_liked = 4096;
constexpr std::uint32_t context_least = 2048;
constexpr std::uint64_t cache_least = 256ULL << 20;

std::uint32_t usable_cores() {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&cores)));
    return std::max(1U, std::thread::hardware_concurrency());
}

std::uint64_t machine_memory() {
    return static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES))) *
           static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PAGE_SIZE)));
}

}  // namespace

CacheShape choose_cache(const ModelSpec& spec, std::uint32_t context_trained, std::uint64_t token_bytes, std::uint64_t memory) {
    CacheShape shape;
    auto budget = std::max<std::uint64_t>(cache_least, memory / 48) / std::max<std::uint64_t>(1, token_bytes);
    if (spec.cache_tokens != 0) budget = spec.cache_tokens;
    shape.context = std::min(spec.context, context_trained);
    if (shape.context == 0) {
        auto wanted_sequences = spec.sequences != 0 ? spec.sequences : sequences_liked;
        auto each = static_cast<std::uint32_t>(std::min<std::uint64_t>(budget / wanted_sequences / 256 * 256, context_liked));
        shape.context = std::min(std::max(each, context_least), context_trained);
    }
    shape.sequences = spec.sequences != 0
                          ? spec.sequences
                          : static_cast<std::uint32_t>(std::clamp<std::uint64_t>(budget / shape.context, 1, sequences_most));
    if (spec.cache_tokens != 0) shape.sequences = std::clamp<std::uint32_t>(spec.cache_tokens / shape.context, 1, shape.sequences);
    shape.sequences = std::min(shape.sequences, 256U);
    return shape;
}

namespace {

class LocalModel final : public Model {
public:
    struct Parts {
        ModelFacts facts;
        std::shared_ptr<const LlamaWeights> weights;
        base::Result<ChatTemplate> chat_template;  // an unreadable one spoils conversations, not plain prompts
        base::Clock& clock;
        std::vector<std::string> pieces = {};  // with the template's markers written out; empty: the weights' own
        std::shared_ptr<const VocabularyTrie> trie = {};
        std::unique_ptr<StepLoop> loop = {};  // none: it does not generate
        std::unique_ptr<VectorLoop> vectors = {};
    };
    explicit LocalModel(Parts parts)
        : parts_(std::move(parts)),
          constraints_(parts_.trie ? std::make_unique<ConstraintCompiler>(parts_.trie) : nullptr) {}

    const ModelFacts& facts() const override { return parts_.facts; }
    ModelLoad load() const override { return parts_.loop ? parts_.loop->load() : ModelLoad{}; }

    std::vector<TokenId> tokenize(std::string_view text, bool add_special, bool parse_special) const override {
        // A template may have written the first token itself.
        const std::string& begin = parts_.weights->facts().begin_text;
        if (parse_special && !begin.empty() && text.starts_with(begin)) add_special = false;
        return parts_.weights->tokenize(text, add_special, parse_special);
    }
    std::string detokenize(std::span<const TokenId> tokens) const override { return parts_.weights->detokenize(tokens); }

    base::Result<RenderedPrompt> render(const Conversation& conversation) const override {
        if (!parts_.chat_template) return std::unexpected(parts_.chat_template.error());
        return parts_.chat_template->render(conversation, parts_.clock.wall());
    }

    base::Result<void> submit(GenerateRequest request, std::shared_ptr<EventStream> out) override {
        using enum base::ErrorKind;
        if (!parts_.loop)
            return base::fail(invalid, "model " + parts_.facts.name + " cannot generate text", "model_cannot_generate", "model");
        for (auto token : request.prompt)
            if (!parts_.weights->has_token(token))
                return base::fail(invalid, "the prompt holds a token that the model does not have", {}, "prompt");
        for (const auto& adapter : request.adapters)
            if (!parts_.weights->has_adapter(adapter.name))
                return base::fail(not_found, "model " + parts_.facts.name + " has no adapter " + adapter.name, "adapter_not_found",
                                  "model");
        const auto& left_out = request.experts_left_out;
        if (!left_out.empty() && (left_out.back() >= parts_.facts.experts.size() || left_out.size() >= parts_.facts.experts.size() ||
                                  std::ranges::adjacent_find(left_out, std::greater_equal<>()) != left_out.end()))
            return base::fail(
                invalid, "model " + parts_.facts.name + " cannot leave these experts out: none would be left, or it has no such expert",
                "experts_unknown");
        std::optional<ConstraintMatcher> constraint;
        if (!std::holds_alternative<std::monostate>(request.constraint)) {
            auto made = constraints_->matcher(request.constraint, request.constraint_triggers);
            if (!made) return std::unexpected(made.error());
            constraint.emplace(std::move(*made));
        }
        return parts_.loop->submit(std::move(request), std::move(constraint), std::move(out));
    }

    void embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done) override {
        parts_.vectors->embed(std::move(inputs), std::move(done));
    }
    void rerank(std::string query, std::vector<std::string> documents, std::function<void(base::Result<RerankResult>)> done) override {
        parts_.vectors->rerank(std::move(query), std::move(documents), std::move(done));
    }

    bool is_own_thread() const { return (parts_.loop && parts_.loop->is_own_thread()) || parts_.vectors->is_own_thread(); }

private:
    Parts parts_;
    std::unique_ptr<ConstraintCompiler> constraints_;
};

// The last holder may let go inside a callback of the model's own threads, which cannot wait for themselves.
void end_model(LocalModel* model) {
    if (model->is_own_thread()) std::thread([model] { delete model; }).detach();
    else delete model;
}

}  // namespace

base::Result<std::shared_ptr<Model>> load_model(const ModelSpec& spec, const std::function<void(float)>& progress) try {
    static base::SystemClock clock;
    std::error_code missing;
    if (!std::filesystem::is_regular_file(spec.path, missing))
        return base::fail(base::ErrorKind::not_found, "the file of model " + spec.name + " is not there", "model_file_missing");
    // ggml ends the process over some damages. And whoever asks for a model is not told where it lies.
    auto unsound = [&](const base::Error& error) {
        return base::fail(error.kind, "model " + spec.name + " cannot be loaded: " + error.message, "model_corrupt");
    };
    if (auto sound = catalog::check_gguf(spec.path); !sound) return unsound(sound.error());
    // Weights are most of the work; the cache and a first step are the rest.
    auto part = [&](float done) {
        if (progress) progress(0.9F * done);
    };
    auto weights = LlamaWeights::open(spec.path, spec.adapters, part);
    if (!weights) return unsound(weights.error());

    const auto& seen = (*weights)->facts();
    LocalModel::Parts parts{.facts = {},
                            .weights = *weights,
                            .chat_template = ChatTemplate::compile({spec.chat_template.empty() ? seen.chat_template : spec.chat_template,
                                                                    seen.begin_text, seen.end_text, seen.name}),
                            .clock = clock};
    auto shape = choose_cache(spec, seen.context, seen.token_bytes, machine_memory());
    auto threads = spec.threads != 0 ? spec.threads : usable_cores();
    auto& facts = parts.facts;
    facts.name = spec.name;
    facts.architecture = seen.architecture;
    facts.description = seen.description;
    facts.parameters = seen.parameters;
    facts.bytes = seen.bytes;
    facts.context = shape.context;
    facts.vocabulary = seen.vocabulary;
    facts.embedding_size = seen.embedding_size;
    facts.can_generate = seen.decodes && !spec.embeddings;
    facts.can_embed = !seen.ranks;
    facts.can_rerank = seen.ranks;
    facts.adapters = parts.weights->adapter_names();
    facts.experts = seen.experts;
    facts.memory = seen.bytes;
    facts.digest = spec.digest;
    facts.backend = "llama.cpp";

    if (parts.chat_template) {
        for (const std::string& marker : parts.chat_template->marker_tokens()) {
            const auto tokens = parts.weights->tokenize(marker, false, true);
            if (tokens.size() != 1 || !parts.weights->piece(tokens.front()).empty()) continue;
            if (parts.pieces.empty()) parts.pieces.assign(parts.weights->pieces().begin(), parts.weights->pieces().end());
            parts.pieces[static_cast<std::size_t>(tokens.front())] = marker;
        }
    }
    if (facts.can_generate) {
        BackendShape wanted{shape.sequences, shape.context, std::min(512U, shape.context), threads};
        auto opened = open_generation(parts.weights, wanted);
        if (!opened) return std::unexpected(opened.error());
        facts.memory += opened->memory + spec.host_cache_bytes;
        auto control = parts.weights->control_tokens();
        auto end = parts.weights->end_tokens();
        parts.trie = std::make_shared<const VocabularyTrie>(parts.weights->special_pieces(), control, end);
        StepLoop::Parts loop{std::move(opened->backend),
                             {},
                             {parts.pieces.empty() ? parts.weights->pieces() : std::span<const std::string>(parts.pieces),
                              parts.weights->special_pieces(),
                              {}},
                             clock};
        loop.texts.ends.assign(facts.vocabulary, false);
        for (auto token : end) loop.texts.ends[static_cast<std::size_t>(token)] = true;
        loop.limits.slots = shape.sequences;
        loop.limits.slot_tokens = shape.context;
        loop.limits.batch_tokens = wanted.batch_tokens;
        loop.limits.queue_max = spec.queue_max;
        loop.limits.step_budget = spec.step_budget;
        loop.limits.host_bytes = opened->token_bytes == 0 ? 0 : spec.host_cache_bytes;
        loop.limits.token_bytes = std::max<std::uint64_t>(1, opened->token_bytes);
        loop.limits.partial_reuse = seen.cuts_back;
        loop.tokenize = [weights = parts.weights](std::string_view text) { return weights->tokenize(text, false, false); };
        loop.seed = base::SystemRandom().next();
        parts.loop = std::make_unique<StepLoop>(std::move(loop));
    }
    parts.vectors = std::make_unique<VectorLoop>(VectorLoop::Parts{
        [weights = parts.weights, threads] { return open_pooling(weights, threads); },
        [weights = parts.weights](std::string_view query, std::string_view document) { return weights->rank_input(query, document); },
        facts.name, facts.can_embed, facts.can_rerank, facts.vocabulary});
    if (progress) progress(1.0F);
    return std::shared_ptr<Model>(new LocalModel(std::move(parts)), [](Model* model) { end_model(static_cast<LocalModel*>(model)); });
} catch (const std::exception& error) {
    return base::fail(base::ErrorKind::unavailable, "model " + spec.name + " cannot be loaded: " + error.what());
}

}  // namespace hanse::engine
