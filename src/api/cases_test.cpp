// SPDX-License-Identifier: Apache-2.0
// Runs every conversation in src/api/cases/*.case; how they are written stands in cases/README.md.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "json.hpp"
#include "stage.hpp"

namespace hanse::api {
namespace {

using Variables = std::map<std::string, std::string>;

std::string filled(std::string text, const Variables& variables) {
    for (const auto& [name, value] : variables)
        for (auto at = text.find("$" + name); at != std::string::npos; at = text.find("$" + name, at + value.size()))
            text.replace(at, name.size() + 1, value);
    return text;
}

// Every field of the pattern must be in the answer and match; "*" is any value, "$name" keeps a string.
std::string difference(const JsonValue& wanted, const JsonValue& actual, Variables& variables, const std::string& path) {
    if (wanted.is(JsonKind::string)) {
        const auto text = wanted.string();
        if (text == "*") return {};
        if (text.starts_with("$") && actual.is(JsonKind::string)) {
            const auto [entry, fresh] = variables.emplace(text.substr(1), actual.string());
            return fresh || entry->second == actual.string() ? std::string() : path + " is not the same " + text + " as before";
        }
    }
    if (wanted.kind() != actual.kind()) return path + " is " + std::string(actual.raw()) + ", not " + std::string(wanted.raw());
    if (wanted.is(JsonKind::string) && wanted.string() == actual.string()) return {};
    if (wanted.is(JsonKind::object)) {
        for (auto key = wanted.first(); key; key = key->next()->next()) {
            std::optional<JsonValue> found;
            for (auto other = actual.first(); other; other = other->next()->next())
                if (other->string() == key->string()) found = other->next();
            const auto here = path + "." + key->string();
            if (!found) return here + " is missing";
            if (auto wrong = difference(*key->next(), *found, variables, here); !wrong.empty()) return wrong;
        }
        return {};
    }
    if (wanted.is(JsonKind::array)) {
        if (wanted.size() != actual.size()) return path + " has " + std::to_string(actual.size()) + " entries, not " + std::to_string(wanted.size());
        auto other = actual.first();
        int index = 0;
        for (auto item = wanted.first(); item; item = item->next(), other = other->next())
            if (auto wrong = difference(*item, *other, variables, path + "[" + std::to_string(index++) + "]"); !wrong.empty()) return wrong;
        return {};
    }
    if (wanted.raw() == actual.raw()) return {};
    if (wanted.is(JsonKind::number) && wanted.number() == actual.number()) return {};
    return path + " is " + std::string(actual.raw()) + ", not " + std::string(wanted.raw());
}

std::string compare(std::string_view wanted, std::string_view actual, Variables& variables) {
    const auto left = JsonDocument::parse(wanted);
    const auto right = JsonDocument::parse(actual);
    if (!left) return "the case's own JSON: " + left.error().message + " in " + std::string(wanted);
    if (!right) return right.error().message + " in " + std::string(actual);
    return difference(left->root(), right->root(), variables, "$");
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) lines.push_back(line);
    return lines;
}

// "..." stands for any number of lines.
std::string compare_events(std::string_view wanted, std::string_view actual, Variables& variables) {
    const auto want = lines_of(wanted);
    const auto have = lines_of(actual);
    std::size_t at = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (want[i] == "...") {
            if (i + 1 == want.size()) return {};
            const auto matches = [&](const std::string& line) {
                auto trial = variables;
                return line == want[i + 1] || (want[i + 1].starts_with("data: {") && line.starts_with("data: {") &&
                                               compare(std::string_view(want[i + 1]).substr(6), std::string_view(line).substr(6), trial).empty());
            };
            while (at < have.size() && !matches(have[at])) ++at;
            continue;
        }
        if (at == have.size()) return "the stream ends before: " + want[i];
        const auto& line = have[at++];
        if (want[i].starts_with("data: {") && line.starts_with("data: {")) {
            if (auto wrong = compare(std::string_view(want[i]).substr(6), std::string_view(line).substr(6), variables); !wrong.empty())
                return wrong + "\n  in " + line;
        } else if (line != want[i]) {
            return "wanted " + want[i] + "\n  got    " + line;
        }
    }
    return at == have.size() ? std::string() : "the stream goes on with: " + have[at];
}

struct Part {
    std::string head;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
};

// A first line, header lines, an empty line, the rest.
Part part_of(const std::string& text) {
    Part part;
    std::istringstream in(text);
    std::getline(in, part.head);
    for (std::string line; std::getline(in, line) && !line.empty();) {
        const auto colon = line.find(": ");
        part.headers.emplace_back(line.substr(0, colon), colon == std::string::npos ? "" : line.substr(colon + 2));
    }
    std::ostringstream rest;
    rest << in.rdbuf();
    part.body = rest.str();
    while (part.body.ends_with('\n')) part.body.pop_back();
    return part;
}

struct Case {
    std::string file;
    std::string claim;
    std::vector<std::string> settings;
    std::vector<std::pair<std::string, std::string>> exchanges;  // request, answer
};

std::vector<std::string> split(const std::string& text, const std::string& mark) {
    std::vector<std::string> pieces(1);
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(mark))
            pieces.push_back(line.substr(mark.size()) + "\n");
        else
            pieces.back() += line + "\n";
    }
    return pieces;
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    const std::filesystem::path folder = "src/api/cases";  // tests run in the repository
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".case") files.push_back(entry.path());
    std::ranges::sort(files);
    for (const auto& file : files) {
        std::ifstream in(file);
        std::ostringstream text;
        text << in.rdbuf();
        auto blocks = split(text.str(), "=== ");
        for (std::size_t i = 1; i < blocks.size(); ++i) {
            auto requests = split(blocks[i], ">>> ");
            Case one{file.stem().string(), requests[0].substr(0, requests[0].find('\n')), {}, {}};
            std::istringstream settings(requests[0].substr(requests[0].find('\n') + 1));
            for (std::string line; std::getline(settings, line);)
                if (!line.empty() && !line.starts_with('#')) one.settings.push_back(line);
            for (std::size_t r = 1; r < requests.size(); ++r) {
                const auto sides = split(requests[r], "<<< ");
                one.exchanges.emplace_back(sides.at(0), sides.size() > 1 ? sides[1] : "");
            }
            cases.push_back(std::move(one));
        }
    }
    return cases;
}

std::vector<std::string> strings_of(std::string_view json) {
    std::vector<std::string> all;
    if (const auto document = JsonDocument::parse(json))
        for (auto item = document->root().first(); item; item = item->next()) all.push_back(item->string());
    return all;
}

class Cases : public testing::TestWithParam<Case> {};

TEST_P(Cases, holds) {
    const auto& one = GetParam();
    Stage::Options options;
    std::vector<std::string> later;
    for (const auto& line : one.settings) {
        const auto space = line.find(' ');
        const auto word = line.substr(0, space);
        const auto value = space == std::string::npos ? "" : line.substr(space + 1);
        if (word == "answer") options.model.answer = strings_of(value);
        else if (word == "format") options.model.answer_format = value;
        else if (word == "reasoning") options.model.starts_in_reasoning = true;
        else if (word == "cached") options.model.cached_tokens = static_cast<std::uint32_t>(std::stoul(value));
        else if (word == "context") options.model.context = static_cast<std::uint32_t>(std::stoul(value));
        else if (word == "fails_after") options.model.fail_after = std::stoul(value);
        else if (word == "full") options.model.refusal = base::Error{base::ErrorKind::overloaded, "the queue of the model is full", "queue_full"};
        else if (word == "no_embeddings") options.model.can_embed = false;
        else if (word == "needs_keys") options.service.require_keys = true;
        else if (word == "cors") options.service.cors_origins = {value};
        else later.push_back(line);
    }
    Stage stage(options);
    Variables variables;
    for (const auto& line : later) {
        const auto space = line.find(' ');
        const auto word = line.substr(0, space);
        const auto value = space == std::string::npos ? "" : line.substr(space + 1);
        if (word == "key" || word == "key_once" || word == "key_for") {
            task::KeyFacts facts{.name = "test"};
            if (word == "key_once") facts.requests_per_minute = 1;
            const auto at = value.find(' ');
            if (word == "key_for") facts.models = {value.substr(at + 1)};
            const auto created = stage.keys->create(facts);
            ASSERT_TRUE(created);
            variables[value.substr(0, at)] = created->secret;
        } else if (word == "upstream_pieces") {
            stage.upstream->pieces = strings_of(value);
        } else if (word == "upstream_streams") {
            stage.upstream->content_type = "text/event-stream";
            stage.upstream->tells_length = false;
        } else if (word == "upstream_breaks") {
            stage.upstream->breaks = true;
        } else if (word == "upstream_status") {
            stage.upstream->status = static_cast<unsigned>(std::stoul(value));
        } else if (word == "draining") {
            stage.desk.drain();
        } else {
            FAIL() << "unknown setting: " << line;
        }
    }
    ASSERT_FALSE(one.exchanges.empty());
    for (const auto& [request_text, answer_text] : one.exchanges) {
        const auto wanted_request = part_of(filled(request_text, variables));
        const auto space = wanted_request.head.find(' ');
        const auto method = wanted_request.head.substr(0, space);
        auto request = Stage::make(net::Method::other, wanted_request.head.substr(space + 1), wanted_request.body, wanted_request.headers);
        for (const auto known : {net::Method::get, net::Method::head, net::Method::post, net::Method::put, net::Method::delete_, net::Method::options})
            if (net::name(known) == method) request.method = known;
        const auto exchange = stage.begin(std::move(request));
        const auto wanted = part_of(answer_text);
        const auto broken = wanted.head.ends_with(" broken");
        EXPECT_EQ(std::to_string(exchange->status), wanted.head.substr(0, 3)) << exchange->body;
        EXPECT_EQ(exchange->aborted, broken);
        EXPECT_EQ(exchange->ended, !broken);
        for (const auto& [name, value] : wanted.headers) EXPECT_TRUE(value == "*" ? exchange->headers.has(name) : exchange->headers.get(name) == value) << name << ": " << exchange->headers.get(name);
        if (wanted.body.empty()) continue;
        if (exchange->streamed)
            EXPECT_EQ(compare_events(wanted.body, exchange->body, variables), "") << exchange->body;
        else
            EXPECT_EQ(compare(wanted.body, exchange->body, variables), "") << exchange->body;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Cases, testing::ValuesIn(all_cases()), [](const auto& info) {
    std::string name = info.param.file + "__" + info.param.claim;
    std::ranges::replace_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
    return name;
});

}  // namespace
}  // namespace hanse::api
