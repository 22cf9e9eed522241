// SPDX-License-Identifier: Apache-2.0
#include "json_schema_grammar.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "byte_vocabulary.hpp"

namespace hanse::engine {
namespace {

using Json = nlohmann::ordered_json;

const ByteVocabulary& bytes() {
    static const ByteVocabulary vocabulary;
    return vocabulary;
}

std::string with_breaks(std::string text) {
    for (std::size_t at = 0; (at = text.find("⏎", at)) != std::string::npos;) text.replace(at, std::string_view("⏎").size(), "\n");
    return text;
}

TEST(JsonSchemaGrammar, does_what_the_table_says) {
    std::ifstream file("src/engine/cases/json_schema.case");
    ASSERT_TRUE(file) << "run in the repository's root";
    ConstraintCompiler compiler(bytes().trie);
    base::Result<ConstraintMatcher> matcher = base::fail(base::ErrorKind::bug, "no schema yet");
    std::string line;
    int number = 0;
    int checked = 0;
    while (std::getline(file, line)) {
        ++number;
        SCOPED_TRACE("json_schema.case:" + std::to_string(number) + ": " + line);
        if (line.empty() || line.front() == '#') continue;
        const auto space = line.find(' ');
        ASSERT_NE(space, std::string::npos);
        const auto word = line.substr(0, space);
        const auto rest = with_breaks(line.substr(space + 1));
        ++checked;
        if (word == "schema") {
            matcher = compiler.matcher(JsonSchemaText{rest});
        } else if (word == "error") {
            ASSERT_FALSE(matcher);
            EXPECT_TRUE(matcher.error().message.contains(rest)) << matcher.error().message;
            EXPECT_EQ(matcher.error().kind, base::ErrorKind::invalid);
        } else {
            ASSERT_TRUE(word == "accepts" || word == "rejects");
            ASSERT_TRUE(matcher) << matcher.error().message;
            EXPECT_EQ(takes_whole(*matcher, rest), word == "accepts");
        }
    }
    EXPECT_GT(checked, 200);
}

TEST(JsonSchemaGrammar, refuses_what_is_nested_without_end) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += R"({"items":)";
    EXPECT_FALSE(json_schema_grammar(deep));
    const std::string nested = std::string(300, '[') + std::string(300, ']');
    EXPECT_FALSE(json_schema_grammar(R"({"const":)" + nested + "}"));
}

// --- Random schemas, random texts of them, judged by a validator that knows no grammar ----------------

class Draw {
public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}
    std::uint64_t below(std::uint64_t bound) {
        const auto value = random_.next();
        return value % bound;
    }
    bool chance(std::uint64_t percent) { return below(100) < percent; }

private:
    base::SeededRandom random_;
};

Json random_schema(Draw& draw, int depth) {
    const auto leaf = depth == 0;
    switch (draw.below(leaf ? 6 : 10)) {
        case 0: {
            Json schema{{"type", "string"}};
            if (draw.chance(50)) schema["minLength"] = draw.below(4);
            if (draw.chance(50)) schema["maxLength"] = 4 + draw.below(10);
            return schema;
        }
        case 1: {
            Json schema{{"type", draw.chance(50) ? "integer" : "number"}};
            const auto low = static_cast<std::int64_t>(draw.below(2000)) - 1000;
            if (draw.chance(60)) schema[draw.chance(50) ? "minimum" : "exclusiveMinimum"] = low;
            if (draw.chance(60)) schema[draw.chance(50) ? "maximum" : "exclusiveMaximum"] = low + 2 + static_cast<std::int64_t>(draw.below(500));
            return schema;
        }
        case 2: return Json{{"type", "boolean"}};
        case 3: return Json{{"enum", Json::array({"α", 1, nullptr, Json::array({1, "x"}), "b\"c\n"})}};
        case 4: return Json{{"type", Json::array({"null", "integer", "string"})}};
        case 5: return Json{{"const", "fixed \\ value"}};
        case 6: return Json{{"anyOf", Json::array({random_schema(draw, depth - 1), random_schema(draw, depth - 1)})}};
        case 7: {
            Json schema{{"type", "array"}};
            if (draw.chance(30)) schema["prefixItems"] = Json::array({random_schema(draw, depth - 1), random_schema(draw, depth - 1)});
            if (draw.chance(80)) schema["items"] = random_schema(draw, depth - 1);
            if (draw.chance(40)) schema["maxItems"] = 2 + draw.below(3);
            if (draw.chance(40)) schema["minItems"] = draw.below(3);
            return schema;
        }
        default: {
            Json schema{{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
            const char* names[] = {"a", "ab", "with space", "ü", "quo\"te"};
            for (const auto* name : names) {
                if (!draw.chance(60)) continue;
                schema["properties"][name] = random_schema(draw, depth - 1);
                if (draw.chance(50)) schema["required"].push_back(name);
            }
            if (draw.chance(50)) schema["additionalProperties"] = draw.chance(50) ? Json(false) : random_schema(draw, 0);
            return schema;
        }
    }
}

// Characters in a UTF-8 text.
std::size_t length(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// JSON Schema's words as far as random_schema uses them, and Hanse's closed objects and tuples.
bool valid(const Json& schema, const Json& value) {
    if (schema.contains("anyOf")) return std::ranges::any_of(schema["anyOf"], [&](const Json& way) { return valid(way, value); });
    if (schema.contains("const")) return value == schema["const"];
    if (schema.contains("enum")) return std::ranges::find(schema["enum"], value) != schema["enum"].end();
    if (schema["type"].is_array()) return std::ranges::any_of(schema["type"], [&](const Json& type) { return valid(Json{{"type", type}}, value); });
    const auto type = schema["type"].get<std::string>();
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "string") {
        if (!value.is_string()) return false;
        const auto size = length(value.get<std::string>());
        return size >= schema.value("minLength", 0U) && size <= schema.value("maxLength", 1'000'000U);
    }
    if (type == "integer" || type == "number") {
        if (type == "integer" ? !value.is_number_integer() : !value.is_number()) return false;
        const auto number = value.get<double>();
        return number >= schema.value("minimum", -1e300) && number <= schema.value("maximum", 1e300) && number > schema.value("exclusiveMinimum", -1e300) &&
               number < schema.value("exclusiveMaximum", 1e300);
    }
    if (type == "array") {
        if (!value.is_array() || value.size() < schema.value("minItems", 0U) || value.size() > schema.value("maxItems", 1'000'000U)) return false;
        const auto first = schema.value("prefixItems", Json::array());
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i < first.size() ? !valid(first[i], value[i]) : schema.contains("items") && !valid(schema["items"], value[i])) return false;
            if (i >= first.size() && !first.empty() && !schema.contains("items")) return false;
        }
        return true;
    }
    if (!value.is_object()) return false;
    for (const auto& name : schema["required"])
        if (!value.contains(name)) return false;
    for (const auto& [name, member] : value.items()) {
        if (schema["properties"].contains(name)) {
            if (!valid(schema["properties"][name], member)) return false;
        } else if (schema.contains("additionalProperties")) {
            if (schema["additionalProperties"].is_boolean() || !valid(schema["additionalProperties"], member)) return false;
        } else if (!schema["properties"].empty()) {
            return false;
        }
    }
    return true;
}

// A random walk, one byte at a time, that strives for the end once it has become long.
std::optional<std::string> random_text(ConstraintMatcher matcher, Draw& draw) {
    std::string out;
    while (out.size() < 20'000) {
        if (matcher.must_end() || (matcher.may_end() && draw.chance(30))) return out;
        std::vector<TokenId> ways;
        if (out.size() > 200)
            for (const char c : std::string_view("\"}]"))
                if (ways.empty() && matcher.accepts(static_cast<unsigned char>(c))) ways.push_back(static_cast<unsigned char>(c));
        const auto mask = matcher.allowed();
        if (ways.empty())
            for (TokenId byte = 0; byte < 256; ++byte)
                if (mask->allows(byte)) ways.push_back(byte);
        if (ways.empty()) return std::nullopt;
        // Closing brackets and quotes a little oftener than one in two hundred.
        for (const char c : std::string_view("\"}],:"))
            if (std::ranges::contains(ways, static_cast<unsigned char>(c)) && draw.chance(30)) ways = {static_cast<unsigned char>(c)};
        const auto byte = ways[draw.below(ways.size())];
        EXPECT_TRUE(matcher.accept(byte));
        out += static_cast<char>(byte);
    }
    return std::nullopt;
}

TEST(JsonSchemaGrammar, writes_only_json_that_the_schema_validates) {
    Draw draw(20261124);
    int texts = 0;
    for (int round = 0; round < 150; ++round) {
        const auto schema = random_schema(draw, 3);
        SCOPED_TRACE(schema.dump());
        ConstraintCompiler compiler(bytes().trie);
        auto matcher = compiler.matcher(JsonSchemaText{schema.dump()});
        if (!matcher) {  // the only contradiction that random_schema can make
            EXPECT_TRUE(matcher.error().message.contains("bounds") || matcher.error().message.contains("minItems")) << matcher.error().message;
            continue;
        }
        for (int i = 0; i < 4; ++i) {
            const auto text = random_text(*matcher, draw);
            ASSERT_TRUE(text);
            const auto value = Json::parse(*text, nullptr, false);
            ASSERT_FALSE(value.is_discarded()) << *text;
            EXPECT_TRUE(valid(schema, value)) << *text;
            ++texts;
        }
    }
    EXPECT_GT(texts, 400);
}

TEST(JsonSchemaGrammar, survives_the_way_through_text) {
    Draw draw(7);
    for (int round = 0; round < 100; ++round) {
        const auto schema = random_schema(draw, 3).dump();
        const auto source = json_schema_grammar(schema);
        if (!source) continue;
        const auto text = gbnf(*source);
        const auto again = parse_gbnf(text);
        ASSERT_TRUE(again) << again.error().message << "\n" << text;
        EXPECT_EQ(gbnf(*again), text);
    }
}

TEST(JsonSchemaGrammar, any_object_takes_objects_alone) {
    ConstraintCompiler compiler(bytes().trie);
    const auto matcher = compiler.matcher(AnyJsonObject{});
    ASSERT_TRUE(matcher);
    EXPECT_TRUE(takes_whole(*matcher, R"({"a": [1, 2.5, {"b": null}], "c": "\u00e4"})"));
    EXPECT_FALSE(takes_whole(*matcher, "[1]"));
    EXPECT_FALSE(takes_whole(*matcher, "{\"a\": 1}\n"));
}

}  // namespace
}  // namespace hanse::engine
