// SPDX-License-Identifier: Apache-2.0
#include "json_schema_grammar.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "json_document.hpp"
#include "json_rules.hpp"
#include "json_schema_merge.hpp"

namespace hanse::engine {
namespace {

using Json = nlohmann::ordered_json;
using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::size_t text_max = 1U << 20;
constexpr int depth_max = 64;
constexpr std::size_t rules_max = 20'000;
constexpr std::uint32_t length_max = 65'536;

// Turns one schema document into rules. Each $ref target and each property becomes a rule; all else is
// written in place.
class Compiler {
public:
    Compiler(GrammarSource& source, std::string name, const Json& document) : source_(source), name_(std::move(name)), document_(document) {}

    Result<void> compile() {
        append_json_rules(source_);
        reference_rules_.emplace("#", name_);
        auto body = value_of(document_, "#", 0);
        if (!body) return std::unexpected(body.error());
        source_.rules.emplace_back(name_, std::move(*body));
        return {};
    }

private:
    using Place = const std::string&;  // JSON pointer

    static std::unexpected<base::Error> wrong(Place at, std::string what) {
        return fail(ErrorKind::invalid, std::format("JSON schema, at {}: {}", at, what), "invalid_json_schema", at);
    }
    static std::unexpected<base::Error> unsupported(Place at, std::string_view keyword) {
        return wrong(at, std::format("the keyword \"{}\" is not supported", keyword));
    }
    static std::string below(Place at, std::string_view key) {
        std::string out = at + "/";
        for (const char c : key) {
            if (c == '~') out += "~0";
            else if (c == '/') out += "~1";
            else out += c;
        }
        return out;
    }
    static std::string below(Place at, std::size_t index) { return below(at, std::to_string(index)); }

    Result<Expression> as_rule(Result<Expression> body) {
        if (!body || body->kind == Expression::Kind::rule) return body;
        if (source_.rules.size() > rules_max) return wrong("#", "the schema is too large");
        auto name = std::format("{}-{}", name_, ++numbered_);
        source_.rules.emplace_back(name, std::move(*body));
        return rule(std::move(name));
    }

    Result<Expression> value_of(const Json& schema, Place at, int depth) {
        if (depth > depth_max || ++visited_ > rules_max) return wrong(at, "the schema is nested too deeply or too large");
        if (schema.is_boolean()) {
            if (!schema.get<bool>()) return wrong(at, "the schema false allows no value");
            return rule("json-value");
        }
        if (!schema.is_object()) return wrong(at, "a schema must be an object or a boolean");
        if (schema.contains("$ref") || schema.contains("allOf")) return combined(schema, at, depth);
        for (const auto* keyword : {"anyOf", "oneOf"})
            if (schema.contains(keyword)) return alternatives(schema, keyword, at, depth);
        if (auto checked = check_keywords(schema, at); !checked) return std::unexpected(checked.error());
        if (const auto nullable = schema.find("nullable"); nullable != schema.end()) {
            if (!nullable->is_boolean()) return wrong(at, "\"nullable\" must be true or false");
            auto rest = schema;
            rest.erase("nullable");
            auto body = value_of(rest, at, depth + 1);
            if (!body || !nullable->get<bool>()) return body;
            return choice({std::move(*body), literal("null")});
        }
        if (schema.contains("const") || schema.contains("enum")) return one_of_values(schema, at);
        auto types = types_of(schema, at);
        if (!types) return std::unexpected(types.error());
        std::vector<Expression> ways;
        for (const auto& type : *types) {
            auto way = value_of_type(schema, type, at, depth);
            if (!way) return way;
            ways.push_back(std::move(*way));
        }
        return choice(std::move(ways));
    }

    // --- Keywords and types -------------------------------------------------------------------------

    static std::string_view type_asked_by(std::string_view keyword) {
        static const std::map<std::string_view, std::string_view> table{
            {"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"minProperties", "object"}, {"maxProperties", "object"},
            {"items", "array"}, {"prefixItems", "array"}, {"minItems", "array"}, {"maxItems", "array"}, {"uniqueItems", "array"},
            {"minLength", "string"}, {"maxLength", "string"}, {"pattern", "string"}, {"format", "string"},
            {"minimum", "number"}, {"maximum", "number"}, {"exclusiveMinimum", "number"}, {"exclusiveMaximum", "number"}, {"multipleOf", "number"}};
        const auto found = table.find(keyword);
        return found == table.end() ? std::string_view{} : found->second;
    }

    static Result<void> check_keywords(const Json& schema, Place at) {
        for (const auto& [keyword, value] : schema.items()) {
            if (is_annotation(keyword) || keyword == "type" || keyword == "enum" || keyword == "const" || keyword == "nullable") continue;
            if (type_asked_by(keyword).empty()) return unsupported(at, keyword);
            if (keyword == "uniqueItems" && value != false) return unsupported(at, keyword);
            if (keyword == "multipleOf" && value != 1) return unsupported(at, keyword);
        }
        return {};
    }

    Result<std::vector<std::string>> types_of(const Json& schema, Place at) {
        static const std::set<std::string> known{"object", "array", "string", "integer", "number", "boolean", "null"};
        std::vector<std::string> out;
        if (const auto type = schema.find("type"); type != schema.end()) {
            const auto list = type->is_array() ? *type : Json::array({*type});
            for (const auto& item : list) {
                if (!item.is_string() || !known.contains(item.get<std::string>())) return wrong(at, "\"type\" must be one of object, array, string, integer, number, boolean, null, or a list of these");
                if (!std::ranges::contains(out, item.get<std::string>())) out.push_back(item.get<std::string>());
            }
            if (out.empty()) return wrong(at, "\"type\" is an empty list");
            // An integer is a number: two ways to the same text serve nobody.
            if (std::ranges::contains(out, "number")) std::erase(out, "integer");
            return out;
        }
        for (const auto& [keyword, value] : schema.items()) {
            const std::string type(type_asked_by(keyword));
            if (type.empty()) continue;
            if (!out.empty() && out.front() != type) return wrong(at, std::format("\"type\" is missing: \"{}\" speaks of another type than the keywords before it", keyword));
            if (out.empty()) out.push_back(type);
        }
        if (out.empty()) out.emplace_back();  // anything
        return out;
    }

    Result<Expression> value_of_type(const Json& schema, const std::string& type, Place at, int depth) {
        if (type == "object") return object(schema, at, depth);
        if (type == "array") return array(schema, at, depth);
        if (type == "string") return string(schema, at);
        if (type == "integer" || type == "number") return number(schema, type == "integer", at);
        if (type == "boolean") return choice({literal("true"), literal("false")});
        if (type == "null") return literal("null");
        return rule("json-value");
    }

    // A count such as minItems.
    static Result<std::uint32_t> count(const Json& schema, const char* keyword, std::uint32_t otherwise, Place at) {
        const auto found = schema.find(keyword);
        if (found == schema.end()) return otherwise;
        const bool whole = found->is_number() && found->get<double>() >= 0 && std::floor(found->get<double>()) == found->get<double>();
        if (!whole) return wrong(at, std::format("\"{}\" must be a whole number from 0", keyword));
        if (found->get<double>() > length_max) return wrong(at, std::format("\"{}\" is over the limit of {}", keyword, length_max));
        return static_cast<std::uint32_t>(found->get<double>());
    }

    // --- References and combinations ----------------------------------------------------------------

    Result<const Json*> target_of(const Json& reference, Place at) {
        if (!reference.is_string()) return wrong(at, "\"$ref\" must be a string");
        const auto& text = reference.get_ref<const std::string&>();
        if (!text.starts_with('#')) return wrong(at, "\"$ref\" must point into this schema, as in #/$defs/name");
        const auto path = text.substr(1);
        if (!path.empty() && path.front() != '/') return wrong(at, "\"$ref\" to an anchor is not supported; use a JSON pointer");
        try {
            const Json::json_pointer pointer(path);
            if (!document_.contains(pointer)) return wrong(at, "\"$ref\" points to nothing in this schema");
            return &document_.at(pointer);
        } catch (const Json::exception&) {
            return wrong(at, "\"$ref\" is no JSON pointer");
        }
    }

    Result<Expression> combined(const Json& schema, Place at, int depth) {
        const bool alone = std::ranges::all_of(schema.items(), [](const auto& item) { return item.key() == "$ref" || is_annotation(item.key()); });
        if (alone && schema.contains("$ref")) return reference(schema.at("$ref"), at, depth);
        auto flat = resolved(schema, at, 0);
        if (!flat) return std::unexpected(flat.error());
        return value_of(*flat, at, depth + 1);
    }

    Result<Expression> reference(const Json& to, Place at, int depth) {
        auto target = target_of(to, at);
        if (!target) return std::unexpected(target.error());
        const auto text = to.get<std::string>();
        if (const auto known = reference_rules_.find(text); known != reference_rules_.end()) return rule(known->second);
        auto name = std::format("{}-{}", name_, ++numbered_);
        reference_rules_.emplace(text, name);  // before its body, which may refer to itself
        auto body = value_of(**target, text, depth + 1);
        if (!body) return body;
        source_.rules.emplace_back(name, std::move(*body));
        return rule(std::move(name));
    }

    // The schema without $ref and allOf at its top.
    Result<Json> resolved(const Json& schema, Place at, int depth) {
        if (depth > depth_max || ++visited_ > rules_max) return wrong(at, "references lead in a circle or are nested too deeply");
        if (!schema.is_object() || (!schema.contains("$ref") && !schema.contains("allOf"))) return schema;
        Json out = schema;
        out.erase("$ref");
        out.erase("allOf");
        std::vector<const Json*> others;
        if (const auto to = schema.find("$ref"); to != schema.end()) {
            auto target = target_of(*to, at);
            if (!target) return std::unexpected(target.error());
            others.push_back(*target);
        }
        if (const auto all = schema.find("allOf"); all != schema.end()) {
            if (!all->is_array() || all->empty()) return wrong(at, "\"allOf\" must be a list that is not empty");
            for (const auto& item : *all) others.push_back(&item);
        }
        for (const auto* other : others) {
            auto flat = resolved(*other, at, depth + 1);
            if (!flat) return flat;
            auto both = merged_schema(out, *flat);
            if (!both) return wrong(at, std::format("\"{}\" {}", schema.contains("allOf") ? "allOf" : "$ref", both.error().message));
            out = std::move(*both);
        }
        return out;
    }

    Result<Expression> alternatives(const Json& schema, const char* keyword, Place at, int depth) {
        const auto& list = schema.at(keyword);
        if (!list.is_array() || list.empty()) return wrong(at, std::format("\"{}\" must be a list that is not empty", keyword));
        Json rest = schema;
        rest.erase(keyword);
        const bool alone = std::ranges::all_of(rest.items(), [](const auto& item) { return is_annotation(item.key()); });
        std::vector<Expression> ways;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto place = below(below(at, keyword), i);
            if (alone) {
                auto way = value_of(list[i], place, depth + 1);
                if (!way) return way;
                ways.push_back(std::move(*way));
                continue;
            }
            auto flat = resolved(list[i], place, 0);
            if (!flat) return std::unexpected(flat.error());
            auto both = merged_schema(rest, *flat);
            if (!both) return wrong(place, std::format("the alternative, with what stands beside it, {}", both.error().message));
            auto way = value_of(*both, place, depth + 1);
            if (!way) return way;
            ways.push_back(std::move(*way));
        }
        return choice(std::move(ways));
    }

    // --- Values by list -----------------------------------------------------------------------------

    static bool has_type(const Json& value, const std::string& type) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        if (type == "string") return value.is_string();
        if (type == "boolean") return value.is_boolean();
        if (type == "null") return value.is_null();
        if (type == "integer") return value.is_number() && std::floor(value.get<double>()) == value.get<double>();
        return value.is_number();
    }

    Result<Expression> one_of_values(const Json& schema, Place at) {
        auto values = Json::array();
        if (const auto list = schema.find("enum"); list != schema.end()) {
            if (!list->is_array() || list->empty()) return wrong(at, "\"enum\" must be a list that is not empty");
            values = *list;
        }
        if (const auto only = schema.find("const"); only != schema.end()) {
            if (schema.contains("enum") && std::ranges::find(values, *only) == values.end()) return wrong(at, "\"const\" is not among \"enum\"");
            values = Json::array({*only});
        }
        for (const auto& [keyword, value] : schema.items())
            if (!type_asked_by(keyword).empty()) return wrong(at, std::format("\"{}\" beside \"enum\" or \"const\" is not supported", keyword));
        std::vector<std::string> types;
        if (schema.contains("type")) {
            auto known = types_of(schema, at);
            if (!known) return std::unexpected(known.error());
            types = std::move(*known);
        }
        std::vector<Expression> ways;
        for (const auto& value : values)
            if (types.empty() || std::ranges::any_of(types, [&](const auto& type) { return has_type(value, type); })) ways.push_back(literal(value.dump()));
        if (ways.empty()) return wrong(at, "no value of \"enum\" or \"const\" has the type asked for");
        return choice(std::move(ways));
    }

    // --- Objects ------------------------------------------------------------------------------------

    struct Member {
        Expression text;  // "key": value
        bool required;
    };

    static Expression member(Expression key, Expression value) { return sequence({std::move(key), literal(":"), optional(literal(" ")), std::move(value)}); }
    static Expression comma() { return sequence({literal(","), json_gap()}); }

    Result<Expression> object(const Json& schema, Place at, int depth) {
        static const Json none = Json::object();
        const auto listed = schema.find("properties");
        const auto& properties = listed == schema.end() ? none : *listed;
        if (!properties.is_object()) return wrong(at, "\"properties\" must be an object");
        auto more = schema.find("additionalProperties");
        // Without a word about others a schema with properties is closed, and one without is any object.
        const bool open = more == schema.end() ? properties.empty() : *more != Json(false);
        const Json others = more == schema.end() ? Json(true) : *more;

        std::vector<std::string> required;
        if (const auto list = schema.find("required"); list != schema.end()) {
            if (!list->is_array()) return wrong(at, "\"required\" must be a list of names");
            for (const auto& item : *list) {
                if (!item.is_string()) return wrong(at, "\"required\" must be a list of names");
                if (!std::ranges::contains(required, item.get<std::string>())) required.push_back(item.get<std::string>());
            }
        }
        std::vector<std::string> names;
        std::vector<Member> members;
        for (const auto& [name, sub] : properties.items()) {
            const bool needed = std::ranges::contains(required, name);
            if (!needed && sub == Json(false)) {
                names.push_back(name);
                continue;
            }
            auto value = as_rule(value_of(sub, below(below(at, "properties"), name), depth + 1));
            if (!value) return value;
            members.push_back({member(json_string_literal(name), std::move(*value)), needed});
            names.push_back(name);
        }
        for (const auto& name : required) {
            if (std::ranges::contains(names, name)) continue;
            if (more != schema.end() && *more == Json(false)) return wrong(at, std::format("\"required\" names \"{}\", which is no property", name));
            auto value = as_rule(value_of(others, below(at, "additionalProperties"), depth + 1));
            if (!value) return value;
            members.push_back({member(json_string_literal(name), std::move(*value)), true});
            names.push_back(name);
        }
        if (auto checked = check_member_counts(schema, members, open, at); !checked) return std::unexpected(checked.error());
        std::optional<Expression> other;
        if (open) {
            auto value = as_rule(value_of(others, below(at, "additionalProperties"), depth + 1));
            if (!value) return value;
            if (std::ranges::fold_left(names, std::size_t{0}, [](auto sum, const auto& n) { return sum + n.size(); }) > 10'000 ||
                std::ranges::any_of(names, [](const auto& n) { return n.size() > 200; }))
                return wrong(at, "\"additionalProperties\" beside so many or so long names is not supported");
            auto text = as_rule(member(names.empty() ? rule("json-string") : json_other_key(names), std::move(*value)));
            if (!text) return text;
            other = std::move(*text);
        }
        auto body = members_in_order(members, other);
        if (!body) return body;
        return sequence({literal("{"), json_gap(), std::move(*body), literal("}")});
    }

    // How many members there are is known only where nothing else may come.
    static Result<void> check_member_counts(const Json& schema, const std::vector<Member>& members, bool open, Place at) {
        const auto needed = static_cast<std::uint32_t>(std::ranges::count(members, true, &Member::required));
        auto least = count(schema, "minProperties", 0, at);
        if (!least) return std::unexpected(least.error());
        if (*least > needed) return unsupported(at, "minProperties");
        auto most = count(schema, "maxProperties", length_max, at);
        if (!most) return std::unexpected(most.error());
        if (schema.contains("maxProperties") && (open || members.size() > *most)) return unsupported(at, "maxProperties");
        return {};
    }

    // What stands between the braces. Behind the first member written, each of the others is a comma and
    // itself; which one is first is a choice among those up to the first that is required.
    Result<Expression> members_in_order(const std::vector<Member>& members, const std::optional<Expression>& other) {
        Expression rest = other ? repeat(sequence({comma(), *other}), 0) : Expression{};
        std::vector<Expression> rests{rest};  // rests[k]: behind a member, all but the first members.size() - k
        std::size_t first_needed = 0;
        while (first_needed < members.size() && !members[first_needed].required) ++first_needed;
        for (auto i = members.size(); i-- > 1;) {
            auto next = sequence({comma(), members[i].text});
            auto all = sequence({members[i].required ? std::move(next) : optional(std::move(next)), rests.back()});
            // Each rest is used by the one before and by the choice of the first member.
            if (i <= first_needed) {
                auto shared = as_rule(std::move(all));
                if (!shared) return shared;
                all = std::move(*shared);
            }
            rests.push_back(std::move(all));
        }
        std::ranges::reverse(rests);  // now rests[i]: behind member i
        std::vector<Expression> ways;
        for (std::size_t i = 0; i < members.size() && i <= first_needed; ++i) ways.push_back(sequence({members[i].text, rests[i], json_gap()}));
        if (first_needed == members.size()) {
            if (other) ways.push_back(sequence({*other, rest, json_gap()}));
            ways.emplace_back();
        }
        return choice(std::move(ways));
    }

    // --- Arrays -------------------------------------------------------------------------------------

    Result<Expression> array(const Json& schema, Place at, int depth) {
        auto least = count(schema, "minItems", 0, at);
        if (!least) return std::unexpected(least.error());
        auto most = count(schema, "maxItems", Expression::unbounded, at);
        if (!most) return std::unexpected(most.error());
        if (*most < *least) return wrong(at, "\"maxItems\" is below \"minItems\"");
        std::vector<Expression> parts{literal("["), json_gap()};
        std::uint32_t written = 0;
        if (const auto first = schema.find("prefixItems"); first != schema.end()) {
            if (!first->is_array()) return wrong(at, "\"prefixItems\" must be a list of schemas");
            for (std::size_t i = 0; i < first->size() && written < *most; ++i) {
                auto item = as_rule(value_of((*first)[i], below(below(at, "prefixItems"), i), depth + 1));
                if (!item) return item;
                if (written++ > 0) parts.push_back(comma());
                parts.push_back(std::move(*item));
            }
        }
        // As with objects: who lists the first items and says nothing of others gets no others.
        const auto items = schema.find("items");
        if (items != schema.end() && items->is_array()) return wrong(at, "\"items\" must be a schema; a list of them is \"prefixItems\"");
        const bool more = items == schema.end() ? !schema.contains("prefixItems") : *items != Json(false);
        if (!more && *least > written) return wrong(at, "\"minItems\" asks for more items than the schema allows");
        if (more && *most > written) {
            auto item = as_rule(value_of(items == schema.end() ? Json(true) : *items, below(at, "items"), depth + 1));
            if (!item) return item;
            const auto left_least = *least > written ? *least - written : 0;
            const auto left_most = *most == Expression::unbounded ? *most : *most - written;
            auto next = sequence({comma(), *item});
            if (written > 0) {
                parts.push_back(repeat(std::move(next), left_least, left_most));
            } else {
                auto some = sequence({*item, repeat(std::move(next), left_least > 0 ? left_least - 1 : 0, left_most == Expression::unbounded ? left_most : left_most - 1), json_gap()});
                parts.push_back(left_least == 0 ? optional(std::move(some)) : std::move(some));
            }
        }
        if (written > 0) parts.push_back(json_gap());
        parts.push_back(literal("]"));
        return sequence(std::move(parts));
    }

    // --- Strings and numbers ------------------------------------------------------------------------

    Result<Expression> string(const Json& schema, Place at) {
        auto least = count(schema, "minLength", 0, at);
        if (!least) return std::unexpected(least.error());
        auto most = count(schema, "maxLength", Expression::unbounded, at);
        if (!most) return std::unexpected(most.error());
        if (*most < *least) return wrong(at, "\"maxLength\" is below \"minLength\"");
        const auto pattern = schema.find("pattern");
        const auto format = schema.find("format");
        const bool has_length = *least > 0 || *most != Expression::unbounded;
        if ((pattern != schema.end()) + (format != schema.end()) + has_length > 1)
            return wrong(at, "only one of \"pattern\", \"format\" and a length can be kept at a time");
        if (pattern != schema.end()) {
            if (!pattern->is_string()) return wrong(at, "\"pattern\" must be a string");
            auto content = json_pattern(pattern->get_ref<const std::string&>());
            if (!content) return wrong(at, std::format("\"pattern\": {}", content.error().message));
            return sequence({literal("\""), std::move(*content), literal("\"")});
        }
        if (format != schema.end()) {
            auto content = format->is_string() ? json_format(format->get_ref<const std::string&>()) : std::nullopt;
            if (!content) return wrong(at, "\"format\" must be one of date, time, date-time, uuid, ipv4, email, hostname");
            return sequence({literal("\""), std::move(*content), literal("\"")});
        }
        if (!has_length) return rule("json-string");
        return sequence({literal("\""), repeat(rule("json-char"), *least, *most), literal("\"")});
    }

    Result<Expression> number(const Json& schema, bool whole, Place at) {
        NumberBounds bounds;
        bool bounded = false;
        const auto bound = [&](const char* keyword, bool upper, bool excluded) -> Result<void> {
            const auto found = schema.find(keyword);
            if (found == schema.end()) return {};
            if (!found->is_number()) return wrong(at, std::format("\"{}\" must be a number", keyword));
            const double value = found->get<double>();
            const double rounded = !whole ? value : upper ? std::floor(value) : std::ceil(value);
            if (std::abs(value) > static_cast<double>(json_whole_max)) return wrong(at, std::format("\"{}\" is beyond 16 digits", keyword));
            if (rounded != std::floor(rounded)) return wrong(at, std::format("\"{}\" of a number must be whole", keyword));
            auto limit = static_cast<std::int64_t>(rounded);
            if (excluded && whole && rounded == value) limit += upper ? -1 : 1;
            bounded = true;
            auto& side = upper ? bounds.most : bounds.least;
            auto& open = upper ? bounds.below_most : bounds.above_least;
            if (!side || (upper ? limit < *side : limit > *side)) {
                side = limit;
                open = excluded && !whole;
            } else if (limit == *side) {
                open = open || (excluded && !whole);
            }
            return {};
        };
        for (const auto& [keyword, upper, excluded] : {std::tuple{"minimum", false, false}, {"exclusiveMinimum", false, true}, {"maximum", true, false}, {"exclusiveMaximum", true, true}})
            if (auto read = bound(keyword, upper, excluded); !read) return std::unexpected(read.error());
        if (!whole && schema.contains("multipleOf")) whole = true;
        if (!bounded) return rule(whole ? "json-integer" : "json-number");
        const bool empty = bounds.least && bounds.most && (*bounds.least > *bounds.most || (*bounds.least == *bounds.most && (bounds.above_least || bounds.below_most)));
        if (empty) return wrong(at, "the bounds allow no number");
        return whole ? json_integer(bounds) : json_number(bounds);
    }

    GrammarSource& source_;
    const std::string name_;
    const Json& document_;
    std::map<std::string, std::string> reference_rules_;
    std::size_t numbered_ = 0;
    std::size_t visited_ = 0;
};

}  // namespace

base::Result<void> append_json_schema(GrammarSource& source, const std::string& name, std::string_view schema) {
    if (schema.size() > text_max) return fail(ErrorKind::too_large, std::format("the JSON schema is longer than {} bytes", text_max));
    try {
        const auto document = parse_json(schema, "the JSON schema");
        if (!document) return fail(document.error().kind, document.error().message, "invalid_json_schema", "#");
        return Compiler(source, name, *document).compile();
    } catch (const Json::exception&) {
        return fail(ErrorKind::invalid, "the JSON schema cannot be read", "invalid_json_schema", "#");
    }
}

base::Result<GrammarSource> json_schema_grammar(std::string_view schema) {
    GrammarSource source;
    if (auto added = append_json_schema(source, "root", schema); !added) return std::unexpected(added.error());
    return source;
}

GrammarSource any_json_object_grammar() {
    GrammarSource source;
    append_json_rules(source);
    source.rules.emplace_back("root", rule("json-object"));
    return source;
}

}  // namespace hanse::engine
