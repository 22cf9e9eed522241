// SPDX-License-Identifier: Apache-2.0
#include "token_map.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>

#include "catalog/files.hpp"
#include "printable.hpp"
#include "sentencepiece.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

struct Token {
    std::string text;
    std::uint64_t id = 0;
};

}  // namespace

Result<Vocabulary> read_vocabulary(const TensorFile& model) {
    Vocabulary out;
    if (model.format() == TensorFormat::gguf) {
        if (const auto* tokens = model.metadata().get<std::vector<std::string>>("tokenizer.ggml.tokens"))
            for (std::size_t i = 0; i < tokens->size(); ++i) out.tokens.emplace((*tokens)[i], i);
        return out;
    }
    const auto folder = std::filesystem::is_directory(model.path()) ? model.path() : model.path().parent_path();
    const auto json = catalog::read_file_whole(folder / "tokenizer.json", 256U << 20U);
    if (!json) {
        const auto pieces = read_sentencepiece(folder / "tokenizer.model");
        if (!pieces && pieces.error().kind == ErrorKind::not_found) return out;
        if (!pieces) return std::unexpected(pieces.error());
        for (std::size_t i = 0; i < pieces->pieces.size(); ++i) out.tokens.emplace(pieces->pieces[i].text, i);
        return out;
    }
    glz::generic_u64 top;
    const auto wrong = [&](std::string_view what) {
        return base::fail(ErrorKind::corrupt, std::format("{}: {}", (folder / "tokenizer.json").string(), what));
    };
    try {
        if (glz::read_json(top, *json)) return wrong("it is no JSON");
    } catch (const std::exception&) {
        return wrong("it is no JSON");
    }
    const auto* object = top.get_if<glz::generic_u64::object_t>();
    const auto find = [](const glz::generic_u64& node, std::string_view key) -> const glz::generic_u64* {
        const auto* held = node.get_if<glz::generic_u64::object_t>();
        if (held == nullptr) return nullptr;
        const auto found = held->find(key);
        return found == held->end() ? nullptr : &found->second;
    };
    const auto* inner = object == nullptr ? nullptr : find(top, "model");
    const auto* vocabulary = inner == nullptr ? nullptr : find(*inner, "vocab");
    if (vocabulary == nullptr) return wrong("it has no model.vocab");
    if (const auto* map = vocabulary->get_if<glz::generic_u64::object_t>()) {
        for (const auto& [token, id] : *map)
            if (const auto* number = id.get_if<std::uint64_t>()) out.tokens.emplace(token, *number);
    } else if (const auto* list = vocabulary->get_if<glz::generic_u64::array_t>()) {  // Unigram: pairs of text and score
        for (std::size_t i = 0; i < list->size(); ++i)
            if (const auto* pair = (*list)[i].get_if<glz::generic_u64::array_t>(); pair != nullptr && !pair->empty())
                if (const auto* token = pair->front().get_if<std::string>()) out.tokens.emplace(*token, i);
    }
    if (const auto* added = find(top, "added_tokens"))
        if (const auto* list = added->get_if<glz::generic_u64::array_t>())
            for (const auto& each : *list) {
                const auto* content = find(each, "content");
                const auto* id = find(each, "id");
                if (content != nullptr && id != nullptr && content->is_string() && id->get_if<std::uint64_t>() != nullptr)
                    out.tokens.emplace(content->get<std::string>(), id->get<std::uint64_t>());
            }
    return out;
}

Result<TokenMap> map_tokens(const TokenizerRule& rule, const std::vector<ModelName>& names, const std::vector<Vocabulary>& vocabularies,
                            std::size_t base) {
    const auto invalid = [](std::string message) {
        return base::fail(ErrorKind::invalid, std::move(message), "invalid_recipe", "tokenizer");
    };
    const auto model_of = [&](const ModelName& name) { return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin()); };
    for (std::size_t m = 0; m < names.size(); ++m)
        if (vocabularies[m].empty())
            return invalid(std::format("{} has no tokenizer, so its vocabulary cannot be put together with others", names[m].path));
    std::size_t leading = base;
    if (rule.source == TokenizerRule::Source::model) leading = model_of(rule.model);
    if (leading >= names.size())
        return invalid(std::format("the tokenizer is to come from {}, which is not among the models", rule.model.path));

    TokenMap map;
    std::map<std::string, std::size_t> place;
    const auto take_all = [&](std::size_t model) {
        std::vector<Token> tokens;
        for (const auto& [token, id] : vocabularies[model].tokens) tokens.push_back({token, id});
        std::ranges::sort(tokens, {}, [](const Token& token) { return std::pair(token.id, token.text); });
        for (const Token& token : tokens)
            if (place.emplace(token.text, map.tokens.size()).second) map.tokens.push_back(token.text);
    };
    take_all(leading);
    if (rule.source == TokenizerRule::Source::union_of_all)
        for (std::size_t m = 0; m < names.size(); ++m) take_all(m);
    for (const auto& [token, each] : rule.tokens)
        if (place.emplace(token, map.tokens.size()).second) map.tokens.push_back(token);

    map.count = map.tokens.size();
    if (rule.pad_to_multiple_of > 0)
        map.count = (map.count + rule.pad_to_multiple_of - 1) / rule.pad_to_multiple_of * rule.pad_to_multiple_of;
    map.rows.assign(names.size(), std::vector<TokenMap::Row>(map.count));
    for (std::size_t row = 0; row < map.tokens.size(); ++row) {
        const std::string& token = map.tokens[row];
        TokenMap::Row holders, instead;
        for (std::size_t m = 0; m < names.size(); ++m)
            if (const auto found = vocabularies[m].tokens.find(token); found != vocabularies[m].tokens.end()) {
                holders.emplace_back(static_cast<std::uint32_t>(m), found->second);
                if (m == base) instead = {holders.back()};
            }
        if (instead.empty()) instead = holders;
        const auto ruled = rule.tokens.find(token);
        if (ruled != rule.tokens.end() && ruled->second.kind == TokenRule::Kind::zero) instead.clear();
        else if (ruled != rule.tokens.end()) {
            const std::size_t m = model_of(ruled->second.model);
            if (m >= names.size())
                return invalid(
                    std::format("token {} is to come from {}, which is not among the models", printable(token), ruled->second.model.path));
            const std::string& wanted = ruled->second.token.empty() ? token : ruled->second.token;
            const auto found = vocabularies[m].tokens.find(wanted);
            if (!ruled->second.id && found == vocabularies[m].tokens.end())
                return invalid(std::format("token {} is not in the vocabulary of {}", printable(wanted), ruled->second.model.path));
            instead = {
                {static_cast<std::uint32_t>(m), ruled->second.id.value_or(found == vocabularies[m].tokens.end() ? 0 : found->second)}};
        }
        for (std::size_t m = 0; m < names.size(); ++m) {
            const auto own = vocabularies[m].tokens.find(token);
            const bool forced = ruled != rule.tokens.end() && ruled->second.force;
            if (own != vocabularies[m].tokens.end() && !forced) map.rows[m][row] = {{static_cast<std::uint32_t>(m), own->second}};
            else map.rows[m][row] = instead;
        }
    }
    return map;
}

}  // namespace hanse::forge
