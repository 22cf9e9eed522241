// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>
#include <map>

#include "forge/convert.hpp"
#include "forge/numbers.hpp"
#include "json_text.hpp"
#include "layer_name.hpp"
#include "pre_tokenizer.hpp"
#include "printable.hpp"
#include "sentencepiece.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

std::unexpected<base::Error> invalid(std::string message) { return base::fail(ErrorKind::invalid, std::move(message), "invalid_model"); }

std::string number_text(double value) {
    std::string text = std::format("{}", value);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

struct Tokens {
    std::vector<std::string> texts;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    bool is_control(std::size_t i) const { return i < types.size() && types[i] == 3; }
    bool is_added(std::size_t i) const { return i < types.size() && (types[i] == 3 || types[i] == 4); }
    bool is_padding(std::size_t i) const { return i < types.size() && types[i] == 5; }
};

template <typename T>
std::vector<T> list_of(const Metadata& metadata, std::string_view key) {
    const auto* held = metadata.get<std::vector<T>>(key);
    return held == nullptr ? std::vector<T>() : *held;
}

std::string added_token_json(std::size_t id, std::string_view text, bool special) {
    return std::format(R"({{"id":{},"content":{},"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":{}}})", id,
                       json_text(text), special);
}

// tokenizer.json of a byte-level BPE.
Result<std::string> byte_level_json(const Metadata& metadata, const Tokens& tokens) {
    const std::string pre = pre_tokenizer_json(metadata.text("tokenizer.ggml.pre"));
    if (pre.empty())
        return invalid(std::format("the pre-tokenizer {} has no counterpart here", printable(metadata.text("tokenizer.ggml.pre"))));
    std::string added, vocabulary, merges;
    for (std::size_t i = 0; i < tokens.texts.size(); ++i) {
        if (tokens.is_added(i)) added += (added.empty() ? "" : ",") + added_token_json(i, tokens.texts[i], tokens.is_control(i));
        if (!tokens.is_padding(i)) vocabulary += std::format("{}{}:{}", vocabulary.empty() ? "" : ",", json_text(tokens.texts[i]), i);
    }
    for (const std::string& merge : list_of<std::string>(metadata, "tokenizer.ggml.merges"))
        merges += (merges.empty() ? "" : ",") + json_text(merge);
    return std::format(
        R"({{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{}],"normalizer":null,"pre_tokenizer":{},)"
        R"("post_processor":{{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}},)"
        R"("decoder":{{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}},)"
        R"("model":{{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"vocab":{{{}}},"merges":[{}]}}}})",
        added, pre, vocabulary, merges);
}

std::string token_of(const Metadata& metadata, const Tokens& tokens, std::string_view key) {
    const auto id = metadata.whole(std::format("tokenizer.ggml.{}_token_id", key));
    return id && *id < tokens.texts.size() ? json_text(tokens.texts[*id]) : std::string("null");
}

std::string settings_json(const Metadata& metadata, const Tokens& tokens, bool is_sentencepiece) {
    std::string added;
    for (std::size_t i = 0; i < tokens.texts.size(); ++i)
        if (tokens.is_added(i))
            added += std::format(
                "{}\"{}\":{{\"content\":{},\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":{}}}",
                added.empty() ? "" : ",", i, json_text(tokens.texts[i]), tokens.is_control(i));
    const auto truth = [&](std::string_view key) {
        const auto* held = metadata.get<bool>(std::format("tokenizer.ggml.{}", key));
        return held == nullptr ? std::string() : std::format(",\n  \"{}\": {}", key, *held);
    };
    const std::string chat = metadata.text("tokenizer.chat_template");
    return std::format(
        "{{\n  \"tokenizer_class\": \"{}\",\n  \"bos_token\": {},\n  \"eos_token\": {},\n  \"unk_token\": {},\n  \"pad_token\": {},\n  "
        "\"added_tokens_decoder\": {{{}}}{}{}{}{}\n}}\n",
        is_sentencepiece ? "LlamaTokenizer" : "PreTrainedTokenizerFast", token_of(metadata, tokens, "bos"),
        token_of(metadata, tokens, "eos"), token_of(metadata, tokens, "unknown"), token_of(metadata, tokens, "padding"), added,
        truth("add_bos_token"), truth("add_eos_token"), is_sentencepiece ? ",\n  \"legacy\": false" : "",
        chat.empty() ? "" : ",\n  \"chat_template\": " + json_text(chat));
}

Result<void> add_tokenizer_files(const Metadata& metadata, Conversion& out) {
    Tokens tokens{list_of<std::string>(metadata, "tokenizer.ggml.tokens"), list_of<float>(metadata, "tokenizer.ggml.scores"),
                  list_of<std::int32_t>(metadata, "tokenizer.ggml.token_type")};
    const std::string kind = metadata.text("tokenizer.ggml.model");
    if (tokens.texts.empty() || kind == "none") return {};
    if (kind == "llama") {
        SentencePieceModel model{.pieces = {}, .kind = SentencePieceModel::Kind::bpe};
        const auto* prefix = metadata.get<bool>("tokenizer.ggml.add_space_prefix");
        model.add_dummy_prefix = prefix == nullptr || *prefix;
        for (std::size_t i = 0; i < tokens.texts.size(); ++i) {
            const std::int32_t type = i < tokens.types.size() ? tokens.types[i] : 1;
            if (type < 1 || type > 6) return invalid(std::format("tokenizer.ggml.token_type has the unknown type {}", type));
            model.pieces.push_back(
                {tokens.texts[i], i < tokens.scores.size() ? tokens.scores[i] : 0, static_cast<SentencePieceModel::Type>(type)});
        }
        out.files.emplace_back("tokenizer.model", write_sentencepiece(model));
    } else if (kind == "gpt2") {
        auto json = byte_level_json(metadata, tokens);
        if (!json) return std::unexpected(json.error());
        out.files.emplace_back("tokenizer.json", std::move(*json));
    } else {
        return invalid(std::format("the tokenizer {} has no counterpart with Hugging Face here", printable(kind)));
    }
    out.files.emplace_back("tokenizer_config.json", settings_json(metadata, tokens, kind == "llama"));
    return {};
}

struct Facts {
    std::uint64_t layers = 0, width = 0, feed_forward = 0, heads = 0, kv_heads = 0, head_width = 0;
};

Result<std::string> config_json(const Metadata& metadata, const Facts& facts, bool tied, std::uint64_t rows, bool has_factors,
                                TensorType type, bool apertus) {
    const std::string arch = metadata.text("general.architecture");
    const auto token = [&](std::string_view key) {
        const auto id = metadata.whole(std::format("tokenizer.ggml.{}_token_id", key));
        return id ? std::to_string(*id) : std::string("null");
    };
    if (has_factors) return invalid("the file has rope_freqs.weight, from which the settings of llama3's scaling cannot be read back");
    // Both spellings: newer libraries read rope_parameters, older ones rope_theta and rope_scaling.
    const std::string theta = number_text(metadata.number(arch + ".rope.freq_base").value_or(10'000));
    const std::string kind = metadata.text(arch + ".rope.scaling.type");
    std::string scaling = "null", parameters = std::format("{{\"rope_type\": \"default\", \"rope_theta\": {}}}", theta);
    if (kind == "linear" || kind == "yarn") {
        std::string members = std::format("\"rope_type\": \"{}\", \"factor\": {}", kind,
                                          number_text(metadata.number(arch + ".rope.scaling.factor").value_or(1)));
        if (const auto context = metadata.whole(arch + ".rope.scaling.original_context_length"))
            members += std::format(", \"original_max_position_embeddings\": {}", *context);
        scaling = "{" + members + "}";
        parameters = std::format("{{{}, \"rope_theta\": {}}}", members, theta);
    }
    const std::string_view torch = type == TensorType::bf16 ? "bfloat16" : type == TensorType::f16 ? "float16" : "float32";
    return std::format(
        "{{\n  \"architectures\": [\"{}\"],\n  \"model_type\": \"{}\",\n  \"hidden_size\": {},\n  \"intermediate_size\": {},\n  "
        "\"num_hidden_layers\": {},\n"
        "  \"num_attention_heads\": {},\n  \"num_key_value_heads\": {},\n  \"head_dim\": {},\n  \"vocab_size\": {},\n  "
        "\"max_position_embeddings\": {},\n  \"rms_norm_eps\": {},\n"
        "  \"rope_theta\": {},\n  \"rope_scaling\": {},\n  \"rope_parameters\": {},\n  \"hidden_act\": \"{}\",\n  \"tie_word_embeddings\": "
        "{},\n  \"bos_token_id\": "
        "{},\n  \"eos_token_id\": {},\n  \"torch_dtype\": \"{}\"\n}}\n",
        apertus ? "ApertusForCausalLM" : "LlamaForCausalLM", apertus ? "apertus" : "llama", facts.width, facts.feed_forward, facts.layers,
        facts.heads, facts.kv_heads, facts.head_width, rows, metadata.whole(arch + ".context_length").value_or(2048),
        number_text(metadata.number(arch + ".attention.layer_norm_rms_epsilon").value_or(1e-5)), theta, scaling, parameters,
        apertus ? "xielu" : "silu", tied, token("bos"), token("eos"), torch);
}

}  // namespace

Result<Conversion> plan_to_folder(const TensorFile& model, std::optional<TensorType> wanted) {
    const Metadata& metadata = model.metadata();
    const std::string arch = metadata.text("general.architecture");
    if (model.format() != TensorFormat::gguf || (arch != "llama" && arch != "apertus"))
        return invalid(std::format("{} is of architecture {}; llama and apertus can be converted to a folder", model.path().string(),
                                   printable(arch)));
    if (metadata.whole(arch + ".expert_count").value_or(0) > 0) return invalid("mixtures of experts are not converted to a folder");
    if (wanted && safetensors_name(*wanted).empty()) return invalid(std::format("safetensors has no type {}", name(*wanted)));
    Facts facts;
    const std::pair<std::string_view, std::uint64_t*> keys[] = {{"block_count", &facts.layers},
                                                                {"embedding_length", &facts.width},
                                                                {"feed_forward_length", &facts.feed_forward},
                                                                {"attention.head_count", &facts.heads}};
    for (const auto& [key, to] : keys) {
        const auto value = metadata.whole(std::format("{}.{}", arch, key));
        if (!value || *value == 0 || *value > (1U << 28U)) return invalid(std::format("{}.{} is missing or beyond reason", arch, key));
        *to = *value;
    }
    facts.kv_heads = metadata.whole(arch + ".attention.head_count_kv").value_or(facts.heads);
    facts.head_width = metadata.whole(arch + ".attention.key_length")
                           .value_or(metadata.whole(arch + ".rope.dimension_count").value_or(facts.width / facts.heads));
    Conversion out{.direction = Conversion::Direction::to_folder, .plan = {TensorFormat::safetensors, {}, {}, 0}};
    out.plan.metadata.set("format", std::string("pt"));
    std::uint64_t rows = 0;
    TensorType most = TensorType::f32;
    for (std::size_t i = 0; i < model.tensors().size(); ++i) {
        const Tensor& tensor = model.tensor(i);
        if (tensor.name == "rope_freqs.weight") continue;
        auto name = hugging_face_name(tensor.name);
        if (!name) return invalid(std::format("tensor {} has no counterpart with Hugging Face", printable(tensor.name)));
        if (arch == "apertus") {
            if (const auto at = name->find("input_layernorm"); at != std::string::npos) name->replace(at, 15, "attention_layernorm");
            if (const auto at = name->find("post_attention_layernorm"); at != std::string::npos)
                name->replace(at, 24, "feedforward_layernorm");
        }
        TensorMove move{.source = i};
        if (arch == "llama" && (tensor.name.contains("attn_q.") || tensor.name.contains("attn_k."))) {
            move.heads = tensor.name.contains("attn_q.") ? facts.heads : facts.kv_heads;
            if (is_quantised(tensor.type) && tensor.row() % block(tensor.type).elements != 0)
                return invalid(std::format("tensor {} has rows of no whole blocks", printable(tensor.name)));
            if (move.heads == 0 || tensor.shape.front() % (2 * move.heads) != 0)
                return invalid(std::format("tensor {} has {} rows, which are no pairs for {} heads", printable(tensor.name),
                                           tensor.shape.front(), move.heads));
        }
        const bool matrix = tensor.shape.size() > 1;
        const TensorType type = wanted.value_or(is_quantised(tensor.type) ? TensorType::f16 : matrix ? tensor.type : TensorType::f32);
        if (matrix) most = type;
        if (tensor.name == "token_embd.weight" && matrix) rows = tensor.shape.front();
        out.plan.tensors.push_back({*name, type, tensor.shape});
        out.moves.push_back(std::move(move));
    }
    if (arch == "apertus") {
        constexpr std::string_view numbers[] = {"alpha_n", "alpha_p", "beta", "eps"};
        for (const std::string_view number : numbers) {
            const auto values = list_of<float>(metadata, std::format("xielu.{}", number));
            if (values.size() != facts.layers)
                return invalid(std::format("xielu.{} has {} values for {} layers", number, values.size(), facts.layers));
            for (std::size_t layer = 0; layer < values.size(); ++layer) {
                out.plan.tensors.push_back({std::format("model.layers.{}.mlp.act_fn.{}", layer, number), TensorType::f32,
                                            number.starts_with("alpha") ? std::vector<std::uint64_t>{1} : std::vector<std::uint64_t>{}});
                out.moves.push_back({.made = {values[layer]}});
            }
        }
    }
    const bool tied = !model.find("output.weight");
    auto config = config_json(metadata, facts, tied, rows, model.find("rope_freqs.weight").has_value(), most, arch == "apertus");
    if (!config) return std::unexpected(config.error());
    out.files.emplace_back("config.json", std::move(*config));
    if (auto done = add_tokenizer_files(metadata, out); !done) return std::unexpected(done.error());
    return out;
}

}  // namespace hanse::forge
