// SPDX-License-Identifier: Apache-2.0
#include "json_schema_merge.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace hanse::engine {
namespace {

using Json = nlohmann::ordered_json;
using base::ErrorKind;
using base::fail;
using base::Result;

bool contains(const Json& list, const Json& value) { return std::ranges::find(list, value) != list.end(); }

// Types that both allow; an integer is a number.
Json common_types(const Json& a, const Json& b) {
    const auto list = [](const Json& t) { return t.is_array() ? t : Json::array({t}); };
    const auto left = list(a);
    const auto right = list(b);
    auto out = Json::array();
    for (const auto& type : left) {
        if (contains(right, type) || (type == "integer" && contains(right, "number"))) out.push_back(type);
        else if (type == "number" && contains(right, "integer")) out.push_back("integer");
    }
    return out;
}

bool closed(const Json& schema) {
    const auto more = schema.find("additionalProperties");
    return more != schema.end() && more->is_boolean() && !more->get<bool>();
}

bool requires_name(const Json& schema, const Json& name) {
    const auto list = schema.find("required");
    return list != schema.end() && list->is_array() && contains(*list, name);
}

// Properties that only `from` knows, as `other` sees them: forbidden by a closed object.
Result<void> add_properties(Json& out, const Json& from, const Json& other) {
    const auto list = from.find("properties");
    if (list == from.end() || !list->is_object()) return {};
    const auto known = other.find("properties");
    for (const auto& [name, schema] : list->items()) {
        if (known != other.end() && known->contains(name)) continue;
        if (closed(other)) {
            if (requires_name(from, name) || requires_name(other, name))
                return fail(ErrorKind::invalid, std::format("requires the property \"{}\" that additionalProperties forbids", name));
            continue;
        }
        const auto more = other.find("additionalProperties");
        out[name] = more != other.end() && more->is_object() ? Json{{"allOf", Json::array({*more, schema})}} : schema;
    }
    return {};
}

Result<Json> common_properties(const Json& a, const Json& b) {
    auto out = Json::object();
    if (auto added = add_properties(out, a, b); !added) return std::unexpected(added.error());
    const auto left = a.find("properties");
    const auto right = b.find("properties");
    if (left != a.end() && right != b.end())
        for (const auto& [name, schema] : left->items())
            if (right->contains(name)) out[name] = schema == (*right)[name] ? schema : Json{{"allOf", Json::array({schema, (*right)[name]})}};
    if (auto added = add_properties(out, b, a); !added) return std::unexpected(added.error());
    // The order in which `a` names them, then the rest.
    auto ordered = Json::object();
    for (const auto* from : {&a, &b})
        if (const auto list = from->find("properties"); list != from->end())
            for (const auto& [name, schema] : list->items())
                if (out.contains(name) && !ordered.contains(name)) ordered[name] = out[name];
    return ordered;
}

}  // namespace

bool is_annotation(std::string_view keyword) {
    static constexpr std::array<std::string_view, 20> words{
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "example", "deprecated",
        "readOnly", "writeOnly", "contentMediaType", "contentEncoding", "discriminator", "externalDocs", "xml", "$anchor", "strict"};
    return std::ranges::contains(words, keyword) || keyword.starts_with("x-");
}

base::Result<Json> merged_schema(const Json& a, const Json& b, int depth) {
    if (depth > 50) return fail(ErrorKind::invalid, "is nested too deeply");
    if (a.is_boolean()) return a.get<bool>() ? b : a;
    if (b.is_boolean()) return b.get<bool>() ? a : b;
    if (!a.is_object() || !b.is_object()) return fail(ErrorKind::invalid, "holds something that is no schema");
    Json out = a;
    if (a.contains("properties") || b.contains("properties")) {
        for (const auto* side : {&a, &b})
            if (const auto list = side->find("properties"); list != side->end() && !list->is_object())
                return fail(ErrorKind::invalid, "holds properties that are no object");
        auto properties = common_properties(a, b);
        if (!properties) return std::unexpected(properties.error());
        out["properties"] = std::move(*properties);
    }
    for (const auto& [keyword, value] : b.items()) {
        const auto mine = a.find(keyword);
        if (keyword == "properties" || (mine != a.end() && (*mine == value || is_annotation(keyword)))) continue;
        if (mine == a.end()) {
            out[keyword] = value;
        } else if (keyword == "required" && mine->is_array() && value.is_array()) {
            for (const auto& name : value)
                if (!contains(out["required"], name)) out["required"].push_back(name);
        } else if (keyword == "type") {
            auto types = common_types(*mine, value);
            if (types.empty()) return fail(ErrorKind::invalid, "asks for types that exclude each other");
            out[keyword] = types.size() == 1 ? types.front() : types;
        } else if (keyword == "enum" && mine->is_array() && value.is_array()) {
            auto both = Json::array();
            for (const auto& item : *mine)
                if (contains(value, item)) both.push_back(item);
            out[keyword] = std::move(both);
        } else if (keyword == "additionalProperties" || keyword == "items") {
            if (mine->is_boolean()) out[keyword] = mine->get<bool>() ? value : *mine;
            else if (value.is_boolean()) out[keyword] = value.get<bool>() ? *mine : value;
            else out[keyword] = Json{{"allOf", Json::array({*mine, value})}};
        } else if (keyword == "nullable" && mine->is_boolean() && value.is_boolean()) {
            out[keyword] = false;
        } else if ((keyword.starts_with("min") || keyword == "exclusiveMinimum") && mine->is_number() && value.is_number()) {
            out[keyword] = std::max(*mine, value);
        } else if ((keyword.starts_with("max") || keyword == "exclusiveMaximum") && mine->is_number() && value.is_number()) {
            out[keyword] = std::min(*mine, value);
        } else {
            return fail(ErrorKind::invalid, std::format("says \"{}\" twice, and both cannot be merged", keyword));
        }
    }
    return out;
}

}  // namespace hanse::engine
