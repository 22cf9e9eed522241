// SPDX-License-Identifier: Apache-2.0
#include "pre_tokenizer.hpp"

#include <vector>

#include "json_text.hpp"

namespace hanse::forge {
namespace {

struct Pattern {
    std::string_view name;
    std::string_view expression;
};
// The regular expressions of the models' own tokenizer.json, with llama.cpp's names.
constexpr Pattern patterns[] = {
    {"llama-bpe", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"tekken",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"gpt-4o",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

std::vector<const Json*> steps_of(const Json& step) {
    if (json_string(step, "type") != "Sequence") return {&step};
    std::vector<const Json*> out;
    for (const char* key : {"pretokenizers", "normalizers"})
        if (const Json* list = json_member(step, key); list != nullptr && list->is_array())
            for (const Json& each : list->get<Json::array_t>()) out.push_back(&each);
    return out;
}

}  // namespace

std::optional<std::string> pre_tokenizer_name(const Json& tokenizer) {
    const Json* pre = json_member(tokenizer, "pre_tokenizer");
    if (pre == nullptr) return std::nullopt;
    const auto steps = steps_of(*pre);
    if (steps.empty() || json_string(*steps.back(), "type") != "ByteLevel" || json_truth(*steps.back(), "add_prefix_space", false))
        return std::nullopt;
    const bool by_regex = json_truth(*steps.back(), "use_regex", true);
    if (steps.size() == 1) return by_regex ? std::optional<std::string>("gpt-2") : std::nullopt;
    if (steps.size() != 2) return std::nullopt;
    if (json_string(*steps[0], "type") == "Digits")
        return by_regex && json_truth(*steps[0], "individual_digits", false) ? std::optional<std::string>("smollm") : std::nullopt;
    if (json_string(*steps[0], "type") != "Split" || by_regex) return std::nullopt;
    const Json* pattern = json_member(*steps[0], "pattern");
    const std::string expression = pattern == nullptr ? std::string() : json_string(*pattern, "Regex");
    for (const Pattern& each : patterns)
        if (expression == each.expression) return std::string(each.name);
    return std::nullopt;
}

std::string pre_tokenizer_json(std::string_view name) {
    constexpr std::string_view byte_level = R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":)";
    if (name == "gpt-2" || name == "default") return std::string(byte_level) + "true}";
    if (name == "smollm")
        return R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)" + std::string(byte_level) + "true}]}";
    for (const Pattern& each : patterns)
        if (name == each.name)
            return R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)" + json_text(each.expression) +
                   R"(},"behavior":"Isolated","invert":false},)" + std::string(byte_level) + "false}]}";
    return {};
}

bool prepends_blank(const Json& tokenizer) {
    if (const Json* normalizer = json_member(tokenizer, "normalizer"))
        for (const Json* step : steps_of(*normalizer))
            if (json_string(*step, "type") == "Prepend") return true;
    if (const Json* pre = json_member(tokenizer, "pre_tokenizer"))
        for (const Json* step : steps_of(*pre))
            if (json_string(*step, "type") == "Metaspace") {
                const std::string scheme = json_string(*step, "prepend_scheme");
                return scheme.empty() ? json_truth(*step, "add_prefix_space", true) : scheme != "never";
            }
    return false;
}

}  // namespace hanse::forge
