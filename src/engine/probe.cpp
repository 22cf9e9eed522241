// SPDX-License-Identifier: Apache-2.0
#include "engine/probe.hpp"

#include <ggml-backend.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "catalog/gguf.hpp"
#include "expert_mask.hpp"
#include "llama_handle.hpp"

namespace hanse::engine {
namespace {

using base::ErrorKind;

constexpr std::string_view input_name = "ffn_norm-";  // libllama's name for what the feed-forward part reads, with the layer

class LlamaProbe final : public Probe {
public:
    LlamaProbe(std::shared_ptr<const LlamaWeights> weights, std::uint32_t window) : weights_(std::move(weights)), window_(window) {}

    base::Result<void> open(std::uint32_t threads, const std::vector<ScaledAdapter>& wanted) {
        const auto* model = weights_->handle().model.get();
        const auto& seen = weights_->facts();
        facts_ = {seen.architecture,
                  static_cast<std::uint32_t>(llama_model_n_layer(model)),
                  static_cast<std::uint32_t>(llama_model_n_embd(model)),
                  seen.vocabulary,
                  seen.context,
                  seen.experts};
        if (!seen.experts.empty()) mask_.emplace(static_cast<std::uint32_t>(seen.experts.size()), facts_.layers, 1);
        auto parameters = llama_context_default_params();
        parameters.n_ctx = (window_ + 255) / 256 * 256;
        parameters.n_batch = parameters.n_ubatch = window_;
        parameters.n_seq_max = 1;
        parameters.n_threads = parameters.n_threads_batch = static_cast<std::int32_t>(threads);
        parameters.type_k = parameters.type_v = GGML_TYPE_F32;  // nothing is rounded that need not be
        parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
        parameters.no_perf = true;
        parameters.cb_eval = [](ggml_tensor* tensor, bool ask, void* self) { return static_cast<LlamaProbe*>(self)->seen(tensor, ask); };
        parameters.cb_eval_user_data = this;
        context_.reset(llama_init_from_model(weights_->handle().model.get(), parameters));
        if (!context_) return base::fail(ErrorKind::unavailable, "no room to compute with the model");
        std::vector<llama_adapter_lora*> adapters;
        std::vector<float> scales;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            adapters.push_back(weights_->handle().adapters.at(std::to_string(i)));
            scales.push_back(wanted[i].scale);
        }
        if (!adapters.empty() && llama_set_adapters_lora(context_.get(), adapters.data(), adapters.size(), scales.data()) != 0)
            return base::fail(ErrorKind::unavailable, "the adapters could not be applied");
        return {};
    }

    const Facts& facts() const override { return facts_; }
    std::vector<TokenId> tokenize(std::string_view text) const override { return weights_->tokenize(text, false, false); }
    void leave_out(std::span<const std::uint32_t> experts) override {
        if (mask_) mask_->leave_out(0, experts);
    }

    base::Result<void> read(std::span<const TokenId> tokens, const Listener& listener) override try {
        llama_memory_clear(llama_get_memory(context_.get()), false);
        listener_ = &listener;
        auto done = decode(tokens, 0, listener.logits || listener.ffn_inputs);
        listener_ = nullptr;
        if (!done) return done;
        for (std::size_t i = 0; listener.logits && i < tokens.size(); ++i) listener.logits(i, logits(i));
        return {};
    } catch (const std::exception& error) {
        listener_ = nullptr;
        return base::fail(ErrorKind::unavailable, std::string("the model could not read a text: ") + error.what());
    }

    base::Result<std::vector<TokenId>> continue_with(std::span<const TokenId> prefix, std::uint32_t count) override try {
        llama_memory_clear(llama_get_memory(context_.get()), false);
        std::vector<TokenId> answer;
        std::vector<TokenId> next(prefix.begin(), prefix.end());
        std::uint32_t place = 0;
        while (answer.size() < count && place + next.size() <= window_) {
            if (auto done = decode(next, place, true); !done) return std::unexpected(done.error());
            const auto row = logits(next.size() - 1);
            place += static_cast<std::uint32_t>(next.size());
            answer.push_back(static_cast<TokenId>(std::ranges::max_element(row) - row.begin()));
            next.assign(1, answer.back());
        }
        return answer;
    } catch (const std::exception& error) {
        return base::fail(ErrorKind::unavailable, std::string("the model could not go on with a text: ") + error.what());
    }

private:
    base::Result<void> decode(std::span<const TokenId> tokens, std::uint32_t first, bool outputs) {
        if (tokens.empty() || first + tokens.size() > window_)
            return base::fail(ErrorKind::bug, "a text is empty or longer than the window");
        std::vector<llama_token> ids(tokens.begin(), tokens.end());
        std::vector<llama_pos> places(ids.size());
        std::vector<std::int32_t> counts(ids.size(), 1);
        llama_seq_id sequence = 0;
        std::vector<llama_seq_id*> sequences(ids.size(), &sequence);
        std::vector<std::int8_t> wanted(ids.size(), outputs ? 1 : 0);
        std::vector<BatchToken> batch;
        for (std::uint32_t i = 0; i < ids.size(); ++i) {
            if (!weights_->has_token(ids[i])) return base::fail(ErrorKind::invalid, "the text holds a token that the model does not have");
            places[i] = static_cast<llama_pos>(first + i);
            batch.push_back({ids[i], first + i, 0, outputs});
        }
        if (mask_) mask_->begin(batch);
        const auto status = llama_decode(context_.get(), {static_cast<std::int32_t>(ids.size()), ids.data(), nullptr, places.data(),
                                                          counts.data(), sequences.data(), wanted.data()});
        if (status != 0) return base::fail(ErrorKind::unavailable, "the model could not compute a step (" + std::to_string(status) + ")");
        llama_synchronize(context_.get());
        if (mask_ && !mask_->whole()) return base::fail(ErrorKind::unavailable, "an expert could not be kept out of a step");
        return {};
    }

    std::span<const float> logits(std::size_t place) {
        const auto* row = llama_get_logits_ith(context_.get(), static_cast<std::int32_t>(place));
        return row == nullptr ? std::span<const float>() : std::span(row, facts_.vocabulary);
    }

    bool seen(ggml_tensor* tensor, bool ask) {
        const std::string_view name = tensor->name;
        const bool inputs = listener_ != nullptr && listener_->ffn_inputs && name.starts_with(input_name);
        if (ask) {
            const bool masked = mask_ && ExpertMask::callback(tensor, true, &*mask_);
            return masked || inputs;
        }
        if (!inputs) return mask_ ? ExpertMask::callback(tensor, false, &*mask_) : true;
        std::uint32_t layer = 0;
        const auto digits = name.substr(input_name.size());
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
        if (error != std::errc() || end != digits.data() + digits.size() || tensor->type != GGML_TYPE_F32 || tensor->ne[0] != facts_.width)
            return true;
        rows_.resize(static_cast<std::size_t>(ggml_nelements(tensor)));
        ggml_backend_tensor_get(tensor, rows_.data(), 0, rows_.size() * sizeof(float));
        listener_->ffn_inputs(layer, rows_);
        return true;
    }

    std::shared_ptr<const LlamaWeights> weights_;
    std::optional<ExpertMask> mask_;
    ContextPointer context_;
    Facts facts_;
    std::uint32_t window_;
    const Listener* listener_ = nullptr;
    std::vector<float> rows_;
};

}  // namespace

base::Result<std::unique_ptr<Probe>> Probe::open(const std::string& path, std::uint32_t window, std::uint32_t threads,
                                                 const std::vector<ScaledAdapter>& adapters) try {
    if (auto sound = catalog::check_gguf(path); !sound) return std::unexpected(sound.error());
    std::vector<std::pair<std::string, std::string>> named;
    for (std::size_t i = 0; i < adapters.size(); ++i) named.emplace_back(std::to_string(i), adapters[i].file);
    auto weights = LlamaWeights::open(path, named, {});
    if (!weights) return base::fail(weights.error().kind, path + " cannot be loaded: " + weights.error().message, weights.error().code);
    if (!(*weights)->facts().decodes) return base::fail(ErrorKind::invalid, path + " is no model that continues texts");
    window = std::max(1U, std::min(window, (*weights)->facts().context));
    auto probe = std::make_unique<LlamaProbe>(std::move(*weights), window);
    if (auto opened = probe->open(threads, adapters); !opened) return std::unexpected(opened.error());
    return probe;
} catch (const std::exception& error) {
    return base::fail(ErrorKind::unavailable, path + " cannot be measured: " + error.what());
}

}  // namespace hanse::engine
