// SPDX-License-Identifier: Apache-2.0
#include "llama_adapter.hpp"

#include <ggml-cpu.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "expert_mask.hpp"
#include "llama_handle.hpp"

namespace hanse::engine {
namespace {

constexpr std::uint32_t pooling_batch_tokens = 2048;
constexpr std::uint32_t pooling_batch_inputs = 64;

// What llama.cpp said last on this thread at error level: the reason of a failed load. It never holds a prompt.
thread_local std::string last_complaint;

void start_llama() {
    static std::once_flag once;
    std::call_once(once, [] {
        llama_log_set(
            [](ggml_log_level level, const char* text, void*) {
                if (level != GGML_LOG_LEVEL_ERROR) return;
                last_complaint = text;
                while (!last_complaint.empty() && (last_complaint.back() == '\n' || last_complaint.back() == ' '))
                    last_complaint.pop_back();
            },
            nullptr);
        ggml_backend_load_all();
        llama_backend_init();
    });
}

std::string complaint(std::string fallback) { return last_complaint.empty() ? fallback : std::exchange(last_complaint, {}); }

std::string metadata(const llama_model* model, const std::string& key) {
    char value[256];
    auto length = llama_model_meta_val_str(model, key.c_str(), value, sizeof value);
    return length < 0 ? std::string() : std::string(value, std::min<std::size_t>(static_cast<std::size_t>(length), sizeof value - 1));
}

// The same for values of any length.
std::string long_metadata(const llama_model* model, const std::string& key) {
    std::string value(256, '\0');
    for (;;) {
        const auto length = llama_model_meta_val_str(model, key.c_str(), value.data(), value.size());
        if (length < 0) return {};
        const bool whole = static_cast<std::size_t>(length) < value.size();
        value.resize(static_cast<std::size_t>(length) + (whole ? 0 : 1));
        if (whole) return value;
    }
}

// What the forge wrote about each expert of a mixture; empty for mixtures of others.
std::vector<ExpertFacts> read_experts(const llama_model* model, const std::string& architecture) {
    std::vector<ExpertFacts> experts;
    const auto count = std::strtoul(metadata(model, architecture + ".expert_count").c_str(), nullptr, 10);
    for (unsigned long i = 0; i < std::min(count, 4096UL); ++i) {
        const auto field = [&](const char* name) { return long_metadata(model, "hanse.expert." + std::to_string(i) + "." + name); };
        auto name = field("name");
        if (name.empty()) return {};
        experts.push_back({std::move(name), field("owner"), field("licence"), field("label"), field("output_floor"), field("digest")});
    }
    return experts;
}

}  // namespace

LlamaWeights::LlamaWeights() : handle_(std::make_unique<Handle>()) {}
LlamaWeights::~LlamaWeights() = default;

base::Result<std::shared_ptr<const LlamaWeights>> LlamaWeights::open(const std::string& path,
                                                                     const std::vector<std::pair<std::string, std::string>>& adapters,
                                                                     const std::function<void(float)>& progress) try {
    start_llama();
    auto parameters = llama_model_default_params();
    parameters.progress_callback_user_data = const_cast<void*>(static_cast<const void*>(&progress));
    parameters.progress_callback = [](float done, void* user) {
        const auto& report = *static_cast<const std::function<void(float)>*>(user);
        if (report) report(done);
        return true;
    };
    last_complaint.clear();
    std::shared_ptr<LlamaWeights> weights(new LlamaWeights());
    auto& handle = *weights->handle_;
    handle.model.reset(llama_model_load_from_file(path.c_str(), parameters));
    if (!handle.model) return base::fail(base::ErrorKind::corrupt, complaint("no reason given"), "model_corrupt");
    auto* model = handle.model.get();
    handle.vocabulary = llama_model_get_vocab(model);
    for (const auto& [name, file] : adapters) {
        last_complaint.clear();
        auto* adapter = llama_adapter_lora_init(model, file.c_str());
        if (adapter == nullptr)
            return base::fail(base::ErrorKind::corrupt, "its adapter " + name + " is unsound: " + complaint("no reason given"),
                              "adapter_corrupt");
        handle.adapters[name] = adapter;
    }

    auto& facts = weights->facts_;
    char description[128];
    llama_model_desc(model, description, sizeof description);
    facts.description = description;
    facts.architecture = metadata(model, "general.architecture");
    facts.name = metadata(model, "general.name");
    if (const auto* text = llama_model_chat_template(model, nullptr)) facts.chat_template = text;
    facts.parameters = llama_model_n_params(model);
    facts.bytes = llama_model_size(model);
    facts.context = static_cast<std::uint32_t>(std::max(1, llama_model_n_ctx_train(model)));
    facts.vocabulary = static_cast<std::uint32_t>(std::max(0, llama_vocab_n_tokens(handle.vocabulary)));
    facts.embedding_size = static_cast<std::uint32_t>(llama_model_n_embd_out(model));
    auto heads = std::max(1, llama_model_n_head(model));
    facts.token_bytes = 4ULL * static_cast<std::uint64_t>(llama_model_n_layer(model)) *
                        static_cast<std::uint64_t>(std::max(1, llama_model_n_head_kv(model))) *
                        static_cast<std::uint64_t>(llama_model_n_embd(model) / heads);
    auto pooling = metadata(model, facts.architecture + ".pooling_type");
    facts.has_pooling = !pooling.empty() && pooling != "0";
    facts.ranks = pooling == std::to_string(LLAMA_POOLING_TYPE_RANK);
    auto causal = metadata(model, facts.architecture + ".attention.causal");
    facts.experts = read_experts(model, facts.architecture);
    facts.decodes = llama_model_has_decoder(model) && !llama_model_has_encoder(model) && !llama_model_is_diffusion(model) &&
                    causal != "false" && !facts.has_pooling;
    facts.cuts_back = !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model);
    if (facts.vocabulary == 0) return base::fail(base::ErrorKind::invalid, "it has no vocabulary", "model_corrupt");
    weights->read_vocabulary();
    return std::shared_ptr<const LlamaWeights>(std::move(weights));
} catch (const std::exception& error) {
    return base::fail(base::ErrorKind::corrupt, error.what(), "model_corrupt");
}

void LlamaWeights::read_vocabulary() {
    const auto* vocabulary = handle_->vocabulary;
    auto piece = [&](TokenId token, bool special) {
        char text[64];
        auto length = llama_token_to_piece(vocabulary, token, text, sizeof text, 0, special);
        if (length >= 0) return std::string(text, static_cast<std::size_t>(length));
        std::string longer(static_cast<std::size_t>(-length), '\0');
        length = llama_token_to_piece(vocabulary, token, longer.data(), static_cast<std::int32_t>(longer.size()), 0, special);
        longer.resize(static_cast<std::size_t>(std::max(0, length)));
        return longer;
    };
    auto count = facts_.vocabulary;
    pieces_.reserve(count);
    special_pieces_.reserve(count);
    for (TokenId token = 0; token < static_cast<TokenId>(count); ++token) {
        pieces_.push_back(piece(token, false));
        special_pieces_.push_back(piece(token, true));
        ends_.push_back(llama_vocab_is_eog(vocabulary, token));
        controls_.push_back(llama_vocab_is_control(vocabulary, token));
    }
    if (auto token = llama_vocab_bos(vocabulary); has_token(token)) facts_.begin_text = special_piece(token);
    if (auto token = llama_vocab_eos(vocabulary); has_token(token)) facts_.end_text = special_piece(token);
}

std::vector<TokenId> LlamaWeights::tokenize(std::string_view text, bool add_special, bool parse_special) const {
    constexpr std::size_t most = 1U << 30;
    if (text.size() > most) return {};
    std::vector<TokenId> tokens(text.size() / 3 + 16);
    auto length = static_cast<std::int32_t>(text.size());
    auto count = llama_tokenize(handle_->vocabulary, text.data(), length, tokens.data(), static_cast<std::int32_t>(tokens.size()),
                                add_special, parse_special);
    if (count < 0 && count != INT32_MIN) {
        tokens.resize(static_cast<std::size_t>(-count));
        count = llama_tokenize(handle_->vocabulary, text.data(), length, tokens.data(), static_cast<std::int32_t>(tokens.size()),
                               add_special, parse_special);
    }
    tokens.resize(static_cast<std::size_t>(std::max(0, count)));
    return tokens;
}

std::string LlamaWeights::detokenize(std::span<const TokenId> tokens) const {
    std::vector<TokenId> known;
    std::ranges::copy_if(tokens, std::back_inserter(known), [this](TokenId token) { return has_token(token); });
    std::string text(known.size() * 8 + 16, '\0');
    for (int round = 0; round < 2; ++round) {
        auto length = llama_detokenize(handle_->vocabulary, known.data(), static_cast<std::int32_t>(known.size()), text.data(),
                                       static_cast<std::int32_t>(text.size()), false, true);
        text.resize(static_cast<std::size_t>(std::abs(length)));
        if (length >= 0) break;
    }
    return text;
}

std::vector<TokenId> LlamaWeights::end_tokens() const {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < ends_.size(); ++i)
        if (ends_[i] != 0) tokens.push_back(static_cast<TokenId>(i));
    return tokens;
}

std::vector<TokenId> LlamaWeights::control_tokens() const {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < controls_.size(); ++i)
        if (controls_[i] != 0 && ends_[i] == 0) tokens.push_back(static_cast<TokenId>(i));
    return tokens;
}

bool LlamaWeights::has_adapter(std::string_view name) const { return handle_->adapters.contains(name); }

std::vector<std::string> LlamaWeights::adapter_names() const {
    std::vector<std::string> names;
    for (const auto& [name, adapter] : handle_->adapters) names.push_back(name);
    return names;
}

std::vector<TokenId> LlamaWeights::rank_input(std::string_view query, std::string_view document) const {
    const auto* vocabulary = handle_->vocabulary;
    auto begin = llama_vocab_bos(vocabulary);
    auto end = llama_vocab_eos(vocabulary);
    auto separator = llama_vocab_sep(vocabulary);
    if (!has_token(end)) end = separator;
    std::vector<TokenId> tokens;
    auto add = [&](TokenId token, bool wanted) {
        if (wanted && has_token(token)) tokens.push_back(token);
    };
    auto append = [&](std::string_view text) {
        auto more = tokenize(text, false, false);
        tokens.insert(tokens.end(), more.begin(), more.end());
    };
    add(begin, llama_vocab_get_add_bos(vocabulary));
    append(query);
    add(end, llama_vocab_get_add_eos(vocabulary));
    add(separator, llama_vocab_get_add_sep(vocabulary));
    append(document);
    add(end, llama_vocab_get_add_eos(vocabulary));
    return tokens;
}

namespace {

// A llama_batch over vectors of ours: one sequence id per token.
class Batch {
public:
    explicit Batch(std::size_t most) : tokens_(most), positions_(most), counts_(most, 1), ids_(most), id_pointers_(most), outputs_(most) {
        for (std::size_t i = 0; i < most; ++i) id_pointers_[i] = &ids_[i];
    }
    void clear() { size_ = 0; }
    bool full() const { return size_ == tokens_.size(); }
    std::size_t size() const { return size_; }
    void add(TokenId token, std::uint32_t position, std::uint32_t slot, bool output) {
        tokens_[size_] = token;
        positions_[size_] = static_cast<llama_pos>(position);
        ids_[size_] = static_cast<llama_seq_id>(slot);
        outputs_[size_] = output ? 1 : 0;
        ++size_;
    }
    llama_batch view() {
        return {static_cast<std::int32_t>(size_),
                tokens_.data(),
                nullptr,
                positions_.data(),
                counts_.data(),
                id_pointers_.data(),
                outputs_.data()};
    }

private:
    std::vector<llama_token> tokens_;
    std::vector<llama_pos> positions_;
    std::vector<std::int32_t> counts_;
    std::vector<llama_seq_id> ids_;
    std::vector<llama_seq_id*> id_pointers_;
    std::vector<std::int8_t> outputs_;
    std::size_t size_ = 0;
};

// All slots from the start: a state that was saved from a context of n streams is refused by one of m, so a cache
// that grew could not take its sequences along.
class LlamaGeneration final : public Backend {
public:
    LlamaGeneration(std::shared_ptr<const LlamaWeights> weights, const BackendShape& shape)
        : weights_(std::move(weights)),
          shape_(shape),
          batch_(shape.batch_tokens) {}

    base::Result<void> open() {
        auto parameters = llama_context_default_params();
        parameters.n_ctx = (shape_.slot_tokens + 255) / 256 * 256 * shape_.slots;  // llama.cpp rounds each stream up to this
        parameters.n_seq_max = shape_.slots;
        parameters.n_batch = parameters.n_ubatch = shape_.batch_tokens;
        parameters.n_threads = parameters.n_threads_batch = static_cast<std::int32_t>(shape_.threads);
        parameters.kv_unified = false;
        parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
        parameters.no_perf = true;
        if (const auto& experts = weights_->facts().experts; !experts.empty()) {
            const auto layers = llama_model_n_layer(weights_->handle().model.get());
            mask_.emplace(static_cast<std::uint32_t>(experts.size()), static_cast<std::uint32_t>(layers), shape_.slots);
            parameters.cb_eval = ExpertMask::callback;
            parameters.cb_eval_user_data = &*mask_;
        }
        last_complaint.clear();
        context_.reset(llama_init_from_model(weights_->handle().model.get(), parameters));
        using enum base::ErrorKind;
        if (!context_)
            return base::fail(unavailable,
                              "no room for a cache of " + std::to_string(parameters.n_ctx) + " tokens: " + complaint("no reason given"));
        if (llama_n_ctx_seq(context_.get()) < shape_.slot_tokens)
            return base::fail(unavailable, "the cache came out smaller than asked for");
        memory_ = llama_get_memory(context_.get());
        return {};
    }

    base::Result<void> decode(std::span<const BatchToken> tokens) override try {
        copied_.reset();
        batch_.clear();
        outputs_.clear();
        for (const auto& one : tokens) {
            if (batch_.full() || one.slot >= shape_.slots || one.position >= shape_.slot_tokens || !weights_->has_token(one.token))
                return base::fail(base::ErrorKind::bug, "a batch names a token, slot or place that does not exist");
            if (one.output) outputs_.push_back(static_cast<std::int32_t>(batch_.size()));
            batch_.add(one.token, one.position, one.slot, one.output);
        }
        if (batch_.size() == 0) return {};
        if (mask_) mask_->begin(tokens);
        auto status = llama_decode(context_.get(), batch_.view());
        if (status != 0)
            return base::fail(base::ErrorKind::unavailable, "the model could not compute a step (" + std::to_string(status) + ")");
        llama_synchronize(context_.get());
        if (mask_ && !mask_->whole()) return base::fail(base::ErrorKind::unavailable, "an expert could not be kept out of a step");
        return {};
    } catch (const std::exception& error) {
        return base::fail(base::ErrorKind::unavailable, std::string("the model could not compute a step: ") + error.what());
    }

    std::span<float> logits(std::size_t output) override {
        if (output >= outputs_.size()) return {};
        auto* row = llama_get_logits_ith(context_.get(), outputs_[output]);
        return row == nullptr ? std::span<float>() : std::span<float>(row, weights_->facts().vocabulary);
    }

    // Through a buffer rather than with llama_memory_seq_cp, which between streams copies all cells of a
    // context, used or not: ten to thirty times as much for a usual prompt (measured, docs/decisions).
    bool copy(std::uint32_t from, std::uint32_t to) override {
        if (from >= shape_.slots || to >= shape_.slots) return false;
        if (copied_ != from) {
            copied_.reset();
            if (!save(from, buffer_)) return false;
            copied_ = from;
        }
        return restore(buffer_, to);
    }

    bool trim(std::uint32_t slot, std::uint32_t length) override {
        copied_.reset();
        if (slot >= shape_.slots) return false;
        return llama_memory_seq_rm(memory_, id(slot), length == 0 ? -1 : static_cast<llama_pos>(length), -1);
    }

    bool save(std::uint32_t slot, base::Bytes& out) override try {
        if (slot >= shape_.slots) return false;
        out.resize(llama_state_seq_get_size(context_.get(), id(slot)));
        auto written = llama_state_seq_get_data(context_.get(), reinterpret_cast<std::uint8_t*>(out.data()), out.size(), id(slot));
        out.resize(written);
        return written > 0;
    } catch (const std::exception&) {
        return false;
    }

    bool restore(std::span<const std::byte> saved, std::uint32_t slot) override try {
        if (slot >= shape_.slots) return false;
        llama_memory_seq_rm(memory_, id(slot), -1, -1);
        return llama_state_seq_set_data(context_.get(), reinterpret_cast<const std::uint8_t*>(saved.data()), saved.size(), id(slot)) > 0;
    } catch (const std::exception&) {
        return false;
    }

    bool use_adapters(const std::vector<AdapterChoice>& adapters) override {
        if (adapters == adapters_) return true;
        std::vector<llama_adapter_lora*> pointers;
        std::vector<float> scales;
        for (const auto& one : adapters) {
            auto found = weights_->handle().adapters.find(one.name);
            if (found == weights_->handle().adapters.end()) return false;
            pointers.push_back(found->second);
            scales.push_back(one.scale);
        }
        if (llama_set_adapters_lora(context_.get(), pointers.data(), pointers.size(), scales.data()) != 0) return false;
        adapters_ = adapters;
        return true;
    }

    void leave_out(std::uint32_t slot, std::span<const std::uint32_t> experts) override {
        if (mask_) mask_->leave_out(slot, experts);
    }

private:
    static llama_seq_id id(std::uint32_t slot) { return static_cast<llama_seq_id>(slot); }

    std::shared_ptr<const LlamaWeights> weights_;
    std::optional<ExpertMask> mask_;  // the context calls it
    ContextPointer context_;
    BackendShape shape_;
    llama_memory_t memory_ = nullptr;
    Batch batch_;
    std::vector<std::int32_t> outputs_;
    std::vector<AdapterChoice> adapters_;
    base::Bytes buffer_;
    std::optional<std::uint32_t> copied_;  // whose state buffer_ holds
};

}  // namespace

namespace {

base::Result<void> warm_up(const LlamaWeights& weights, Backend& backend, const BackendShape& shape, std::uint64_t& token_bytes) {
    auto first = llama_vocab_bos(weights.handle().vocabulary);
    if (!weights.has_token(first)) first = 0;
    std::vector<BatchToken> tokens;
    for (std::uint32_t i = 0; i < std::min(16U, shape.slot_tokens - 1); ++i) tokens.push_back({first, i, 0, i == 0});
    if (auto done = backend.decode(tokens); !done) return done;
    base::Bytes saved;
    if (backend.save(0, saved)) token_bytes = std::max<std::uint64_t>(1, saved.size() / tokens.size());
    backend.trim(0, 0);
    return {};
}

}  // namespace

base::Result<GenerationBackend> open_generation(std::shared_ptr<const LlamaWeights> weights, const BackendShape& shape) try {
    GenerationBackend result;
    auto slot_bytes = weights->facts().token_bytes * ((shape.slot_tokens + 255) / 256 * 256);
    auto vocabulary = static_cast<std::uint64_t>(weights->facts().vocabulary);
    result.memory = slot_bytes * shape.slots + static_cast<std::uint64_t>(shape.batch_tokens) * vocabulary * sizeof(float) / 8;
    auto backend = std::make_unique<LlamaGeneration>(weights, shape);
    if (auto made = backend->open(); !made) return std::unexpected(made.error());

    // The first decode pages the weights in, and a saved token tells how large one is. On a thread that ends: ggml's
    // workers belong to the thread that computes, and those of a second one would halve the cores for the first.
    base::Result<void> warm;
    std::jthread([&] { warm = warm_up(*weights, *backend, shape, result.token_bytes); }).join();
    if (!warm) return std::unexpected(warm.error());
    result.backend = std::move(backend);
    return result;
} catch (const std::exception& error) {
    return base::fail(base::ErrorKind::unavailable, std::string("the model's cache could not be made: ") + error.what());
}

namespace {

class LlamaPooling final : public PoolingBackend {
public:
    LlamaPooling(std::shared_ptr<const LlamaWeights> weights, ContextPointer context)
        : weights_(std::move(weights)),
          context_(std::move(context)),
          batch_(pooling_batch_tokens) {}

    std::uint32_t batch_tokens() const override { return pooling_batch_tokens; }
    std::uint32_t batch_inputs() const override { return pooling_batch_inputs; }

    base::Result<std::vector<std::vector<float>>> compute(std::span<const std::vector<TokenId>> inputs) override try {
        batch_.clear();
        std::uint32_t slot = 0;
        for (const auto& input : inputs) {
            std::uint32_t position = 0;
            for (auto token : input) {
                if (batch_.full() || slot >= pooling_batch_inputs || !weights_->has_token(token))
                    return base::fail(base::ErrorKind::bug, "a batch of texts is too large or names an unknown token");
                batch_.add(token, position++, slot, true);
            }
            ++slot;
        }
        auto* context = context_.get();
        if (auto* memory = llama_get_memory(context)) llama_memory_clear(memory, false);
        auto* model = weights_->handle().model.get();
        bool encoder_only = llama_model_has_encoder(model) && !llama_model_has_decoder(model);
        auto status = encoder_only ? llama_encode(context, batch_.view()) : llama_decode(context, batch_.view());
        if (status != 0)
            return base::fail(base::ErrorKind::unavailable, "the model could not compute the vectors (" + std::to_string(status) + ")");
        llama_synchronize(context);
        auto width = weights_->facts().ranks ? 1U : weights_->facts().embedding_size;
        std::vector<std::vector<float>> rows;
        for (std::uint32_t i = 0; i < slot; ++i) {
            const auto* row = llama_get_embeddings_seq(context, static_cast<llama_seq_id>(i));
            if (row == nullptr) return base::fail(base::ErrorKind::unavailable, "the model gave no vector");
            rows.emplace_back(row, row + width);
        }
        return rows;
    } catch (const std::exception& error) {
        return base::fail(base::ErrorKind::unavailable, std::string("the model could not compute the vectors: ") + error.what());
    }

private:
    std::shared_ptr<const LlamaWeights> weights_;
    ContextPointer context_;
    Batch batch_;
};

}  // namespace

base::Result<std::unique_ptr<PoolingBackend>> open_pooling(std::shared_ptr<const LlamaWeights> weights, std::uint32_t threads) try {
    auto parameters = llama_context_default_params();
    // Texts are not split: attention may look both ways, so each must fit one physical batch. One shared cache
    // suffices, since nothing is kept between batches.
    parameters.n_ctx = pooling_batch_tokens;
    parameters.n_seq_max = pooling_batch_inputs;
    parameters.n_batch = parameters.n_ubatch = pooling_batch_tokens;
    parameters.n_threads = parameters.n_threads_batch = static_cast<std::int32_t>(threads);
    parameters.kv_unified = true;
    parameters.embeddings = true;
    parameters.pooling_type = weights->facts().has_pooling ? LLAMA_POOLING_TYPE_UNSPECIFIED : LLAMA_POOLING_TYPE_MEAN;
    parameters.no_perf = true;
    last_complaint.clear();
    ContextPointer context(llama_init_from_model(weights->handle().model.get(), parameters));
    if (!context) return base::fail(base::ErrorKind::unavailable, "no room for computing vectors: " + complaint("no reason given"));
    return std::make_unique<LlamaPooling>(std::move(weights), std::move(context));
} catch (const std::exception& error) {
    return base::fail(base::ErrorKind::unavailable, std::string("vectors cannot be computed: ") + error.what());
}

}  // namespace hanse::engine
