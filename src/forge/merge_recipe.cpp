// SPDX-License-Identifier: Apache-2.0
#include "forge/merge_recipe.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <glaze/glaze.hpp>
#include <glaze/yaml.hpp>
#include <initializer_list>

#include "base/config.hpp"

namespace hanse::forge {
namespace {

using base::Result;
using Node = glz::generic;

std::unexpected<base::Error> wrong(std::string_view key, std::string_view what) {
    return base::fail(base::ErrorKind::invalid, std::format("recipe, {}: {}", key, what), "invalid_recipe", std::string(key));
}

std::string below(std::string_view key, std::string_view name) { return key.empty() ? std::string(name) : std::format("{}.{}", key, name); }

const Node* member(const Node& node, std::string_view name) {
    const auto* object = node.get_if<Node::object_t>();
    if (object == nullptr) return nullptr;
    const auto found = object->find(name);
    return found == object->end() || found->second.is_null() ? nullptr : &found->second;
}

Result<void> only(const Node& node, std::string_view key, const std::vector<std::string>& names) {
    const auto* object = node.get_if<Node::object_t>();
    if (object == nullptr) return wrong(key.empty() ? "top level" : key, "it must be a map of keys and values");
    for (const auto& [name, value] : *object) {
        if (std::ranges::contains(names, name)) continue;
        const auto near = base::nearest_word(name, names);
        return wrong(below(key, name), near.empty() ? "this key is not known" : std::format("this key is not known; {} is near", near));
    }
    return {};
}

Result<std::string> text(const Node& node, std::string_view key) {
    if (const auto* held = node.get_if<std::string>()) return *held;
    if (const auto* number = node.get_if<double>()) return std::format("{}", *number);
    return wrong(key, "it must be a text");
}

Result<ModelName> model_name(const Node& node, std::string_view key) {
    if (node.is_object()) {  // {model: {path: …, revision: …}, lora: …}, as programs write it
        const Node* inner = member(node, "model");
        const Node* path = member(inner != nullptr ? *inner : node, "path");
        if (path == nullptr) return wrong(key, "it names no path");
        auto name = text(*path, key);
        if (!name) return std::unexpected(name.error());
        return ModelName::parse(*name);
    }
    auto name = text(node, key);
    if (!name) return std::unexpected(name.error());
    if (name->empty()) return wrong(key, "it names no model");
    return ModelName::parse(*name);
}

std::optional<double> number(const Node& node) {
    if (const auto* held = node.get_if<double>()) return *held;
    if (const auto* truth = node.get_if<bool>()) return *truth ? 1.0 : 0.0;
    return std::nullopt;
}

Result<std::vector<double>> values(const Node& node, std::string_view key) {
    if (const auto one = number(node)) return std::vector{*one};
    std::vector<double> out;
    if (const auto* list = node.get_if<Node::array_t>())
        for (const Node& item : *list) {
            const auto one = number(item);
            if (!one) return wrong(key, "a gradient must be a list of numbers");
            out.push_back(*one);
        }
    if (out.empty()) return wrong(key, "it must be a number, a list of numbers, or a list of {filter, value}");
    for (const double value : out)
        if (!std::isfinite(value)) return wrong(key, "it must be a finite number");
    return out;
}

Result<Parameter> parameter_of(const Node& node, std::string_view key) {
    const auto* list = node.get_if<Node::array_t>();
    const bool rules = list != nullptr && !list->empty() && list->front().is_object();
    if (!rules) {
        auto plain = values(node, key);
        if (!plain) return std::unexpected(plain.error());
        return Parameter{{.values = std::move(*plain)}};
    }
    Parameter out;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = std::format("{}[{}]", key, i);
        if (auto done = only((*list)[i], here, {"filter", "value"}); !done) return std::unexpected(done.error());
        ParameterRule& rule = out.emplace_back();
        if (const Node* filter = member((*list)[i], "filter")) {
            auto word = text(*filter, below(here, "filter"));
            if (!word) return std::unexpected(word.error());
            if (*word != "*") rule.filter = std::move(*word);
        }
        const Node* value = member((*list)[i], "value");
        if (value == nullptr) return wrong(here, "it has no value");
        auto read = values(*value, below(here, "value"));
        if (!read) return std::unexpected(read.error());
        rule.values = std::move(*read);
    }
    return out;
}

Result<Parameters> parameters_of(const Node& node, std::string_view key) {
    Parameters out;
    const Node* held = member(node, "parameters");
    if (held == nullptr) return out;
    const auto* object = held->get_if<Node::object_t>();
    if (object == nullptr) return wrong(below(key, "parameters"), "it must be a map of names and values");
    for (const auto& [name, value] : *object) {
        if (value.is_null()) continue;
        auto read = parameter_of(value, std::format("{}.{}", below(key, "parameters"), name));
        if (!read) return std::unexpected(read.error());
        out[name] = std::move(*read);
    }
    return out;
}

Result<SliceSource> source_of(const Node& node, std::string_view key, bool with_layers) {
    if (auto done = only(
            node, key,
            with_layers ? std::vector<std::string>{"model", "layer_range", "parameters"} : std::vector<std::string>{"model", "parameters"});
        !done)
        return std::unexpected(done.error());
    SliceSource source;
    const Node* model = member(node, "model");
    if (model == nullptr) return wrong(below(key, "model"), "it is missing");
    auto name = model_name(*model, below(key, "model"));
    if (!name) return std::unexpected(name.error());
    source.model = std::move(*name);
    if (const Node* range = member(node, "layer_range")) {
        const auto* list = range->get_if<Node::array_t>();
        const auto begin = list != nullptr && list->size() == 2 ? number((*list)[0]) : std::nullopt;
        const auto end = list != nullptr && list->size() == 2 ? number((*list)[1]) : std::nullopt;
        if (!begin || !end || *begin < 0 || *end <= *begin || *end > 100'000 || std::floor(*begin) != *begin || std::floor(*end) != *end)
            return wrong(below(key, "layer_range"), "it must be [first, end] with whole numbers, the end not included");
        source.layers = LayerRange{static_cast<std::uint64_t>(*begin), static_cast<std::uint64_t>(*end)};
    }
    auto parameters = parameters_of(node, key);
    if (!parameters) return std::unexpected(parameters.error());
    source.parameters = std::move(*parameters);
    return source;
}

Result<Slice> slice_of(const Node& list, std::string_view key, bool with_layers) {
    const auto* sources = list.get_if<Node::array_t>();
    if (sources == nullptr || sources->empty()) return wrong(key, "it must be a list of models");
    Slice slice;
    for (std::size_t i = 0; i < sources->size(); ++i) {
        auto source = source_of((*sources)[i], std::format("{}[{}]", key, i), with_layers);
        if (!source) return std::unexpected(source.error());
        slice.sources.push_back(std::move(*source));
    }
    return slice;
}

Result<void> read_models(const Node& node, std::string_view key, MergeRecipe& recipe) {
    const Node* models = member(node, "models");
    const Node* slices = member(node, "slices");
    if ((models == nullptr) == (slices == nullptr))
        return wrong(key.empty() ? "models" : key, "either models or slices must be given, not both");
    if (models != nullptr) {
        auto slice = slice_of(*models, below(key, "models"), false);
        if (!slice) return std::unexpected(slice.error());
        recipe.whole_models = true;
        recipe.slices.push_back(std::move(*slice));
        return {};
    }
    const auto* list = slices->get_if<Node::array_t>();
    if (list == nullptr || list->empty()) return wrong(below(key, "slices"), "it must be a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = std::format("{}[{}]", below(key, "slices"), i);
        if (auto done = only((*list)[i], here, {"sources", "base_model", "parameters"}); !done) return done;
        const Node* sources = member((*list)[i], "sources");
        if (sources == nullptr) return wrong(below(here, "sources"), "it is missing");
        auto slice = slice_of(*sources, below(here, "sources"), true);
        if (!slice) return std::unexpected(slice.error());
        if (const Node* base = member((*list)[i], "base_model")) {
            auto name = model_name(*base, below(here, "base_model"));
            if (!name) return std::unexpected(name.error());
            slice->base = std::move(*name);
        }
        auto parameters = parameters_of((*list)[i], here);
        if (!parameters) return std::unexpected(parameters.error());
        slice->parameters = std::move(*parameters);
        recipe.slices.push_back(std::move(*slice));
    }
    return {};
}

// A model of one part has one module; its slices and parameters are the recipe's.
Result<void> read_modules(const Node& modules, MergeRecipe& recipe) {
    const auto* object = modules.get_if<Node::object_t>();
    if (object == nullptr || object->size() != 1)
        return wrong("modules", "exactly one module is supported: language models of the Llama family have one");
    const auto& [name, module] = *object->begin();
    const auto here = std::format("modules.{}", name);
    if (auto done = only(module, here, {"models", "slices", "parameters"}); !done) return done;
    if (auto done = read_models(module, here, recipe); !done) return done;
    auto parameters = parameters_of(module, here);
    if (!parameters) return std::unexpected(parameters.error());
    for (auto& [key, value] : *parameters) recipe.parameters[key] = std::move(value);  // nearer than the global ones
    return {};
}

Result<TokenRule> token_of(const Node& node, std::string_view key) {
    if (auto done = only(node, key, {"source", "force"}); !done) return std::unexpected(done.error());
    TokenRule rule;
    if (const Node* force = member(node, "force")) rule.force = number(*force).value_or(0) != 0;
    const Node* source = member(node, "source");
    if (source == nullptr) return wrong(below(key, "source"), "it is missing");
    const Node* kind = member(*source, "kind");
    if (kind != nullptr && text(*kind, key).value_or("") == "zero") {
        rule.kind = TokenRule::Kind::zero;
        return rule;
    }
    const bool from_token = kind != nullptr && text(*kind, key).value_or("") == "model_token";
    if (kind != nullptr && !from_token) return wrong(below(key, "source.kind"), "it must be zero or model_token");
    const Node* model = from_token ? member(*source, "model") : source;
    if (model == nullptr) return wrong(below(key, "source.model"), "it is missing");
    auto name = model_name(*model, below(key, "source"));
    if (!name) return std::unexpected(name.error());
    rule.model = std::move(*name);
    if (from_token) {
        rule.kind = TokenRule::Kind::model_token;
        if (const Node* token = member(*source, "token")) rule.token = text(*token, key).value_or("");
        if (const Node* id = member(*source, "token_id")) rule.id = static_cast<std::uint64_t>(std::max(0.0, number(*id).value_or(0)));
        if (rule.token.empty() && !rule.id) return wrong(below(key, "source"), "it names neither token nor token_id");
    }
    return rule;
}

Result<void> set_source(TokenizerRule& to, const Node& node, std::string_view key) {
    auto word = text(node, key);
    if (!word) return std::unexpected(word.error());
    if (*word == "base") to.source = TokenizerRule::Source::base;
    else if (*word == "union") to.source = TokenizerRule::Source::union_of_all;
    else {
        to.source = TokenizerRule::Source::model;
        to.model = ModelName::parse(word->starts_with("model:") ? std::string_view(*word).substr(6) : *word);
    }
    return {};
}

Result<void> read_tokenizer(const Node& top, MergeRecipe& recipe) {
    const Node* source = member(top, "tokenizer_source");
    const Node* rules = member(top, "tokenizer");
    if (source != nullptr && rules != nullptr) return wrong("tokenizer_source", "it cannot be given together with tokenizer");
    if (source != nullptr) return set_source(recipe.tokenizer, *source, "tokenizer_source");
    if (rules == nullptr) return {};
    if (auto done = only(*rules, "tokenizer", {"source", "tokens", "pad_to_multiple_of"}); !done) return done;
    recipe.tokenizer.source = TokenizerRule::Source::union_of_all;
    if (const Node* from = member(*rules, "source"))
        if (auto done = set_source(recipe.tokenizer, *from, "tokenizer.source"); !done) return done;
    if (const Node* pad = member(*rules, "pad_to_multiple_of")) {
        const auto multiple = number(*pad);
        if (!multiple || *multiple < 1 || *multiple > 65'536)
            return wrong("tokenizer.pad_to_multiple_of", "it must be a whole number from 1 to 65536");
        recipe.tokenizer.pad_to_multiple_of = static_cast<std::uint64_t>(*multiple);
    }
    const Node* tokens = member(*rules, "tokens");
    if (tokens == nullptr) return {};
    const auto* object = tokens->get_if<Node::object_t>();
    if (object == nullptr) return wrong("tokenizer.tokens", "it must be a map of tokens");
    for (const auto& [token, value] : *object) {
        auto rule = token_of(value, std::format("tokenizer.tokens.{}", token));
        if (!rule) return std::unexpected(rule.error());
        recipe.tokenizer.tokens[token] = std::move(*rule);
    }
    return {};
}

Result<std::optional<TensorType>> type_of(const Node& top, std::string_view key) {
    const Node* node = member(top, key);
    if (node == nullptr) return std::nullopt;
    auto word = text(*node, key);
    if (!word) return std::unexpected(word.error());
    const auto type = tensor_type_named(*word);
    if (!type || !is_real(*type)) return wrong(key, std::format("{} is no type of weights", *word));
    return type;
}

}  // namespace

ModelName ModelName::parse(std::string_view text) {
    ModelName name;
    if (const auto plus = text.find('+'); plus != std::string_view::npos) {
        name.adapter = text.substr(plus + 1);
        text = text.substr(0, plus);
    }
    if (const auto at = text.rfind('@'); at != std::string_view::npos && at > 0) {
        name.revision = text.substr(at + 1);
        text = text.substr(0, at);
    }
    name.path = text;
    return name;
}

double ParameterRule::at(double place) const {
    if (values.size() == 1) return values.front();
    const double scaled = place * static_cast<double>(values.size() - 1);
    const auto first = std::min(static_cast<std::size_t>(scaled), values.size() - 1);
    const std::size_t second = std::min(first + 1, values.size() - 1);
    const double share = scaled - static_cast<double>(first);
    return (1.0 - share) * values[first] + share * values[second];
}

std::optional<double> parameter(std::string_view name, const std::vector<const Parameters*>& levels,
                                const std::vector<std::string>& tensor_names, double place) {
    for (const Parameters* level : levels) {
        if (level == nullptr) continue;
        const auto found = level->find(name);
        if (found == level->end()) continue;
        for (const ParameterRule& rule : found->second)
            if (rule.filter.empty() ||
                std::ranges::any_of(tensor_names, [&](const std::string& each) { return each.contains(rule.filter); }))
                return rule.at(place);
    }
    return std::nullopt;
}

Result<MergeRecipe> MergeRecipe::parse(std::string_view yaml) {
    if (yaml.size() > 1U << 20U) return wrong("text", "it is over 1 MiB");
    Node top;
    const std::string copy(yaml);
    try {
        if (const auto error = glz::read_yaml(top, copy))
            return wrong("text", std::format("it is no YAML: {}", glz::format_error(error, copy)));
    } catch (const std::exception& thrown) {
        return wrong("text", std::format("it is no YAML: {}", thrown.what()));
    }
    if (auto done = only(top, "",
                         {"merge_method", "base_model", "models", "slices", "modules", "parameters", "dtype", "out_dtype",
                          "tokenizer_source", "tokenizer", "chat_template", "name"});
        !done)
        return std::unexpected(done.error());
    MergeRecipe recipe{.yaml = copy};
    const Node* method = member(top, "merge_method");
    if (method == nullptr) return wrong("merge_method", "it is missing");
    auto word = text(*method, "merge_method");
    if (!word) return std::unexpected(word.error());
    recipe.method = std::move(*word);
    if (const Node* base = member(top, "base_model")) {
        auto name = model_name(*base, "base_model");
        if (!name) return std::unexpected(name.error());
        recipe.base = std::move(*name);
    }
    auto parameters = parameters_of(top, "");
    if (!parameters) return std::unexpected(parameters.error());
    recipe.parameters = std::move(*parameters);
    const Node* modules = member(top, "modules");
    if (auto done = modules != nullptr ? read_modules(*modules, recipe) : read_models(top, "", recipe); !done)
        return std::unexpected(done.error());
    auto dtype = type_of(top, "dtype");
    auto out_dtype = type_of(top, "out_dtype");
    if (!dtype) return std::unexpected(dtype.error());
    if (!out_dtype) return std::unexpected(out_dtype.error());
    recipe.dtype = *dtype;
    recipe.out_dtype = *out_dtype;
    if (recipe.dtype && *recipe.dtype != TensorType::f32 && *recipe.dtype != TensorType::f16 && *recipe.dtype != TensorType::bf16)
        return wrong("dtype", "merges compute in float32, float16 or bfloat16");
    if (auto done = read_tokenizer(top, recipe); !done) return std::unexpected(done.error());
    if (const Node* chat = member(top, "chat_template")) {
        auto words = text(*chat, "chat_template");
        if (!words) return std::unexpected(words.error());
        recipe.chat_template = std::move(*words);
    }
    return recipe;
}

}  // namespace hanse::forge
