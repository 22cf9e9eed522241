// SPDX-License-Identifier: Apache-2.0
#include "openai_sampling.hpp"

#include <charconv>
#include <format>
#include <limits>

namespace hanse::api {
namespace {

constexpr std::size_t stop_max = 16;
constexpr std::size_t bias_max = 4096;

void read_logit_bias(Fields& body, engine::SamplingOptions& sampling) {
    const auto map = body.of_kind("logit_bias", JsonKind::object);
    if (!map) return;
    const auto path = body.at("logit_bias");
    if (map->size() > bias_max) return body.complaint().say(path, std::format("has more than {} entries", bias_max));
    for (auto key = map->first(); key;) {
        const auto value = key->next();
        const auto name = key->string();
        engine::TokenId token = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), token);
        if (error != std::errc{} || end != name.data() + name.size() || token < 0)
            return body.complaint().say(path, "must have token ids as field names");
        if (!value->is(JsonKind::number)) return body.complaint().say({&path, name}, "must be a number", "invalid_type");
        const double bias = value->number();
        if (!(bias >= -100 && bias <= 100)) return body.complaint().say({&path, name}, "must be between -100 and 100");
        sampling.logit_bias.emplace_back(token, static_cast<float>(bias));
        key = value->next();
    }
}

void read_adapters(Fields& body, engine::GenerateRequest& request) {
    const auto value = body.any("lora");
    if (!value) return;
    const auto path = body.at("lora");
    if (value->is(JsonKind::string)) {
        request.adapters.push_back({value->string()});
        return;
    }
    if (!value->is(JsonKind::array))
        return body.complaint().say(path, "must be an adapter's name or an array of {\"name\", \"scale\"}", "invalid_type");
    std::int64_t index = 0;
    for (auto item = value->first(); item; item = item->next(), ++index) {
        const JsonPath here{&path, {}, index};
        Fields entry(*item, here, body.complaint());
        engine::AdapterChoice choice{entry.required_string("name")};
        choice.scale = static_cast<float>(entry.number("scale", -16, 16).value_or(1.0));
        request.adapters.push_back(std::move(choice));
    }
}

}  // namespace

void read_sampling(Fields& body, engine::GenerateRequest& request) {
    auto& sampling = request.sampling;
    const auto take = [&](std::string_view name, double least, double most, float& into) {
        if (const auto value = body.number(name, least, most)) into = static_cast<float>(*value);
    };
    take("temperature", 0, 2, sampling.temperature);
    take("top_p", 0, 1, sampling.top_p);
    take("min_p", 0, 1, sampling.min_p);
    take("presence_penalty", -2, 2, sampling.presence_penalty);
    take("frequency_penalty", -2, 2, sampling.frequency_penalty);
    take("repeat_penalty", 0.01, 10, sampling.repeat_penalty);
    if (const auto top_k = body.integer("top_k", -1, std::numeric_limits<std::int32_t>::max()))
        sampling.top_k = static_cast<std::int32_t>(std::max<std::int64_t>(0, *top_k));
    if (const auto seed = body.integer("seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()))
        sampling.seed = static_cast<std::uint64_t>(*seed);
    read_logit_bias(body, sampling);
    read_adapters(body, request);
    request.ignore_end = body.boolean("ignore_eos").value_or(false);
    if (auto grammar = body.string("grammar")) request.constraint = engine::GrammarText{std::move(*grammar)};
}

void read_stop(Fields& body, engine::GenerateRequest& request) {
    const auto value = body.any("stop");
    if (!value) return;
    const auto path = body.at("stop");
    const auto add = [&](const JsonValue& item, const JsonPath& here) {
        if (!item.is(JsonKind::string)) return body.complaint().say(here, "must be a string", "invalid_type");
        auto text = item.string();
        if (text.empty()) return body.complaint().say(here, "must not be empty");
        request.stop.push_back(std::move(text));
    };
    if (value->is(JsonKind::string)) return add(*value, path);
    if (!value->is(JsonKind::array)) return body.complaint().say(path, "must be a string or an array of strings", "invalid_type");
    if (value->size() > stop_max) return body.complaint().say(path, std::format("has more than {} entries", stop_max));
    std::int64_t index = 0;
    for (auto item = value->first(); item; item = item->next()) add(*item, {&path, {}, index++});
}

void read_max_tokens(Fields& body, engine::GenerateRequest& request, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        const auto value = body.integer(name, 1, std::numeric_limits<std::uint32_t>::max());
        if (!value) continue;
        request.max_tokens = static_cast<std::uint32_t>(*value);
        return;
    }
}

void read_format(Fields& format, engine::GenerateRequest& request) {
    const auto type = format.required_string("type");
    if (format.complaint().any() || type == "text") return;
    if (request.constraint.index() != 0)
        return format.complaint().say(format.path(), "cannot be used together with grammar");
    if (type == "json_object") {
        request.constraint = engine::AnyJsonObject{};
        return;
    }
    if (type != "json_schema")
        return format.complaint().say(format.at("type"), "must be \"text\", \"json_object\" or \"json_schema\"");
    std::optional<JsonValue> schema;
    const auto nested_path = format.at("json_schema");
    if (const auto nested = format.of_kind("json_schema", JsonKind::object)) {
        Fields inner(*nested, nested_path, format.complaint());
        schema = inner.of_kind("schema", JsonKind::object);
    } else {
        schema = format.of_kind("schema", JsonKind::object);
    }
    if (!schema) return format.complaint().say(nested_path, "must hold a schema", "missing_field");
    request.constraint = engine::JsonSchemaText{std::string(schema->raw())};
}

}  // namespace hanse::api
