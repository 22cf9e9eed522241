// SPDX-License-Identifier: Apache-2.0
#include "model_config.hpp"

#include <cmath>
#include <format>
#include <numbers>

#include "catalog/files.hpp"
#include "printable.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

const Json* json_member(const Json& node, std::string_view key) {
    const auto* object = node.get_if<Json::object_t>();
    if (object == nullptr) return nullptr;
    const auto found = object->find(key);
    return found == object->end() || found->second.is_null() ? nullptr : &found->second;
}

std::optional<double> json_number(const Json& node, std::string_view key) {
    const Json* held = json_member(node, key);
    if (held == nullptr) return std::nullopt;
    const auto* value = held->get_if<double>();
    return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string json_string(const Json& node, std::string_view key) {
    const Json* held = json_member(node, key);
    if (held == nullptr) return {};
    const auto* value = held->get_if<std::string>();
    return value == nullptr ? std::string() : *value;
}

bool json_truth(const Json& node, std::string_view key, bool otherwise) {
    const Json* held = json_member(node, key);
    const bool* value = held == nullptr ? nullptr : held->get_if<bool>();
    return value == nullptr ? otherwise : *value;
}

Result<Json> read_json(const fs::path& file) {
    const auto text = catalog::read_file_whole(file, 256U << 20U);
    if (!text) return std::unexpected(text.error());
    Json top;
    try {
        if (const auto error = glz::read_json(top, *text))
            return base::fail(ErrorKind::corrupt, std::format("{} is no JSON, at byte {}", file.string(), error.count), "invalid_model");
    } catch (const std::exception& thrown) {
        return base::fail(ErrorKind::corrupt, std::format("{} is no JSON: {}", file.string(), thrown.what()), "invalid_model");
    }
    return top;
}

namespace {

Result<std::uint64_t> whole(const Json& top, std::string_view key, std::optional<std::uint64_t> otherwise, std::uint64_t most) {
    const auto value = json_number(top, key);
    if (!value && otherwise) return *otherwise;
    if (!value || *value < 1 || *value > static_cast<double>(most) || std::floor(*value) != *value)
        return base::fail(ErrorKind::corrupt, std::format("config.json, {}: it must be a whole number from 1 to {}", key, most),
                          "invalid_model", std::string(key));
    return static_cast<std::uint64_t>(*value);
}

// A number, or the first of a list: some models end in several ways.
std::optional<std::uint64_t> token(const Json& top, std::string_view key) {
    const Json* held = json_member(top, key);
    if (held != nullptr && held->is_array() && !held->get<Json::array_t>().empty()) held = &held->get<Json::array_t>().front();
    const double* value = held == nullptr ? nullptr : held->get_if<double>();
    return value == nullptr || *value < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*value));
}

Result<void> read_rope(const Json& top, ModelConfig& config) {
    const Json* parameters = json_member(top, "rope_parameters");
    const Json* scaling = parameters != nullptr ? parameters : json_member(top, "rope_scaling");
    if (const auto theta = json_number(top, "rope_theta")) config.rope_theta = *theta;
    if (scaling == nullptr) return {};
    if (const auto theta = json_number(*scaling, "rope_theta")) config.rope_theta = *theta;
    std::string type = json_string(*scaling, "rope_type");
    if (type.empty()) type = json_string(*scaling, "type");
    if (type.empty() || type == "default") return {};
    if (type != "linear" && type != "yarn" && type != "llama3")
        return base::fail(ErrorKind::invalid,
                          std::format("config.json, rope_scaling: the type {} is not known; linear, yarn and llama3 are", printable(type)),
                          "invalid_model", "rope_scaling");
    ModelConfig::RopeScaling& out = config.scaling.emplace();
    out.type = type;
    out.factor = json_number(*scaling, "factor").value_or(type == "llama3" ? 8 : 1);
    out.low_frequency = json_number(*scaling, "low_freq_factor").value_or(1);
    out.high_frequency = json_number(*scaling, "high_freq_factor").value_or(4);
    out.original_context = static_cast<std::uint64_t>(
        json_number(*scaling, "original_max_position_embeddings").value_or(type == "yarn" ? static_cast<double>(config.context) : 8192));
    return {};
}

}  // namespace

Result<ModelConfig> ModelConfig::read(const fs::path& folder) {
    const auto top = read_json(folder / "config.json");
    if (!top) return std::unexpected(top.error());
    ModelConfig config;
    const Json* architectures = json_member(*top, "architectures");
    if (architectures != nullptr && architectures->is_array() && !architectures->get<Json::array_t>().empty())
        if (const auto* first = architectures->get<Json::array_t>().front().get_if<std::string>()) config.architecture = *first;
    if (config.architecture != "LlamaForCausalLM" && config.architecture != "MistralForCausalLM" &&
        config.architecture != "ApertusForCausalLM")
        return base::fail(
            ErrorKind::invalid,
            std::format(
                "config.json, architectures: {} is not of the Llama family (LlamaForCausalLM, MistralForCausalLM, ApertusForCausalLM)",
                printable(config.architecture)),
            "invalid_model", "architectures");
    config.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
    struct Number {
        std::uint64_t ModelConfig::* to;
        std::string_view key;
        std::optional<std::uint64_t> otherwise;
        std::uint64_t most;
    };
    const Number numbers[] = {{&ModelConfig::layers, "num_hidden_layers", {}, 100'000},
                              {&ModelConfig::width, "hidden_size", {}, 1U << 24U},
                              {&ModelConfig::feed_forward, "intermediate_size", {}, 1U << 26U},
                              {&ModelConfig::heads, "num_attention_heads", {}, 65'536},
                              {&ModelConfig::vocabulary, "vocab_size", {}, 1U << 28U},
                              {&ModelConfig::context, "max_position_embeddings", 2048, 1U << 30U}};
    for (const Number& number : numbers) {
        auto value = whole(*top, number.key, number.otherwise, number.most);
        if (!value) return std::unexpected(value.error());
        config.*number.to = *value;
    }
    auto kv = whole(*top, "num_key_value_heads", config.heads, 65'536);
    if (!kv) return std::unexpected(kv.error());
    config.kv_heads = *kv;
    auto head = whole(*top, "head_dim", std::max<std::uint64_t>(1, config.width / config.heads), 65'536);
    if (!head) return std::unexpected(head.error());
    config.head_width = *head;
    if (config.head_width % 2 != 0 || config.heads % config.kv_heads != 0)
        return base::fail(ErrorKind::corrupt,
                          "config.json: the heads' width must be even, and their number a multiple of num_key_value_heads",
                          "invalid_model");
    config.epsilon = json_number(*top, "rms_norm_eps").value_or(1e-5);
    config.tied = json_truth(*top, "tie_word_embeddings", false);
    config.qk_norm = json_truth(*top, "qk_norm", config.is_apertus());
    config.bos = token(*top, "bos_token_id");
    config.eos = token(*top, "eos_token_id");
    config.pad = token(*top, "pad_token_id");
    if (auto done = read_rope(*top, config); !done) return std::unexpected(done.error());
    return config;
}

std::vector<float> rope_factors(const ModelConfig& config) {
    const auto& scaling = *config.scaling;
    const auto context = static_cast<double>(scaling.original_context);
    const double low = context / scaling.low_frequency, high = context / scaling.high_frequency;
    std::vector<float> factors;
    for (std::uint64_t i = 0; i < config.head_width; i += 2) {
        const double frequency = std::pow(config.rope_theta, -static_cast<double>(i) / static_cast<double>(config.head_width));
        const double wave = 2 * std::numbers::pi / frequency;
        if (wave < high) factors.push_back(1);
        else if (wave > low) factors.push_back(static_cast<float>(scaling.factor));
        else {
            const double smooth = (context / wave - scaling.low_frequency) / (scaling.high_frequency - scaling.low_frequency);
            factors.push_back(static_cast<float>(1 / ((1 - smooth) / scaling.factor + smooth)));
        }
    }
    return factors;
}

}  // namespace hanse::forge
