// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <glaze/glaze.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::forge {

// A JSON value, and a member of one: null if it is not there or null.
using Json = glz::generic;
const Json* json_member(const Json& node, std::string_view key);
std::optional<double> json_number(const Json& node, std::string_view key);
std::string json_string(const Json& node, std::string_view key);
bool json_truth(const Json& node, std::string_view key, bool otherwise);
// `not_found` if there is no such file; `corrupt` with the place if it is no JSON.
base::Result<Json> read_json(const std::filesystem::path& file);

// What config.json says of a model of the Llama family. Both spellings of the rotary embedding's settings are read: rope_theta with
// rope_scaling, and the newer rope_parameters.
struct ModelConfig {
    std::string architecture;  // "LlamaForCausalLM"
    std::string name;
    std::uint64_t layers = 0, width = 0, feed_forward = 0, heads = 0, kv_heads = 0, head_width = 0, vocabulary = 0, context = 0;
    double epsilon = 1e-5, rope_theta = 10'000;
    bool tied = false;
    bool qk_norm = false;
    struct RopeScaling {
        std::string type;  // "linear", "yarn", "llama3"
        double factor = 1, low_frequency = 1, high_frequency = 4;
        std::uint64_t original_context = 8192;
    };
    std::optional<RopeScaling> scaling = {};
    std::optional<std::uint64_t> bos = {}, eos = {}, pad = {};

    bool is_apertus() const { return architecture == "ApertusForCausalLM"; }
    static base::Result<ModelConfig> read(const std::filesystem::path& folder);
};

// The factors by which llama3's scaling lengthens the wave of each pair of a head (llama.cpp divides its frequency by them).
std::vector<float> rope_factors(const ModelConfig& config);

}  // namespace hanse::forge
